/* SPDX-License-Identifier: Apache-2.0 */
/* Files of CNI networks, read and checked once: see conf.h. */
#include "cni/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"

static const char *const versions[] = {
#define X(id, text) text,
	CNI_VERSIONS(X)
#undef X
};

const char *cni_version_text(enum cni_version v)
{
	return versions[v];
}

int cni_version_parse(const char *text, enum cni_version *ret, struct err *err)
{
	for (int v = 0; v < CNI_VERSION_MAX_; v++)
		if (!strcmp(versions[v], text)) {
			*ret = (enum cni_version)v;
			return 0;
		}
	return err_set(err, ERR_UNSUPPORTED,
		"cniVersion \"%.32s\" is not known here; known are 0.1.0, 0.2.0, 0.3.0, 0.3.1, "
		"0.4.0, 1.0.0",
		text);
}

json_t *cni_member(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);
	return json_is_null(v) ? NULL : v;
}

int cni_version_read(const json_t *o, enum cni_version *ret, struct err *err)
{
	const char *text = "";
	if (cni_member(o, "cniVersion") && json_get_str(o, "cniVersion", &text, err) < 0)
		return -1;
	return *text ? cni_version_parse(text, ret, err) : 0;
}

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* One step of a path: it becomes a file's or a directory's name. */
static bool is_file_name(const char *s)
{
	if (!*s || !strcmp(s, ".") || !strcmp(s, "..") || strlen(s) > CNI_NAME_MAX)
		return false;
	for (; *s; s++)
		if (*s == '/' || is_control((unsigned char)*s))
			return false;
	return true;
}

static bool is_strict_name(const char *s)
{
	if (!is_alnum(*s))
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr("_.-", *s))
			return false;
	return true;
}

static int judge_name(const char *name, enum cni_version version, struct err *err)
{
	if (!strcmp(name, "all") || !strcmp(name, "none") || !strcmp(name, "host"))
		return err_set(err, ERR_INVALID,
			"\"name\" is \"%s\", which is a word of --net: give it another", name);
	if (!is_file_name(name) || strpbrk(name, ",:"))
		return err_set(err, ERR_INVALID,
			"\"name\" must be 1 to %d bytes without \"/\", \",\", \":\" and control "
			"characters",
			CNI_NAME_MAX);
	if (version >= CNI_0_4_0 && !is_strict_name(name))
		return err_set(err, ERR_INVALID,
			"\"name\" is \"%s\": letters, digits, \"_\", \".\" and \"-\" only, and "
			"first a letter or a digit",
			name);
	return 0;
}

/* The spec's table says a string, its readers take both (0.4.0, "Network Configuration Lists"). */
static int take_disable_check(const json_t *o, bool *ret, struct err *err)
{
	const json_t *v = cni_member(o, "disableCheck");
	const char *text = json_string_value(v);
	*ret = json_is_true(v) || (text && !strcmp(text, "true"));
	if (!v || json_is_boolean(v) || *ret || (text && !strcmp(text, "false")))
		return 0;
	return err_set(err, ERR_INVALID, "\"disableCheck\" must be true or false");
}

static int take_plugin(const json_t *conf, struct cni_net *n, struct err *err)
{
	const char *type;
	bool masq = false;
	if (!json_is_object(conf))
		return err_set(err, ERR_INVALID, "a plugin's configuration must be an object");
	if (json_get_str(conf, "type", &type, err) < 0)
		return -1;
	if (!is_file_name(type))
		return err_set(err, ERR_INVALID, "\"type\" must be the file name of a plugin");
	if (cni_member(conf, "ipMasq") && json_get_bool(conf, "ipMasq", &masq, err) < 0)
		return -1;
	if (cni_member(conf, "capabilities") && !json_is_object(cni_member(conf, "capabilities")))
		return err_set(err, ERR_INVALID, "\"capabilities\" must be an object");
	n->ip_masq |= masq;
	/* Spec 0.4.0: the list's name and version replace whatever a plugin's conf says. */
	json_t *copy = json_deep_copy(conf);
	json_object_set_new(copy, "name", json_string(n->name));
	json_object_set_new(copy, "cniVersion", json_string(cni_version_text(n->version)));
	json_array_append_new(n->plugins, copy);
	return 0;
}

static int take_plugins(const json_t *list, struct cni_net *n, struct err *err)
{
	size_t i;
	json_t *conf;
	size_t count = json_array_size(list);
	if (count < 1 || count > CNI_PLUGINS_MAX)
		return err_set(err, ERR_INVALID, "\"plugins\" must hold 1 to %d plugins, not %zu",
			CNI_PLUGINS_MAX, count);
	if (count > 1 && n->version < CNI_0_3_0)
		return err_set(err, ERR_INVALID,
			"several plugins need \"cniVersion\" 0.3.0 or later, it is %s",
			cni_version_text(n->version));
	n->plugins = json_array();
	json_array_foreach (list, i, conf)
		if (take_plugin(conf, n, err) < 0)
			return err_wrap(err, "plugin %zu", i + 1);
	return 0;
}

