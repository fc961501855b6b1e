/* SPDX-License-Identifier: Apache-2.0 */
/* Checks one app of a pod spec: see spec.h for what its members mean. */
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/caps.h"
#include "proto/spec_int.h"

#define ID_MAX 4294967294 /* (uid_t)-1 means "do not change" to the kernel */

/* Every element a string; when `assign`, of the form NAME=value. */
static int check_strings(const json_t *o, const char *member, bool assign, struct err *err)
{
	json_t *a = NULL;
	size_t i = 0;
	json_t *v = NULL;
	if (json_get_array(o, member, &a, err) < 0)
		return -1;
	json_array_foreach (a, i, v) {
		const char *s = json_string_value(v);
		if (!s)
			return spec_bad(err, member, "an array of strings");
		const char *equals = strchr(s, '=');
		if (assign && (!equals || equals == s))
			return err_set(
				err, ERR_INVALID, "\"%s\" holds \"%s\", not NAME=value", member, s);
	}
	return 0;
}

static int check_exec(const json_t *app, const char *member, struct err *err)
{
	if (check_strings(app, member, false, err) < 0)
		return -1;
	const char *first = json_string_value(json_array_get(json_object_get(app, member), 0));
	return first && first[0] ? 0 : spec_bad(err, member, "a command with its arguments");
}

static int check_gids(const json_t *app, struct err *err)
{
	json_t *a = NULL;
	size_t i = 0;
	json_t *v = NULL;
	if (json_get_array(app, "gids", &a, err) < 0)
		return -1;
	json_array_foreach (a, i, v) {
		json_int_t id = json_integer_value(v);
		if (!json_is_integer(v) || id < 0 || id > ID_MAX)
			return spec_bad(err, "gids", "an array of group numbers");
	}
	if (json_array_size(a) > SPEC_MAX_GIDS)
		return spec_bad(err, "gids", "at most " SPEC_MAX_GIDS_TEXT " groups");
	return 0;
}

static int check_path(const json_t *o, const char *member, struct err *err)
{
	const char *path = NULL;
	if (json_get_str(o, member, &path, err) < 0)
		return -1;
	return path[0] == '/' ? 0 : spec_bad(err, member, "an absolute path");
}

/* ---- mounts and files -------------------------------------------------------------------------- */

/* A relative path that cannot lead out: no "..", no empty part, no slash at an end. "" is fine. */
static int check_sub(const json_t *o, struct err *err)
{
	const char *sub = NULL;
	if (json_get_str(o, "sub", &sub, err) < 0)
		return -1;
	for (const char *p = sub; *p;) {
		char part[NAME_MAX + 1];
		size_t len = strcspn(p, "/");
		if (len > NAME_MAX)
			return spec_bad(err, "sub", "a path of shorter names");
		memcpy(part, p, len);
		part[len] = '\0';
		if (!spec_is_entry(part) || (p[len] && !p[len + 1]))
			return spec_bad(err, "sub", "a relative path without \"..\"");
		p += len + (p[len] ? 1 : 0);
	}
	return 0;
}

static int check_mount(const json_t *o, struct err *err)
{
	if (!json_is_object(o))
		return spec_bad(err, "mounts", "an array of objects");
	if (check_path(o, "path", err) < 0 || spec_check_name(o, "tag", SPEC_TAG_ALPHABET, err) < 0)
		return -1;
	return check_sub(o, err) < 0 ? -1 : spec_check_bool_opt(o, "read_only", err);
}

static int check_file(const json_t *o, struct err *err)
{
	const char *text = NULL;
	if (!json_is_object(o))
		return spec_bad(err, "files", "an array of objects");
	if (check_path(o, "path", err) < 0 || json_get_str(o, "text", &text, err) < 0)
		return -1;
	if (strlen(text) > SPEC_FILE_MAX)
		return err_set(err, ERR_INVALID, "\"text\" is longer than %d bytes", SPEC_FILE_MAX);
	return spec_check_bool_opt(o, "if_absent", err);
}

/* An optional array of at most `max` elements, each good by `check`. */
static int check_each(const json_t *app, const char *member, size_t max,
	int (*check)(const json_t *o, struct err *err), struct err *err)
{
	json_t *a = NULL;
	size_t i = 0;
	json_t *o = NULL;
	if (!json_object_get(app, member))
		return 0;
	if (json_get_array(app, member, &a, err) < 0)
		return -1;
	if (json_array_size(a) > max)
		return err_set(err, ERR_INVALID, "\"%s\": %zu of them, at most %zu are possible",
			member, json_array_size(a), max);
	json_array_foreach (a, i, o) {
		if (check(o, err) < 0)
			return err_wrap(err, "%s %zu", member, i);
	}
	return 0;
}

