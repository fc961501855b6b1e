/* SPDX-License-Identifier: Apache-2.0 */
/* See run_env.h. */
#include "tools/run_env.h"

#include <fcntl.h>
#include <string.h>

#include "appc/app.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"

static int add_line(json_t *env, char *line, struct err *err)
{
	if (!*line || *line == '#' || *line == ';')
		return 0;
	char *eq = strchr(line, '=');
	if (!eq)
		return err_set(err, ERR_INVALID, "NAME=VALUE is wanted, not \"%s\"", line);
	*eq = '\0';
	if (appc_env_name_check(line, err) < 0)
		return -1;
	if (json_object_get(env, line))
		return err_set(err, ERR_INVALID, "%s is set already", line);
	json_t *value = json_string(eq + 1);
	if (!value)
		return err_set(err, ERR_INVALID, "the value of %s is not UTF-8", line);
	json_object_set_new(env, line, value);
	return 0;
}

static int add_file(json_t *env, const char *path, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, path, ENV_FILE_MAX, &text, &len, err) < 0)
		return -1;
	if (strlen(text) != len)
		return err_set(err, ERR_INVALID, "there is a zero byte in it");
	int n = 0;
	char *rest = text;
	char *line;
	while ((line = strsep(&rest, "\n"))) {
		n++;
		size_t end = strlen(line);
		if (end && line[end - 1] == '\r') /* as Go's line scanner */
			line[end - 1] = '\0';
		if (add_line(env, line, err) < 0)
			return err_wrap(err, "line %d", n);
	}
	return 0;
}

int run_env_files(const struct words *files, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *env = json_object();
	for (size_t i = 0; i < files->n; i++)
		if (add_file(env, files->v[i], err) < 0)
			return err_wrap(err, "--set-env-file=%s", files->v[i]);
	*ret = TAKE_PTR(env);
	return 0;
}

json_t *run_env_inherited(char *const *environment)
{
	json_t *env = json_object();
	for (; *environment; environment++) {
		const char *eq = strchr(*environment, '=');
		size_t len = eq ? (size_t)(eq - *environment) : 0;
		_cleanup_free_ char *name = xstrndup(*environment, len);
		json_t *value =
			eq && appc_env_name_check(name, NULL) == 0 ? json_string(eq + 1) : NULL;
		if (value)
			json_object_set_new(env, name, value);
		else
			log_notice("--inherit-env: %s is left out: a manifest cannot hold it",
				*name ? name : "a variable");
	}
	return env;
}
