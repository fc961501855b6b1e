/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the Accept request: see request.h. */
#include "stage1/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/spec.h"
#include "stage1/isolators.h"
#include "stage1/size.h"
#include "stage1/stdio.h"

static json_t *strings(char *const *texts)
{
	json_t *a = json_array();
	for (; *texts; texts++)
		json_array_append_new(a, json_string(*texts));
	return a;
}

static json_t *numbers(const int64_t *v, size_t n)
{
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_integer(v[i]));
	return a;
}

static bool has_path(const struct appc_app *app)
{
	for (size_t i = 0; i < app->nenv; i++)
		if (!strcmp(app->env[i].name, "PATH"))
			return true;
	return false;
}

static json_t *make_app(const struct poddir_app *a, const char *tag)
{
	return json_make("{s:s, s:s, s:o, s:s, s:s, s:o, s:s, s:o, s:b, s:b, s:b}", "name",
		a->pod->name, "tag", tag, "exec", strings(a->app->exec), "user", a->app->user,
		"group", a->app->group, "gids", numbers(a->app->gids, a->app->ngids), "cwd",
		*a->app->cwd ? a->app->cwd : "/", "env", strings(a->env), "read_only",
		(int)a->pod->read_only, "default_path", (int)!has_path(a->app), "docker",
		appc_image_annotation(&a->image, APPC_ANNOTATION_DOCKER) != NULL);
}

/* machine-id(5): the UUID without its dashes */
static void machine_id(const char *uuid, char ret[33])
{
	size_t n = 0;
	for (; *uuid && n < 32; uuid++)
		if (*uuid != '-')
			ret[n++] = *uuid;
	ret[n] = '\0';
}

static json_t *make_guest(const struct run_options *o, json_t *apps, json_t *filters)
{
	char id[33];
	machine_id(o->uuid, id);
	_cleanup_free_ char *dflt = xasprintf("rkt-%s", o->uuid);
	return json_make("{s:i, s:s, s:s, s:s, s:b, s:b, s:i, s:O, s:O}", "version", SPEC_VERSION,
		"uuid", o->uuid, "hostname", o->hostname ? o->hostname : dflt, "machine_id", id,
		"debug", (int)o->debug, "streams", 1, "grace_ms", SPEC_GRACE_MS, "apps", apps,
		"filters", filters);
}

static const char *annotation_or(const struct poddir *d, const char *name, const char *dflt)
{
	const char *v = appc_pod_annotation(&d->pod, name);
	return v ? v : dflt;
}

/* Appends the app; -1 when its isolators cannot be given. */
static int add_app(json_t *apps, json_t *filters, const struct poddir_app *a,
	const struct run_options *o, const char *tag, struct err *err)
{
	json_t *app = make_app(a, tag);
	json_array_append_new(apps, app);
	stdio_set(app, a, o);
	return isolators_set(app, a, o, filters, err);
}

int request_make(const struct poddir *d, const struct run_options *o, const char *dir, json_t **ret,
	struct err *err)
{
	_cleanup_json_ json_t *apps = json_array();
	_cleanup_json_ json_t *trees = json_array();
	_cleanup_json_ json_t *filters = json_array();
	for (size_t i = 0; i < d->napps; i++) {
		char tag[32];
		snprintf(tag, sizeof tag, "app%zu", i);
		if (add_app(apps, filters, &d->apps[i], o, tag, err) < 0)
			return -1;
		json_array_append_new(
			trees, json_make("{s:s, s:b, s:b}", "tag", tag, "read_only",
				       (int)d->apps[i].pod->read_only, "recursive", 0));
	}
	*ret = json_make("{s:s, s:s, s:s, s:s, s:s, s:O, s:o}", "uuid", o->uuid, "dir", dir,
		"owner", annotation_or(d, APPC_ANNOTATION_OWNER, "rkt"), "type",
		annotation_or(d, APPC_ANNOTATION_TYPE, "auto"), "net", "none", "trees", trees,
		"guest", make_guest(o, apps, filters));
	return 0;
}

void request_size(const struct poddir *d, json_t *request)
{
	int64_t memory;
	int64_t vcpus;
	size_domain(d, json_array_size(json_object_get(request, "trees")), &memory, &vcpus);
	json_object_set_new(request, "memory_kib", json_integer(memory));
	json_object_set_new(request, "vcpus", json_integer(vcpus));
}