/* Name, version and plugins of a conf or a list. */
static int take_all(const json_t *o, bool is_list, struct cni_net *n, struct err *err)
{
	const char *name;
	if (!json_is_object(o))
		return err_set(err, ERR_INVALID, "it must be a JSON object");
	n->version = CNI_0_1_0; /* what a conf without one is */
	if (cni_version_read(o, &n->version, err) < 0 || json_get_str(o, "name", &name, err) < 0 ||
		judge_name(name, n->version, err) < 0)
		return -1;
	n->name = xstrdup(name);
	if (take_disable_check(o, &n->disable_check, err) < 0)
		return -1;
	json_t *plugins = NULL;
	if (is_list)
		return json_get_array(o, "plugins", &plugins, err) < 0
			       ? -1
			       : take_plugins(plugins, n, err);
	if (!cni_member(o, "type") && cni_member(o, "plugins"))
		return err_set(err, ERR_INVALID, "a list of plugins must be in a .conflist file");
	n->plugins = json_array();
	return take_plugin(o, n, err);
}

static void hand_over(struct cni_net *from, struct cni_net *ret)
{
	*ret = *from;
	*from = (struct cni_net){0};
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s);
	size_t n = strlen(suffix);
	return len >= n && !strcmp(s + len - n, suffix);
}

static int parse_text(const char *text, size_t len, struct cni_net *n, struct err *err)
{
	if (len > CNI_CONF_MAX)
		return err_set(err, ERR_FULL, "it is larger than %d bytes", CNI_CONF_MAX);
	if (memchr(text, '\0', len))
		return err_set(err, ERR_INVALID, "it holds a NUL byte");
	_cleanup_json_ json_t *o = json_parse(text, len, "it", err);
	if (!o)
		return -1;
	return take_all(o, has_suffix(n->path, ".conflist"), n, err);
}

int cni_net_parse(
	const char *path, const char *text, size_t len, struct cni_net *ret, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_cni_net_ struct cni_net n = {
		.path = xstrdup(path), .file = xstrdup(slash ? slash + 1 : path)};
	*ret = (struct cni_net){0};
	if (parse_text(text, len, &n, err) < 0)
		return err_wrap(err, "%s", path);
	n.text = xstrndup(text, len);
	hand_over(&n, ret);
	return 0;
}

char *cni_net_peek_name(const char *text, size_t len)
{
	_cleanup_json_ json_t *o = len <= CNI_CONF_MAX ? json_parse(text, len, "", NULL) : NULL;
	const char *name = json_str_opt(o, "name", NULL);
	return name ? xstrdup(name) : NULL;
}

json_t *cni_net_json(const struct cni_net *net)
{
	return json_make("{s:s,s:s,s:s,s:b,s:s,s:O,s:b,s:b,s:s*,s:s*}", "name", net->name, "file",
		net->file, "path", net->path, "builtin", net->builtin, "version",
		cni_version_text(net->version), "plugins", net->plugins, "disable_check",
		net->disable_check, "ip_masq", net->ip_masq, "args", net->args, "ifname",
		*net->ifname ? net->ifname : NULL);
}

/* dev_valid_name() of Linux, and spec 0.4.0 "Parameters". */
static bool is_ifname(const char *s)
{
	if (!is_file_name(s) || strlen(s) >= IFNAMSIZ)
		return false;
	return !strpbrk(s, ": ");
}

static int take_place(const json_t *j, struct cni_net *n, struct err *err)
{
	const char *file;
	const char *path;
	const char *args = json_str_opt(j, "args", NULL);
	const char *ifname = json_str_opt(j, "ifname", "");
	if (json_get_str(j, "file", &file, err) < 0 || json_get_str(j, "path", &path, err) < 0 ||
		json_get_bool(j, "builtin", &n->builtin, err) < 0)
		return -1;
	if (!is_file_name(file))
		return err_set(err, ERR_INVALID, "\"file\" must be a file name");
	if (*ifname && !is_ifname(ifname))
		return err_set(err, ERR_INVALID, "\"ifname\" must be an interface's name");
	n->file = xstrdup(file);
	n->path = xstrdup(path);
	n->args = args ? xstrdup(args) : NULL;
	strncpy(n->ifname, ifname, sizeof n->ifname - 1);
	return 0;
}

int cni_net_from_json(const json_t *j, struct cni_net *ret, struct err *err)
{
	_cleanup_cni_net_ struct cni_net n = {0};
	*ret = (struct cni_net){0};
	_cleanup_json_ json_t *list = json_make("{s:O*,s:O*,s:O*,s:O*}", "name",
		json_object_get(j, "name"), "cniVersion", json_object_get(j, "version"),
		"disableCheck", json_object_get(j, "disable_check"), "plugins",
		json_object_get(j, "plugins"));
	if (take_all(list, true, &n, err) < 0 || take_place(j, &n, err) < 0)
		return err_wrap(err, "network \"%s\"", json_str_opt(j, "name", ""));
	hand_over(&n, ret);
	return 0;
}

const char *cni_net_type(const struct cni_net *net)
{
	return json_str_opt(json_array_get(net->plugins, 0), "type", "");
}

bool cni_net_capable(const struct cni_net *net, const char *capability)
{
	size_t i;
	json_t *conf;
	json_array_foreach (net->plugins, i, conf)
		if (json_bool_opt(json_object_get(conf, "capabilities"), capability, false))
			return true;
	return false;
}

void cni_net_done(struct cni_net *net)
{
	free(net->name);
	free(net->file);
	free(net->path);
	free(net->text);
	free(net->args);
	json_decref(net->plugins);
	*net = (struct cni_net){0};
}
