/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the pod spec: see podspec.h. */
#include "guest/podspec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/frame.h"
#include "base/json.h"
#include "proto/caps.h"
#include "proto/spec.h"

char **podspec_strings(const json_t *array)
{
	size_t n = json_array_size(array);
	char **strings = xcalloc(n + 1, sizeof(*strings));
	for (size_t i = 0; i < n; i++)
		strings[i] = xstrdup(json_string_value(json_array_get(array, i)));
	return strings;
}

void podspec_free_strings(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

static char **optional_strings(const json_t *o, const char *member)
{
	const json_t *array = json_object_get(o, member);
	return array ? podspec_strings(array) : NULL;
}

static bool is_stream(const json_t *o, const char *member, const char *dflt)
{
	return strcmp(json_str_opt(o, member, dflt), "stream") == 0;
}

static void fill_gids(struct podspec_app *app, const json_t *gids)
{
	app->n_gids = json_array_size(gids);
	app->gids = xcalloc(app->n_gids + 1, sizeof(*app->gids));
	for (size_t i = 0; i < app->n_gids; i++)
		app->gids[i] = (gid_t)json_integer_value(json_array_get(gids, i));
}

static void fill_mounts(struct podspec_app *app, const json_t *mounts)
{
	app->n_mounts = json_array_size(mounts);
	app->mounts = xcalloc(app->n_mounts + 1, sizeof(*app->mounts));
	for (size_t i = 0; i < app->n_mounts; i++) {
		const json_t *j = json_array_get(mounts, i);
		app->mounts[i] = (struct podspec_mount){
			.path = xstrdup(json_str_opt(j, "path", "")),
			.tag = xstrdup(json_str_opt(j, "tag", "")),
			.sub = xstrdup(json_str_opt(j, "sub", "")),
			.read_only = json_bool_opt(j, "read_only", false),
		};
	}
}

static void fill_files(struct podspec_app *app, const json_t *files)
{
	app->n_files = json_array_size(files);
	app->files = xcalloc(app->n_files + 1, sizeof(*app->files));
	for (size_t i = 0; i < app->n_files; i++) {
		const json_t *j = json_array_get(files, i);
		app->files[i] = (struct podspec_file){
			.path = xstrdup(json_str_opt(j, "path", "")),
			.text = xstrdup(json_str_opt(j, "text", "")),
			.if_absent = json_bool_opt(j, "if_absent", false),
		};
	}
}

static uint64_t read_caps(const json_t *caps)
{
	uint64_t set = 0;
	size_t i = 0;
	json_t *name = NULL;
	if (!caps)
		return CAPS_ALL;
	json_array_foreach (caps, i, name)
		set |= UINT64_C(1) << caps_from_name(json_string_value(name));
	return set;
}

static void fill_isolators(
	struct podspec_app *app, const json_t *j, const struct podspec_filter *filters)
{
	const json_t *seccomp = json_object_get(j, "seccomp");
	app->caps = read_caps(json_object_get(j, "caps"));
	app->no_new_privileges = json_bool_opt(j, "no_new_privileges", false);
	app->filter = seccomp ? &filters[json_integer_value(seccomp)] : NULL;
	app->oom_score_adj = (int)json_int_opt(j, "oom_score_adj", 0);
	app->cpu_shares = json_int_opt(j, "cpu_shares", SPEC_CPU_SHARES);
	app->memory_bytes = json_int_opt(j, "memory_bytes", 0);
	app->cpu_milli = json_int_opt(j, "cpu_milli", 0);
}

static void fill_streams(struct podspec_app *app, const json_t *j)
{
	app->tty = json_bool_opt(j, "tty", false);
	app->size.ws_row = (unsigned short)json_int_opt(j, "rows", 0);
	app->size.ws_col = (unsigned short)json_int_opt(j, "cols", 0);
	app->stdin_stream = is_stream(j, "stdin", "null");
	app->stdout_stream = is_stream(j, "stdout", "stream");
	app->stderr_stream = is_stream(j, "stderr", "stream");
	app->notify = json_bool_opt(j, "notify", false);
}

static void app_fill(struct podspec_app *app, const json_t *j, const struct podspec_filter *filters)
{
	app->name = xstrdup(json_str_opt(j, "name", ""));
	app->tag = xstrdup(json_str_opt(j, "tag", ""));
	app->user = xstrdup(json_str_opt(j, "user", ""));
	app->group = xstrdup(json_str_opt(j, "group", ""));
	app->cwd = xstrdup(json_str_opt(j, "cwd", "/"));
	app->default_path = json_is_true(json_object_get(j, "default_path"));
	app->exec = podspec_strings(json_object_get(j, "exec"));
	app->env = podspec_strings(json_object_get(j, "env"));
	app->pre_start = optional_strings(j, "pre_start");
	app->post_stop = optional_strings(j, "post_stop");
	app->docker = json_bool_opt(j, "docker", false);
	app->read_only = json_bool_opt(j, "read_only", false);
	app->protect = json_bool_opt(j, "protect", true);
	fill_gids(app, json_object_get(j, "gids"));
	fill_mounts(app, json_object_get(j, "mounts"));
	fill_files(app, json_object_get(j, "files"));
	fill_streams(app, j);
	fill_isolators(app, j, filters);
}

static void fill_filters(struct podspec *spec, const json_t *filters)
{
	spec->n_filters = json_array_size(filters);
	spec->filters = xcalloc(spec->n_filters + 1, sizeof(*spec->filters));
	for (size_t i = 0; i < spec->n_filters; i++) {
		struct podspec_filter *f = &spec->filters[i];
		/* Checked before: it is base64. */
		(void)base64_decode(
			json_string_value(json_array_get(filters, i)), &f->program, &f->size);
	}
}

int podspec_read(const char *path, struct podspec *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *j = NULL;
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, FRAME_MAX, &text, &len, err) < 0)
		return -1;
	j = json_parse(text, len, "pod spec", err);
	if (!j || spec_check_guest(j, err) < 0)
		return err_wrap(err, "%s", path);
	if (json_get_int(j, "generation", &ret->generation, err) < 0)
		return err_wrap(err, "%s", path);
	json_t *apps = json_object_get(j, "apps");
	memcpy(ret->uuid, json_str_opt(j, "uuid", ""), UUID_TEXT_SIZE);
	ret->hostname = xstrdup(json_str_opt(j, "hostname", ""));
	ret->grace_ms = json_int_opt(j, "grace_ms", SPEC_GRACE_MS);
	ret->debug = json_bool_opt(j, "debug", false);
	ret->streams = json_bool_opt(j, "streams", false);
	ret->net = json_incref(json_object_get(j, "net"));
	fill_filters(ret, json_object_get(j, "filters"));
	ret->n_apps = json_array_size(apps);
	ret->apps = xcalloc(ret->n_apps, sizeof(*ret->apps));
	for (size_t i = 0; i < ret->n_apps; i++)
		app_fill(&ret->apps[i], json_array_get(apps, i), ret->filters);
	return 0;
}
