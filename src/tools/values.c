/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options: see values.h. Volumes are written as appc's VolumeFromString reads them,
 * mounts as rkt's --mount: "," between parts, "=" in a part, no way to quote either.
 */
#include "tools/values.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appc/acname.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

#define HOSTNAME_MAX 64 /* HOST_NAME_MAX of Linux */

int value_bool(const char *option, const char *text, bool *ret, struct err *err)
{
	static const char *const words[] = {
		"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"};
	*ret = true;
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		*ret = i < ARRAY_SIZE(words) / 2;
		if (!strcmp(words[i], text))
			return 0;
	}
	return err_set(err, ERR_INVALID, "--%s=%s: true or false is wanted", option, text);
}

/* Decimal digits only, 0..UINT32_MAX - 1: (uid_t)-1 means "no change" to the kernel. */
static int number_of_id(const char *text, int64_t *ret)
{
	size_t len = strspn(text, "0123456789");
	errno = 0;
	long long n = strtoll(text, NULL, 10);
	if (!len || text[len] || errno || n >= UINT32_MAX)
		return -1;
	*ret = n;
	return 0;
}

/* ---- volumes and mounts: "key=value" parts ------------------------------------------------------
 */

struct part {
	const char *option; /* and its value, for messages */
	const char *whole;
	const char *key;
	const char *value;
	json_t *o;
};

static int wrong(const struct part *p, const char *wanted, struct err *err)
{
	return err_set(err, ERR_INVALID, "--%s=%s: %s=%s: %s", p->option, p->whole, p->key,
		p->value, wanted);
}

static int part_bool(const struct part *p, struct err *err)
{
	bool b;
	if (value_bool("", p->value, &b, NULL) < 0)
		return wrong(p, "true or false is wanted", err);
	json_object_set_new(p->o, p->key, json_boolean(b));
	return 0;
}

static int part_id(const struct part *p, struct err *err)
{
	int64_t n;
	if (number_of_id(p->value, &n) < 0)
		return wrong(p, "a number is wanted", err);
	json_object_set_new(p->o, p->key, json_integer(n));
	return 0;
}

static int part_mode(const struct part *p, struct err *err)
{
	size_t len = strspn(p->value, "01234567");
	if (!len || p->value[len] || strtoul(p->value, NULL, 8) > 07777)
		return wrong(p, "an octal mode as 0755 is wanted", err);
	json_object_set_new(p->o, p->key, json_string(p->value));
	return 0;
}

static int part_path(const struct part *p, struct err *err)
{
	if (*p->value != '/')
		return wrong(p, "an absolute path is wanted", err);
	/* "target" is the option's word for what the manifest calls "path". */
	json_object_set_new(
		p->o, strcmp(p->key, "target") ? p->key : "path", json_string(p->value));
	return 0;
}

static int part_name(const struct part *p, struct err *err)
{
	if (!acname_valid(p->value))
		return wrong(p, "a name is made of a-z, 0-9 and inner dashes", err);
	json_object_set_new(p->o, p->key, json_string(p->value));
	return 0;
}

static int part_kind(const struct part *p, struct err *err)
{
	if (strcmp(p->value, "host") != 0 && strcmp(p->value, "empty") != 0)
		return wrong(p, "host or empty is wanted", err);
	json_object_set_new(p->o, p->key, json_string(p->value));
	return 0;
}

struct key {
	const char *name;
	int (*read)(const struct part *p, struct err *err);
};
static const struct key volume_keys[] = {{"name", part_name}, {"kind", part_kind},
	{"source", part_path}, {"readOnly", part_bool}, {"recursive", part_bool},
	{"mode", part_mode}, {"uid", part_id}, {"gid", part_id}, {0}};
static const struct key mount_keys[] = {{"volume", part_name}, {"target", part_path}, {0}};

static int read_part(struct part *p, const struct key *keys, char *text, struct err *err)
{
	char *eq = strchr(text, '=');
	if (!eq)
		return err_set(err, ERR_INVALID, "--%s=%s: \"%s\" is not KEY=VALUE", p->option,
			p->whole, text);
	*eq = '\0';
	p->key = text;
	p->value = eq + 1;
	while (keys->name && strcmp(keys->name, p->key) != 0)
		keys++;
	if (!keys->name)
		return err_set(err, ERR_INVALID, "--%s=%s: there is no \"%s\"", p->option, p->whole,
			p->key);
	if (json_object_get(p->o, !strcmp(p->key, "target") ? "path" : p->key))
		return wrong(p, "it is given twice", err);
	return keys->read(p, err);
}

/* `text` is `whole`, or what the reader has put before it. Returns NULL on error. */
static json_t *read_parts(const char *option, const char *whole, const char *text,
	const struct key *keys, struct err *err)
{
	_cleanup_json_ json_t *o = json_object();
	_cleanup_free_ char *copy = xstrdup(text);
	struct part p = {.option = option, .whole = whole, .o = o};
	char *rest = copy;
	char *one;
	while ((one = strsep(&rest, ",")))
		if (read_part(&p, keys, one, err) < 0)
			return NULL;
	return TAKE_PTR(o);
}

