/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the pod spec: see podspec.h. */
#include "guest/podspec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/frame.h"
#include "base/json.h"
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

static void app_fill(struct podspec_app *app, const json_t *j)
{
	const json_t *gids = json_object_get(j, "gids");
	app->name = xstrdup(json_str_opt(j, "name", ""));
	app->tag = xstrdup(json_str_opt(j, "tag", ""));
	app->user = xstrdup(json_str_opt(j, "user", ""));
	app->group = xstrdup(json_str_opt(j, "group", ""));
	app->cwd = xstrdup(json_str_opt(j, "cwd", "/"));
	app->exec = podspec_strings(json_object_get(j, "exec"));
	app->env = podspec_strings(json_object_get(j, "env"));
	app->n_gids = json_array_size(gids);
	app->gids = xcalloc(app->n_gids + 1, sizeof(*app->gids));
	for (size_t i = 0; i < app->n_gids; i++)
		app->gids[i] = (gid_t)json_integer_value(json_array_get(gids, i));
	app->docker = json_bool_opt(j, "docker", false);
	app->read_only = json_bool_opt(j, "read_only", false);
	app->stdin_stream = strcmp(json_str_opt(j, "stdin", "null"), "stream") == 0;
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
	ret->n_apps = json_array_size(apps);
	ret->apps = xcalloc(ret->n_apps, sizeof(*ret->apps));
	for (size_t i = 0; i < ret->n_apps; i++)
		app_fill(&ret->apps[i], json_array_get(apps, i));
	return 0;
}