/* ---- isolators --------------------------------------------------------------------------------- */

static int check_cap(const json_t *o, struct err *err)
{
	const char *name = json_string_value(o);
	if (!name || caps_from_name(name) < 0)
		return err_set(err, ERR_INVALID, "\"%s\" is no capability", name ? name : "");
	return 0;
}

static int check_isolators(const json_t *app, size_t n_filters, struct err *err)
{
	int64_t filter = (int64_t)n_filters - 1;
	if (check_each(app, "caps", CAPS_MAX_, check_cap, err) < 0 ||
		spec_check_bool_opt(app, "no_new_privileges", err) < 0 ||
		spec_check_int_opt(app, "seccomp", 0, filter, err) < 0)
		return -1;
	if (spec_check_int_opt(app, "oom_score_adj", -SPEC_OOM_ADJ_MAX, SPEC_OOM_ADJ_MAX, err) <
			0 ||
		spec_check_int_opt(
			app, "cpu_shares", SPEC_CPU_SHARES_MIN, SPEC_CPU_SHARES_MAX, err) < 0)
		return -1;
	if (spec_check_int_opt(app, "memory_bytes", 1, INT64_MAX, err) < 0)
		return -1;
	return spec_check_int_opt(app, "cpu_milli", 1, INT64_MAX / 1000, err);
}

/* ---- the app ----------------------------------------------------------------------------------- */

/* A size without a terminal would be ignored, and so is refused. */
static int check_tty(const json_t *app, struct err *err)
{
	static const char *const members[] = {"rows", "cols"};
	if (spec_check_bool_opt(app, "tty", err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (spec_check_int_opt(app, members[i], 0, SPEC_TTY_SIZE_MAX, err) < 0)
			return -1;
		if (json_object_get(app, members[i]) && !json_bool_opt(app, "tty", false))
			return spec_bad(err, members[i], "of an app with a \"tty\"");
	}
	return 0;
}

static int check_streams(const json_t *app, struct err *err)
{
	static const char *const modes[] = {"null", "stream", NULL};
	if (check_tty(app, err) < 0 || spec_check_bool_opt(app, "notify", err) < 0 ||
		spec_check_word_opt(app, "stdin", modes, err) < 0 ||
		spec_check_word_opt(app, "stdout", modes, err) < 0)
		return -1;
	return spec_check_word_opt(app, "stderr", modes, err);
}

static int check_commands(const json_t *app, struct err *err)
{
	if (check_exec(app, "exec", err) < 0)
		return -1;
	if (json_object_get(app, "pre_start") && check_exec(app, "pre_start", err) < 0)
		return -1;
	return json_object_get(app, "post_stop") ? check_exec(app, "post_stop", err) : 0;
}

static int check_identity(const json_t *app, struct err *err)
{
	if (spec_check_name(app, "tag", SPEC_TAG_ALPHABET, err) < 0 ||
		spec_check_text(app, "user", err) < 0 || spec_check_text(app, "group", err) < 0 ||
		check_gids(app, err) < 0 || check_path(app, "cwd", err) < 0 ||
		check_strings(app, "env", true, err) < 0)
		return -1;
	if (spec_check_bool_opt(app, "read_only", err) < 0 ||
		spec_check_bool_opt(app, "default_path", err) < 0 ||
		spec_check_bool_opt(app, "docker", err) < 0)
		return -1;
	return spec_check_bool_opt(app, "protect", err);
}

int spec_check_app(const json_t *app, size_t n_filters, struct err *err)
{
	if (!json_is_object(app))
		return spec_bad(err, "apps", "an array of objects");
	if (spec_check_name(app, "name", SPEC_APP_ALPHABET, err) < 0)
		return -1;
	if (check_identity(app, err) < 0 || check_commands(app, err) < 0 ||
		check_streams(app, err) < 0 || check_isolators(app, n_filters, err) < 0 ||
		check_each(app, "mounts", SPEC_MAX_MOUNTS, check_mount, err) < 0 ||
		check_each(app, "files", SPEC_MAX_FILES, check_file, err) < 0)
		return err_wrap(err, "app \"%s\"", json_str_opt(app, "name", ""));
	return 0;
}
