/* SPDX-License-Identifier: Apache-2.0 */
/* Isolators: see isolator.h. */
#include "appc/isolator.h"

#include <string.h>

#include "appc/lenient.h"
#include "appc/quantity.h"
#include "base/alloc.h"
#include "base/cleanup.h"

#define SHARES_MIN 2
#define SHARES_MAX 262144
#define OOM_MAX    1000

void appc_isolators_done(struct appc_isolators *isolators)
{
	json_decref(isolators->values);
	*isolators = (struct appc_isolators){0};
}

/* ---- limits: {"request", "limit"} ------------------------------------------------------------- */

/* The "limit" as text; a bare JSON number is a quantity too. */
static int limit_text(const json_t *value, char **ret, struct err *err)
{
	const json_t *limit = lenient_get(value, "limit");
	if (!limit)
		return 0;
	if (json_is_string(limit))
		*ret = xstrdup(json_string_value(limit));
	else if (json_is_number(limit))
		*ret = json_dumps(limit, JSON_ENCODE_ANY);
	else
		return err_set(err, ERR_INVALID, "\"limit\" must be a quantity");
	return 1;
}

static int read_limit(const json_t *value, int (*parse)(const char *, int64_t *, struct err *),
	int64_t *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	int64_t v;
	int r = limit_text(value, &text, err);
	if (r <= 0)
		return r;
	if (parse(text, &v, err) < 0)
		return -1;
	if (v <= 0)
		return err_set(err, ERR_INVALID, "limit %s is not above zero", text);
	*ret = v;
	return 0;
}

static int read_memory(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_limit(value, quantity_value, &i->memory_bytes, err);
}

static int read_cpu(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_limit(value, quantity_milli, &i->cpu_milli, err);
}

/* ---- numbers and switches ---------------------------------------------------------------------- */

static int read_number(const json_t *value, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	int64_t v = json_integer_value(value);
	if (!json_is_integer(value) || v < min || v > max)
		return err_set(err, ERR_INVALID, "must be a number from %lld to %lld",
			(long long)min, (long long)max);
	*ret = v;
	return 0;
}

static int read_shares(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_number(value, SHARES_MIN, SHARES_MAX, &i->cpu_shares, err);
}

static int read_oom(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_number(value, -OOM_MAX, OOM_MAX, &i->oom_score_adj, err);
}

static int read_no_new_privileges(const json_t *value, struct appc_isolators *i, struct err *err)
{
	if (!json_is_boolean(value))
		return err_set(err, ERR_INVALID, "must be true or false");
	i->no_new_privileges = json_is_true(value);
	return 0;
}

/* ---- sets: {"set", "errno"} -------------------------------------------------------------------- */

static int read_set(
	const json_t *value, enum appc_set_kind kind, struct appc_set *set, struct err *err)
{
	json_t *names;
	size_t n;
	const json_t *name;
	if (set->kind != APPC_SET_NONE)
		return err_set(
			err, ERR_INVALID, "an app can have a retain-set or a remove-set, not both");
	if (lenient_array(value, "set", &names, err) < 0 ||
		lenient_str(value, "errno", &set->error_name, err) < 0)
		return -1;
	if (!json_array_size(names))
		return err_set(err, ERR_INVALID, "\"set\" must not be empty");
	json_array_foreach (names, n, name) {
		if (!json_string_length(name))
			return err_set(err, ERR_INVALID, "\"set\" must be an array of names");
	}
	set->kind = kind;
	set->names = names;
	return 0;
}

static int read_caps_retain(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_set(value, APPC_SET_RETAIN, &i->caps, err);
}

static int read_caps_remove(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_set(value, APPC_SET_REMOVE, &i->caps, err);
}

static int read_seccomp_retain(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_set(value, APPC_SET_RETAIN, &i->seccomp, err);
}

static int read_seccomp_remove(const json_t *value, struct appc_isolators *i, struct err *err)
{
	return read_set(value, APPC_SET_REMOVE, &i->seccomp, err);
}

/* ---- all of them ------------------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	int (*read)(const json_t *value, struct appc_isolators *i, struct err *err);
	bool once; /* two of them are an error; else the last one wins (contract 3.4) */
} kinds[] = {
	{APPC_ISOLATOR_MEMORY, read_memory, false},
	{APPC_ISOLATOR_CPU, read_cpu, false},
	{"os/linux/cpu-shares", read_shares, false},
	{"os/linux/oom-score-adj", read_oom, false},
	{"os/linux/no-new-privileges", read_no_new_privileges, false},
	{"os/linux/capabilities-retain-set", read_caps_retain, false},
	{"os/linux/capabilities-remove-set", read_caps_remove, false},
	{"os/linux/seccomp-retain-set", read_seccomp_retain, true},
	{"os/linux/seccomp-remove-set", read_seccomp_remove, true},
	/* parsed and ignored by every stage1 of rkt's */
	{"os/linux/selinux-context", NULL, false},
	{"os/unix/sysctl", NULL, false},
	{"resource/block-bandwidth", NULL, false},
	{"resource/block-iops", NULL, false},
	{"resource/network-bandwidth", NULL, false},
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int collect(const json_t *list, struct appc_isolators *isolators, struct err *err)
{
	size_t i;
	const json_t *v;
	json_array_foreach (list, i, v) {
		const char *name;
		if (lenient_str(v, "name", &name, err) < 0)
			return err_wrap(err, "\"isolators\"");
		const struct kind *kind = find_kind(name);
		if (!kind)
			return err_set(err, ERR_INVALID, "invalid isolator \"%s\"", name);
		if (kind->once && json_object_get(isolators->values, name))
			return err_set(err, ERR_INVALID, "isolator %s is given twice", name);
		json_t *value = lenient_get(v, "value");
		if (!isolators->values)
			isolators->values = json_object();
		json_object_set_new(
			isolators->values, name, value ? json_incref(value) : json_object());
	}
	return 0;
}

static int read_all(struct appc_isolators *isolators, struct err *err)
{
	const char *name;
	json_t *value;
	json_object_foreach (isolators->values, name, value) {
		const struct kind *kind = find_kind(name);
		if (kind && kind->read && kind->read(value, isolators, err) < 0)
			return err_wrap(err, "isolator %s", name);
	}
	return 0;
}

int appc_isolators_parse(const json_t *app, struct appc_isolators *ret, struct err *err)
{
	struct appc_isolators isolators = {0};
	json_t *list;
	if (lenient_array(app, "isolators", &list, err) < 0)
		return -1;
	if (collect(list, &isolators, err) < 0 || read_all(&isolators, err) < 0) {
		appc_isolators_done(&isolators);
		return -1;
	}
	*ret = isolators;
	return 0;
}
