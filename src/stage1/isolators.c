/* SPDX-License-Identifier: Apache-2.0 */
/* Isolators and handlers in the spec: see isolators.h. */
#include "stage1/isolators.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/caps.h"
#include "stage1/seccomp.h"

static int caps_read(const json_t *names, uint64_t *ret, struct err *err)
{
	size_t i;
	const json_t *v;
	*ret = 0;
	json_array_foreach (names, i, v) {
		int n = caps_from_name(json_string_value(v));
		if (n < 0)
			return err_set(err, ERR_INVALID,
				"\"%s\" is not a capability; write for example CAP_NET_ADMIN",
				json_string_value(v));
		*ret |= UINT64_C(1) << n;
	}
	return 0;
}

static int caps_allowed(const struct appc_set *set, uint64_t *ret, struct err *err)
{
	uint64_t named;
	if (caps_read(set->names, &named, err) < 0)
		return err_wrap(err, "isolator os/linux/capabilities-*-set");
	*ret = set->kind == APPC_SET_RETAIN ? named : CAPS_RKT & ~named;
	return 0;
}

static int set_caps(json_t *app, const struct appc_set *set, struct err *err)
{
	uint64_t allowed = 0;
	if (caps_allowed(set, &allowed, err) < 0)
		return -1;
	json_t *names = json_array();
	for (int n = 0; n <= CAPS_LAST; n++)
		if (allowed & UINT64_C(1) << n)
			json_array_append_new(names, json_string(caps_name(n)));
	json_object_set_new(app, "caps", names);
	return 0;
}

/*
 * Whether the user is root as far as the text tells: "root" or a number that is 0. Names and paths
 * that are root's by the image's files only count as others; they lose nothing but what executing
 * another file could give to them, and root has that already.
 */
static bool is_root(const char *user)
{
	if (!strcmp(user, "root"))
		return true;
	return *user && strspn(user, "0") == strlen(user);
}

static size_t filter_index(json_t *filters, const char *program)
{
	size_t i;
	const json_t *v;
	json_array_foreach (filters, i, v) {
		if (!strcmp(json_string_value(v), program))
			return i;
	}
	json_array_append_new(filters, json_string(program));
	return json_array_size(filters) - 1;
}

static int set_seccomp(
	json_t *app, const struct appc_set *set, json_t *filters, bool *ret, struct err *err)
{
	_cleanup_free_ char *program = NULL;
	if (seccomp_program(set, &program, err) < 0)
		return err_wrap(err, "isolator os/linux/seccomp-%s-set",
			set->kind == APPC_SET_RETAIN ? "retain" : "remove");
	*ret = program != NULL;
	if (program)
		json_object_set_new(
			app, "seccomp", json_integer((json_int_t)filter_index(filters, program)));
	return 0;
}

static int set_confinement(json_t *app, const struct poddir_app *a, const struct run_options *o,
	json_t *filters, struct err *err)
{
	const struct appc_isolators *i = &a->app->isolators;
	bool filtered = false;
	if (!o->keep_caps && set_caps(app, &i->caps, err) < 0)
		return -1;
	if (!o->keep_syscalls && set_seccomp(app, &i->seccomp, filters, &filtered, err) < 0)
		return -1;
	/* seccomp(2) asks it of whoever is not privileged (contract 3.4) */
	bool forced = filtered && !is_root(a->app->user);
	json_object_set_new(app, "no_new_privileges", json_boolean(i->no_new_privileges || forced));
	json_object_set_new(app, "protect", json_boolean(!o->keep_paths));
	return 0;
}

/* Absent members are the defaults of proto/spec.h. */
static void set_number(json_t *app, const char *member, int64_t value)
{
	if (value)
		json_object_set_new(app, member, json_integer((json_int_t)value));
}

static void set_command(json_t *app, const char *member, char *const *exec)
{
	if (!exec)
		return;
	json_t *command = json_array();
	for (; *exec; exec++)
		json_array_append_new(command, json_string(*exec));
	json_object_set_new(app, member, command);
}

int isolators_set(json_t *app, const struct poddir_app *a, const struct run_options *o,
	json_t *filters, struct err *err)
{
	const struct appc_isolators *i = &a->app->isolators;
	const char *notify = appc_image_annotation(&a->image, ANNOTATION_NOTIFY);
	if (set_confinement(app, a, o, filters, err) < 0)
		return err_wrap(err, "app %s", a->pod->name);
	set_number(app, "oom_score_adj", i->oom_score_adj);
	set_number(app, "cpu_shares", i->cpu_shares);
	set_number(app, "memory_bytes", i->memory_bytes);
	set_number(app, "cpu_milli", i->cpu_milli);
	set_command(app, "pre_start", a->app->pre_start);
	set_command(app, "post_stop", a->app->post_stop);
	if (notify && !strcmp(notify, "true"))
		json_object_set_new(app, "notify", json_true());
	return 0;
}
