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

static int sum_memory(const struct poddir *d, int64_t *ret, bool *ret_unlimited, struct err *err)
{
	for (size_t i = 0; i < d->napps; i++) {
		int64_t bytes = 0;
		int r = appc_app_memory(d->apps[i].app, &bytes, err);
		if (r < 0)
			return err_wrap(err, "app %s", d->apps[i].pod->name);
		*ret_unlimited |= r == 0;
		if (bytes / 1024 > SPEC_MEMORY_MAX_KIB)
			bytes = (int64_t)SPEC_MEMORY_MAX_KIB * 1024; /* refused by the check */
		*ret += bytes / 1024 + (bytes % 1024 ? 1 : 0);
	}
	return 0;
}

static int sum_cpus(const struct poddir *d, int64_t *ret, bool *ret_unlimited, struct err *err)
{
	for (size_t i = 0; i < d->napps; i++) {
		int64_t milli = 0;
		int r = appc_app_cpu(d->apps[i].app, &milli, err);
		if (r < 0)
			return err_wrap(err, "app %s", d->apps[i].pod->name);
		*ret_unlimited |= r == 0;
		*ret += milli / 1000 + (milli % 1000 ? 1 : 0);
		if (*ret > SPEC_VCPUS_MAX)
			*ret = SPEC_VCPUS_MAX; /* limits above are met by having no more */
	}
	return 0;
}

int request_size(
	const struct poddir *d, int64_t *ret_memory_kib, int64_t *ret_vcpus, struct err *err)
{
	int64_t kib = 0;
	int64_t vcpus = 0;
	bool any_memory = false;
	bool any_cpus = false;
	if (sum_memory(d, &kib, &any_memory, err) < 0 || sum_cpus(d, &vcpus, &any_cpus, err) < 0)
		return -1;
	kib += kib ? REQUEST_OVERHEAD_KIB : 0;
	if (kib < REQUEST_MEMORY_MIN_KIB)
		kib = REQUEST_MEMORY_MIN_KIB;
	if (any_memory && kib < SPEC_MEMORY_KIB)
		kib = SPEC_MEMORY_KIB;
	if (any_cpus && vcpus < SPEC_VCPUS)
		vcpus = SPEC_VCPUS;
	*ret_memory_kib =
		(kib + SPEC_MEMORY_STEP_KIB - 1) / SPEC_MEMORY_STEP_KIB * SPEC_MEMORY_STEP_KIB;
	*ret_vcpus = vcpus;
	return 0;
}

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

static json_t *make_app(const struct poddir_app *a, const char *tag)
{
	return json_make("{s:s, s:s, s:o, s:s, s:s, s:o, s:s, s:o, s:b, s:b, s:s}", "name",
		a->pod->name, "tag", tag, "exec", strings(a->app->exec), "user", a->app->user,
		"group", a->app->group, "gids", numbers(a->app->gids, a->app->ngids), "cwd",
		*a->app->cwd ? a->app->cwd : "/", "env", strings(a->env), "read_only",
		(int)a->pod->read_only, "docker",
		appc_image_annotation(&a->image, APPC_ANNOTATION_DOCKER) != NULL, "stdin", "null");
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

static json_t *make_guest(const struct run_options *o, json_t *apps)
{
	char id[33];
	machine_id(o->uuid, id);
	_cleanup_free_ char *dflt = xasprintf("rkt-%s", o->uuid);
	return json_make("{s:i, s:s, s:s, s:s, s:b, s:b, s:i, s:o, s:b}", "version", SPEC_VERSION,
		"uuid", o->uuid, "hostname", o->hostname ? o->hostname : dflt, "machine_id", id,
		"debug", (int)o->debug, "streams", 1, "grace_ms", SPEC_GRACE_MS, "apps", apps,
		"lo_only", 1);
}

static const char *annotation_or(const struct poddir *d, const char *name, const char *dflt)
{
	const char *v = appc_pod_annotation(&d->pod, name);
	return v ? v : dflt;
}

int request_make(const struct poddir *d, const struct run_options *o, const char *dir, json_t **ret,
	struct err *err)
{
	int64_t memory;
	int64_t vcpus;
	if (request_size(d, &memory, &vcpus, err) < 0)
		return -1;
	json_t *apps = json_array();
	json_t *trees = json_array();
	for (size_t i = 0; i < d->napps; i++) {
		char tag[32];
		snprintf(tag, sizeof tag, "app%zu", i);
		json_array_append_new(apps, make_app(&d->apps[i], tag));
		json_array_append_new(
			trees, json_make("{s:s, s:b, s:b}", "tag", tag, "read_only",
				       (int)d->apps[i].pod->read_only, "recursive", 0));
	}
	*ret = json_make("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:o}", "uuid", o->uuid, "dir",
		dir, "owner", annotation_or(d, APPC_ANNOTATION_OWNER, "rkt"), "type",
		annotation_or(d, APPC_ANNOTATION_TYPE, "auto"), "memory_kib", (json_int_t)memory,
		"vcpus", (json_int_t)vcpus, "net", "none", "trees", trees, "guest",
		make_guest(o, apps));
	return 0;
}
