/* SPDX-License-Identifier: Apache-2.0 */
/* Files made for apps: see files.h. */
#include "stage1/files.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "proto/spec.h"

#define LOCALHOST "127.0.0.1"
#define BLANKS    " \t"

/* JSON carries UTF-8 and no NUL: anything else in such a file is an accident to be told. */
static int read_text(const char *path, const char *why, char **ret, struct err *err)
{
	size_t len;
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, path, SPEC_FILE_MAX, &text, &len, err) < 0)
		return err_wrap(err, "%s", why);
	_cleanup_json_ json_t *check = strlen(text) == len ? json_string(text) : NULL;
	if (!check)
		return err_set(err, ERR_INVALID, "%s: %s is not UTF-8 text", why, path);
	*ret = TAKE_PTR(text);
	return 0;
}

static void add(json_t *files, const char *path, const char *text, int if_absent)
{
	json_array_append_new(files,
		json_make("{s:s, s:s, s:b}", "path", path, "text", text, "if_absent", if_absent));
}

static int add_resolv(const struct dns *dns, json_t *files, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int r = 0;
	if (dns->resolv == DNS_HOST)
		r = read_text(FILES_HOST_RESOLV, "resolv=host", &text, err);
	else if (dns->resolv == DNS_STAGE0)
		r = read_text(FILES_STAGE0_RESOLV, "resolv=stage0", &text, err);
	if (text)
		add(files, "/etc/resolv.conf", text, 0);
	return r;
}

/* ---- hosts ------------------------------------------------------------------------------------- */

static bool is_localhost(const char *line)
{
	line += strspn(line, BLANKS);
	size_t len = strlen(LOCALHOST);
	return !strncmp(line, LOCALHOST, len) && line[len] && strchr(BLANKS, line[len]);
}

static const char *find_localhost(const char *text)
{
	while (*text && !is_localhost(text)) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return *text ? text : NULL;
}

static char *add_line(const char *text, const char *name)
{
	size_t len = strlen(text);
	const char *newline = len && text[len - 1] != '\n' ? "\n" : "";
	return xasprintf("%s%s" LOCALHOST "\t%s\n", text, newline, name);
}

char *files_add_name(const char *text, const char *name)
{
	const char *line = find_localhost(text);
	if (!line)
		return add_line(text, name);
	size_t len = strcspn(line, "#\n"); /* a comment may follow */
	while (len && strchr(BLANKS, line[len - 1]))
		len--;
	return xasprintf("%.*s %s%s", (int)(line - text + (ptrdiff_t)len), text, name, line + len);
}

static int add_fallback(json_t *files, const char *hostname, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (read_text(FILES_FALLBACK_HOSTS, "hosts=default", &text, err) < 0)
		return -1;
	_cleanup_free_ char *all = add_line(text, hostname);
	add(files, "/etc/hosts", all, 1);
	return 0;
}

static int add_hosts(const struct dns *dns, json_t *files, const char *hostname, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (dns->hosts == DNS_DEFAULT)
		return add_fallback(files, hostname, err);
	if (dns->hosts == DNS_HOST) {
		if (read_text(FILES_HOST_HOSTS, "hosts=host", &text, err) < 0)
			return -1;
		add(files, "/etc/hosts", text, 0);
		return 0;
	}
	if (read_text(FILES_STAGE0_HOSTS, "hosts=stage0", &text, err) < 0)
		return -1;
	_cleanup_free_ char *all = files_add_name(text, hostname);
	add(files, "/etc/hosts", all, 0);
	return 0;
}

static bool has_volume_on(const json_t *app, const char *path)
{
	size_t i;
	json_t *mount;
	json_array_foreach (json_object_get(app, "mounts"), i, mount) {
		const char *at = json_str_opt(mount, "path", "");
		size_t len = strlen(at);
		while (len > 1 && at[len - 1] == '/')
			len--;
		if (len == strlen(path) && !strncmp(at, path, len))
			return true;
	}
	return false;
}

static bool is_asked_for(const char *path, const struct dns *dns)
{
	if (!strcmp(path, "/etc/hosts"))
		return dns->hosts != DNS_DEFAULT;
	return !strcmp(path, "/etc/resolv.conf");
}

/* A volume on /etc has its own word: nothing is put over it, or into the host's directory, that was
 * not asked for by a flag. */
static json_t *files_of(const json_t *app, json_t *files, const struct dns *dns)
{
	size_t i;
	json_t *file;
	if (!has_volume_on(app, "/etc"))
		return json_incref(files);
	json_t *some = json_array();
	json_array_foreach (files, i, file)
		if (is_asked_for(json_str_opt(file, "path", ""), dns))
			json_array_append(some, file);
	return some;
}

int files_describe(const struct dns *dns, json_t *guest, struct err *err)
{
	_cleanup_json_ json_t *files = json_array();
	const char *hostname = json_str_opt(guest, "hostname", "");
	_cleanup_free_ char *name = xasprintf("%s\n", hostname);
	_cleanup_free_ char *id = xasprintf("%s\n", json_str_opt(guest, "machine_id", ""));
	add(files, "/etc/hostname", name, 0);
	add(files, "/etc/machine-id", id, 0);
	if (add_resolv(dns, files, err) < 0 || add_hosts(dns, files, hostname, err) < 0)
		return err_wrap(err, "--dns-conf-mode");
	size_t i;
	json_t *app;
	json_array_foreach (json_object_get(guest, "apps"), i, app) {
		json_object_set_new(app, "files", files_of(app, files, dns));
	}
	return 0;
}
