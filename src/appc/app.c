/* SPDX-License-Identifier: Apache-2.0 */
/* The "app" object: see app.h. */
#include "appc/app.h"

#include <stdlib.h>
#include <string.h>

#include "appc/lenient.h"
#include "base/alloc.h"
#include "base/cleanup.h"

static void free_strings(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

void appc_app_done(struct appc_app *app)
{
	free_strings(app->exec);
	free_strings(app->pre_start);
	free_strings(app->post_stop);
	free(app->user);
	free(app->group);
	free(app->cwd);
	free(app->gids);
	for (size_t i = 0; i < app->nenv; i++) {
		free(app->env[i].name);
		free(app->env[i].value);
	}
	free(app->env);
	appc_mount_points_done(&app->mount_points);
	json_decref(app->ports);
	appc_isolators_done(&app->isolators);
	*app = (struct appc_app){0};
}

/* "exec" of an app or of an event handler, NULL-terminated; an absent one is empty. */
static int read_exec(const json_t *o, char ***ret, size_t *ret_n, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *v;
	if (lenient_array(o, "exec", &a, err) < 0)
		return -1;
	json_array_foreach (a, i, v) {
		if (!json_is_string(v))
			return err_set(err, ERR_INVALID, "\"exec\" must be an array of strings");
	}
	*ret = xcalloc(json_array_size(a) + 1, sizeof **ret);
	*ret_n = json_array_size(a);
	json_array_foreach (a, i, v) {
		(*ret)[i] = xstrdup(json_string_value(v));
	}
	return 0;
}

static int read_handler(const json_t *o, struct appc_app *app, struct err *err)
{
	const char *name;
	char ***slot;
	size_t n;
	if (lenient_str(o, "name", &name, err) < 0)
		return -1;
	if (!strcmp(name, "pre-start"))
		slot = &app->pre_start;
	else if (!strcmp(name, "post-stop"))
		slot = &app->post_stop;
	else
		return err_set(err, ERR_INVALID, "\"%s\" is none of pre-start, post-stop", name);
	if (*slot)
		return err_set(err, ERR_INVALID, "%s is given twice", name);
	if (read_exec(o, slot, &n, err) < 0)
		return err_wrap(err, "%s", name);
	if (!n || !*(*slot)[0])
		return err_set(err, ERR_INVALID, "%s has an empty \"exec\"", name);
	return 0;
}

static int read_handlers(const json_t *o, struct appc_app *app, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *v;
	if (lenient_array(o, "eventHandlers", &a, err) < 0)
		return -1;
	json_array_foreach (a, i, v) {
		if (read_handler(v, app, err) < 0)
			return err_wrap(err, "\"eventHandlers\"");
	}
	return 0;
}

static int read_gids(const json_t *o, struct appc_app *app, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *v;
	if (lenient_array(o, "supplementaryGIDs", &a, err) < 0)
		return -1;
	app->gids = xcalloc(json_array_size(a) + 1, sizeof *app->gids);
	json_array_foreach (a, i, v) {
		int64_t gid = json_is_integer(v) ? json_integer_value(v) : -1;
		if (gid < 0 || gid >= UINT32_MAX)
			return err_set(err, ERR_INVALID,
				"\"supplementaryGIDs\" must be an array of group numbers");
		app->gids[app->ngids++] = gid;
	}
	return 0;
}

static int name_start(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

int appc_env_name_check(const char *name, struct err *err)
{
	const char *s = name;
	if (name_start(*s))
		while (name_start(*s) || (*s >= '0' && *s <= '9') || *s == '.' || *s == '-')
			s++;
	if (s == name || *s)
		return err_set(
			err, ERR_INVALID, "\"%s\" is not a name of an environment variable", name);
	return 0;
}

static int read_env(const json_t *o, struct appc_app *app, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *v;
	if (lenient_array(o, "environment", &a, err) < 0)
		return -1;
	app->env = xcalloc(json_array_size(a) + 1, sizeof *app->env);
	json_array_foreach (a, i, v) {
		const char *name;
		const char *value;
		if (lenient_str(v, "name", &name, err) < 0 ||
			lenient_str(v, "value", &value, err) < 0 ||
			appc_env_name_check(name, err) < 0)
			return err_wrap(err, "\"environment\"");
		for (size_t k = 0; k < app->nenv; k++)
			if (!strcmp(app->env[k].name, name))
				return err_set(err, ERR_INVALID,
					"environment variable %s is given twice", name);
		app->env[app->nenv++] = (struct appc_env){xstrdup(name), xstrdup(value)};
	}
	return 0;
}

/* Keeps an array that is not empty. */
static int keep_array(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *a;
	if (lenient_array(o, key, &a, err) < 0)
		return -1;
	*ret = json_array_size(a) ? json_incref(a) : NULL;
	return 0;
}

static int read_names(const json_t *o, struct appc_app *app, struct err *err)
{
	const char *user;
	const char *group;
	const char *cwd;
	if (lenient_str(o, "user", &user, err) < 0 || lenient_str(o, "group", &group, err) < 0 ||
		lenient_str(o, "workingDirectory", &cwd, err) < 0)
		return -1;
	if (!*user || !*group)
		return err_set(err, ERR_INVALID, "\"%s\" is required", *user ? "group" : "user");
	if (*cwd && *cwd != '/')
		return err_set(err, ERR_INVALID,
			"\"workingDirectory\" must be an absolute path, not %s", cwd);
	app->user = xstrdup(user);
	app->group = xstrdup(group);
	app->cwd = xstrdup(cwd);
	return 0;
}

static int read_all(const json_t *o, struct appc_app *app, struct err *err)
{
	if (read_exec(o, &app->exec, &app->nexec, err) < 0 || read_names(o, app, err) < 0 ||
		read_gids(o, app, err) < 0 || read_env(o, app, err) < 0 ||
		read_handlers(o, app, err) < 0 || appc_isolators_parse(o, &app->isolators, err) < 0)
		return -1;
	if (appc_mount_points_read(o, &app->mount_points, err) < 0 ||
		keep_array(o, "ports", &app->ports, err) < 0)
		return -1;
	return 0;
}

int appc_app_parse(const json_t *o, struct appc_app *ret, struct err *err)
{
	struct appc_app app = {0};
	if (read_all(o, &app, err) < 0) {
		appc_app_done(&app);
		return -1;
	}
	*ret = app;
	return 0;
}
