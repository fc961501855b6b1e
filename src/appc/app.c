/* SPDX-License-Identifier: Apache-2.0 */
/* The "app" object: see app.h. */
#include "appc/app.h"

#include <stdlib.h>
#include <string.h>

#include "appc/lenient.h"
#include "appc/quantity.h"
#include "base/alloc.h"
#include "base/cleanup.h"

void appc_app_done(struct appc_app *app)
{
	for (size_t i = 0; i < app->nexec; i++)
		free(app->exec[i]);
	free(app->exec);
	free(app->user);
	free(app->group);
	free(app->cwd);
	free(app->gids);
	for (size_t i = 0; i < app->nenv; i++) {
		free(app->env[i].name);
		free(app->env[i].value);
	}
	free(app->env);
	json_decref(app->event_handlers);
	json_decref(app->mount_points);
	json_decref(app->ports);
	json_decref(app->isolators);
	*app = (struct appc_app){0};
}

static int read_exec(const json_t *o, struct appc_app *app, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *v;
	if (lenient_array(o, "exec", &a, err) < 0)
		return -1;
	app->exec = xcalloc(json_array_size(a) + 1, sizeof *app->exec);
	json_array_foreach (a, i, v) {
		if (!json_is_string(v))
			return err_set(err, ERR_INVALID, "\"exec\" must be an array of strings");
		app->exec[app->nexec++] = xstrdup(json_string_value(v));
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

static int read_isolators(const json_t *o, struct appc_app *app, struct err *err)
{
	json_t *a;
	size_t i;
	json_t *v;
	if (lenient_array(o, "isolators", &a, err) < 0)
		return -1;
	json_array_foreach (a, i, v) {
		const char *name;
		if (lenient_str(v, "name", &name, err) < 0)
			return err_wrap(err, "\"isolators\"");
		json_t *value = lenient_get(v, "value");
		if (!app->isolators)
			app->isolators = json_object();
		json_object_set_new(
			app->isolators, name, value ? json_incref(value) : json_object());
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
	if (read_exec(o, app, err) < 0 || read_names(o, app, err) < 0 ||
		read_gids(o, app, err) < 0 || read_env(o, app, err) < 0 ||
		read_isolators(o, app, err) < 0)
		return -1;
	if (keep_array(o, "eventHandlers", &app->event_handlers, err) < 0 ||
		keep_array(o, "mountPoints", &app->mount_points, err) < 0 ||
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

/* The "limit" of an isolator as text; a bare JSON number is a quantity too. */
static int limit_text(const struct appc_app *app, const char *name, char **ret, struct err *err)
{
	const json_t *value = json_object_get(app->isolators, name);
	const json_t *limit = lenient_get(value, "limit");
	if (!limit)
		return 0;
	if (json_is_string(limit))
		*ret = xstrdup(json_string_value(limit));
	else if (json_is_number(limit))
		*ret = json_dumps(limit, JSON_ENCODE_ANY);
	else
		return err_set(err, ERR_INVALID, "isolator %s: \"limit\" must be a quantity", name);
	return 1;
}

static int limit(const struct appc_app *app, const char *name,
	int (*parse)(const char *, int64_t *, struct err *), int64_t *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int64_t value;
	int r = limit_text(app, name, &text, err);
	if (r <= 0)
		return r;
	if (parse(text, &value, err) < 0)
		return err_wrap(err, "isolator %s", name);
	if (value <= 0)
		return err_set(
			err, ERR_INVALID, "isolator %s: limit %s is not above zero", name, text);
	*ret = value;
	return 1;
}

int appc_app_memory(const struct appc_app *app, int64_t *ret, struct err *err)
{
	return limit(app, APPC_ISOLATOR_MEMORY, quantity_value, ret, err);
}

int appc_app_cpu(const struct appc_app *app, int64_t *ret_milli, struct err *err)
{
	return limit(app, APPC_ISOLATOR_CPU, quantity_milli, ret_milli, err);
}
