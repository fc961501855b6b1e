/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of an app in the spec: see stdio.h. */
#include "stage1/stdio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "stage1/tty.h"

#define TERM_DEFAULT "vt100" /* as enter's (contract 1.5) */

static const char *const names[] = {"stdin", "stdout", "stderr"};

static const char *mode_of(const struct poddir_app *a, const char *stream)
{
	char key[64];
	snprintf(key, sizeof key, "coreos.com/rkt/stage2/%s", stream);
	const char *mode = appc_pod_app_annotation(a->pod, key);
	return mode ? mode : "";
}

/* Any other mode, also one that does not exist, is rkt's default: null in, log out. */
static int judge_app(const struct poddir_app *a, struct err *err)
{
	static const char *const refused[] = {"tty", "stream", "interactive"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *mode = mode_of(a, names[i]);
		for (size_t k = 0; k < ARRAY_SIZE(refused); k++)
			if (!strcmp(mode, refused[k]))
				return err_set(err, ERR_UNSUPPORTED,
					"app %s: not supported yet: --%s=%s (there is no attach); "
					"use run --interactive",
					a->pod->name, names[i], mode);
	}
	return 0;
}

int stdio_judge(const struct poddir *d, const struct run_options *o, struct err *err)
{
	if (o->interactive && d->napps > 1)
		return err_set(err, ERR_INVALID,
			"--interactive is for pods of one app, this one has %zu", d->napps);
	if (o->interactive)
		return 0; /* the annotations are ignored then (contract 3.6) */
	for (size_t i = 0; i < d->napps; i++)
		if (judge_app(&d->apps[i], err) < 0)
			return -1;
	return 0;
}

static bool has_term(const json_t *env)
{
	size_t i;
	const json_t *v;
	json_array_foreach (env, i, v) {
		if (!strncmp(json_string_value(v), "TERM=", strlen("TERM=")))
			return true;
	}
	return false;
}

/* Programs ask for it when they start, which may be before the session's first WINCH. */
static void set_size(json_t *app)
{
	uint16_t rows;
	uint16_t cols;
	tty_size(&rows, &cols);
	json_object_set_new(app, "rows", json_integer(rows));
	json_object_set_new(app, "cols", json_integer(cols));
}

static void set_terminal(json_t *app)
{
	const char *term = getenv("TERM");
	json_t *env = json_object_get(app, "env");
	_cleanup_free_ char *pair = xasprintf("TERM=%s", term && *term ? term : TERM_DEFAULT);
	json_object_set_new(app, "tty", json_true());
	set_size(app);
	if (!has_term(env))
		json_array_append_new(env, json_string(pair));
}

void stdio_set(json_t *app, const struct poddir_app *a, const struct run_options *o)
{
	json_object_set_new(app, "stdin", json_string(o->interactive ? "stream" : "null"));
	if (o->interactive && tty_present())
		set_terminal(app);
	if (o->interactive)
		return;
	for (size_t i = 1; i < ARRAY_SIZE(names); i++)
		if (!strcmp(mode_of(a, names[i]), "null"))
			json_object_set_new(app, names[i], json_string("null"));
}