/* Which keys go with which kind, and the defaults that appc's decoder fills in. */
static int settle_volume(json_t *v, const char *text, struct err *err)
{
	static const char *const only[2][4] = {{"mode", "uid", "gid"}, {"source"}};
	const char *kind = json_str_opt(v, "kind", NULL);
	if (!kind)
		return err_set(
			err, ERR_INVALID, "--volume=%s: kind=host or kind=empty is missing", text);
	bool empty = !strcmp(kind, "empty");
	for (const char *const *k = only[empty]; *k; k++)
		if (json_object_get(v, *k))
			return err_set(err, ERR_INVALID,
				"--volume=%s: a volume of kind %s has no %s", text, kind, *k);
	if (!empty && !json_object_get(v, "source"))
		return err_set(err, ERR_INVALID, "--volume=%s: source=PATH is missing", text);
	if (empty && !json_object_get(v, "mode"))
		json_object_set_new(v, "mode", json_string("0755"));
	if (empty && !json_object_get(v, "uid"))
		json_object_set_new(v, "uid", json_integer(0));
	if (empty && !json_object_get(v, "gid"))
		json_object_set_new(v, "gid", json_integer(0));
	return 0;
}

int value_volume(const char *text, json_t **ret, struct err *err)
{
	_cleanup_free_ char *named = xasprintf("name=%s", text);
	_cleanup_json_ json_t *v = read_parts("volume", text, named, volume_keys, err);
	if (!v || settle_volume(v, text, err) < 0)
		return -1;
	*ret = TAKE_PTR(v);
	return 0;
}

int value_mount(const char *text, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *m = read_parts("mount", text, text, mount_keys, err);
	if (!m)
		return -1;
	if (!json_object_get(m, "volume") || !json_object_get(m, "path"))
		return err_set(
			err, ERR_INVALID, "--mount=%s: volume=NAME,target=PATH is wanted", text);
	*ret = TAKE_PTR(m);
	return 0;
}

char *value_path_clean(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *out = xcalloc(strlen(path) + 2, 1);
	size_t len = 0;
	char *rest = copy;
	char *part;
	while ((part = strsep(&rest, "/"))) {
		if (!*part || !strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			while (len && out[--len] != '/')
				;
			out[len] = '\0';
			continue;
		}
		out[len++] = '/';
		memcpy(out + len, part, strlen(part) + 1);
		len += strlen(part);
	}
	if (!len)
		out[0] = '/';
	return out;
}

json_t *value_mounts_merge(const json_t *own, const json_t *all)
{
	json_t *out = json_array();
	_cleanup_json_ json_t *seen = json_object();
	const json_t *const lists[] = {own, all};
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		size_t i;
		json_t *m;
		json_array_foreach (lists[k], i, m) {
			_cleanup_free_ char *path = value_path_clean(json_str_opt(m, "path", ""));
			if (json_object_get(seen, path))
				continue;
			json_object_set_new(seen, path, json_true());
			json_array_append(out, m);
		}
	}
	return out;
}

/* ---- the rest -----------------------------------------------------------------------------------
 */

int value_gids(const char *text, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *list = json_array();
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *one;
	while ((one = strsep(&rest, ","))) {
		int64_t gid;
		if (number_of_id(one, &gid) < 0)
			return err_set(err, ERR_INVALID,
				"--supplementary-gids=%s: numbers as 1024,2048 are wanted", text);
		json_array_append_new(list, json_integer(gid));
	}
	*ret = TAKE_PTR(list);
	return 0;
}

int value_pair(const char *option, const char *text, json_t **object, struct err *err)
{
	const char *eq = strchr(text, '=');
	if (!eq || eq == text)
		return err_set(err, ERR_INVALID, "--%s=%s: NAME=VALUE is wanted", option, text);
	_cleanup_free_ char *name = xstrndup(text, (size_t)(eq - text));
	if (!*object)
		*object = json_object();
	json_object_set_new(*object, name, json_string(eq + 1));
	return 0;
}

int value_hostname(const char *text, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";
	size_t len = strspn(text, allowed);
	if (!len || text[len] || len > HOSTNAME_MAX)
		return err_set(err, ERR_INVALID,
			"--hostname=%s: up to 64 letters, digits, dashes and dots are wanted",
			text);
	return 0;
}

int value_insecure(const char *text, unsigned *flags, struct err *err)
{
	static const struct {
		const char *name;
		unsigned flags;
	} names[] = {{"none", 0}, {"image", 0}, {"tls", 0}, {"ondisk", 0}, {"http", 0},
		{"pubkey", 0}, {"all-fetch", 0}, {"capabilities", INSECURE_CAPABILITIES},
		{"paths", INSECURE_PATHS}, {"seccomp", INSECURE_SECCOMP},
		{"all-run", INSECURE_ALL_RUN}, {"all", INSECURE_ALL_RUN}};
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	char *one;
	while ((one = strsep(&rest, ","))) {
		size_t i = 0;
		while (i < ARRAY_SIZE(names) && strcmp(names[i].name, one) != 0)
			i++;
		if (i == ARRAY_SIZE(names))
			return err_set(err, ERR_INVALID,
				"--insecure-options=%s: there is no \"%s\"; capabilities, paths, "
				"seccomp, all-run, image, none are wanted",
				text, one);
		*flags |= names[i].flags;
	}
	return 0;
}
