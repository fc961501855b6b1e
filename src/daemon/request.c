/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as text and as a tree: see request.h. */
#include "daemon/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/spec.h"

static const struct request defaults = {
	.memory_kib = SPEC_MEMORY_KIB,
	.vcpus = SPEC_VCPUS,
	.grace_ms = SPEC_GRACE_MS,
	.policy = POLICY_NEVER,
	.burst = RESTART_LIMIT,
};

static void read_restart(struct request *r, const json_t *restart)
{
	int policy = restart_policy_from_name(json_str_opt(restart, "policy", "never"));
	r->policy = policy < 0 ? POLICY_NEVER : (enum pod_policy)policy;
	r->burst = (int)json_int_opt(restart, "limit", RESTART_LIMIT);
}

static void read_tree(struct request *r)
{
	const json_t *t = r->tree;
	const json_t *network = json_object_get(t, "network");
	r->dir = xstrdup(json_str_opt(t, "dir", ""));
	r->net = xstrdup(json_str_opt(t, "net", "none"));
	r->memory_kib = json_int_opt(t, "memory_kib", SPEC_MEMORY_KIB);
	r->vcpus = json_int_opt(t, "vcpus", SPEC_VCPUS);
	r->grace_ms = json_int_opt(json_object_get(t, "guest"), "grace_ms", SPEC_GRACE_MS);
	r->pv = !strcmp(json_str_opt(t, "type", "auto"), "pv");
	r->network = network;
	r->ports = json_array_size(json_object_get(network, "ports"));
	r->trees = json_array_size(json_object_get(t, "trees"));
	r->rebuilt = json_bool_opt(t, REQUEST_REBUILT, false);
	read_restart(r, json_object_get(t, "restart"));
}

struct request *request_new(json_t *tree)
{
	struct request *r = xcalloc(1, sizeof *r);
	r->tree = json_incref(tree);
	read_tree(r);
	return r;
}

/* ---- out of the text, without parsing it --------------------------------------------------------- */

static bool is(const struct json_member *m, const char *key)
{
	return m->key_len == strlen(key) && !memcmp(m->key, key, m->key_len);
}

static bool take_text(const struct json_member *m, char **ret)
{
	if (m->value[0] != '"' || memchr(m->value, '\\', m->value_len) || *ret)
		return false;
	*ret = xstrndup(m->value + 1, m->value_len - 2);
	return true;
}

static bool take_int(const struct json_member *m, int64_t *ret)
{
	char *end;
	long long v = strtoll(m->value, &end, 10);
	if (end != m->value + m->value_len)
		return false;
	*ret = v;
	return true;
}

static bool take_inner(const struct json_member *m, struct request *r)
{
	const char *at = m->value;
	bool guest = is(m, "guest");
	struct json_member inner;
	while (json_member_next(&at, &inner)) {
		if (guest && is(&inner, "grace_ms") && !take_int(&inner, &r->grace_ms))
			return false;
		if (!guest && is(&inner, "ports"))
			r->ports = inner.value_len > strlen("[]");
	}
	return at;
}

static bool take(const struct json_member *m, struct request *r)
{
	if (is(m, "dir"))
		return take_text(m, &r->dir);
	if (is(m, "net"))
		return take_text(m, &r->net);
	if (is(m, "memory_kib"))
		return take_int(m, &r->memory_kib);
	if (is(m, "vcpus"))
		return take_int(m, &r->vcpus);
	if (is(m, "type"))
		r->pv = m->value_len == strlen("\"pv\"") && !memcmp(m->value, "\"pv\"", 4);
	if (is(m, "trees"))
		r->trees = m->value_len > strlen("[]");
	if (is(m, "network"))
		r->network = true;
	if (is(m, "network") || is(m, "guest"))
		return take_inner(m, r);
	return !is(m, "restart") && !is(m, REQUEST_REBUILT); /* few have these: read_tree() */
}

/* False: it is not as plain as what json_text() writes of a request of ours. */
static bool read_text(struct request *r)
{
	const char *at = r->text;
	struct json_member m;
	while (json_member_next(&at, &m))
		if (!take(&m, r))
			return false;
	return at && !*at && r->dir && r->net;
}

struct request *request_from_text(const char *text, struct err *err)
{
	struct request *r = xcalloc(1, sizeof *r);
	*r = defaults;
	r->text = xstrdup(text);
	if (read_text(r))
		return r;
	free(r->dir);
	free(r->net);
	r->dir = r->net = NULL;
	r->tree = json_parse(text, strlen(text), "request", err);
	if (!r->tree) {
		request_free(r);
		return NULL;
	}
	read_tree(r);
	return r;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	json_decref(r->tree);
	free(r->text);
	free(r->dir);
	free(r->net);
	free(r);
}

json_t *request_tree(struct request *r)
{
	if (r && !r->tree)
		r->tree = json_parse(r->text, strlen(r->text), "request", NULL);
	return r ? r->tree : NULL;
}

void request_rest(struct request *r)
{
	if (!r || !r->tree)
		return;
	if (!r->text)
		r->text = json_text(r->tree);
	json_decref(r->tree);
	r->tree = NULL;
}
