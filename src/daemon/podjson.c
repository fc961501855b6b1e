/* SPDX-License-Identifier: Apache-2.0 */
/* What the API shows of pods, turns and the ledger. The request is never shown: it holds secrets.
 */
#include "daemon/podjson.h"

#include <string.h>

#include "base/json.h"
#include "daemon/seen.h"
#include "proto/netinfo.h"

/* null for "not there", so that scripts need no magic number. */
static json_t *int_or_null(int64_t v, int64_t none)
{
	return v == none ? json_null() : json_integer(v);
}

static json_t *app_json(const struct pod_app *a)
{
	bool ended = pod_app_ended(a);
	bool by_signal = pod_app_by_signal(a);
	return json_make("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "name", a->name, "state",
		pod_app_state_name(a), "code", int_or_null(ended && !by_signal ? a->code : -1, -1),
		"signal", int_or_null(by_signal ? a->code : -1, -1), "started",
		int_or_null(a->started_at, 0), "ended", int_or_null(a->ended_at, 0), "message",
		a->message);
}

static json_t *restart_json(const struct pod *p)
{
	const struct pod_core *c = &p->core;
	if (p->policy == POLICY_NEVER)
		return json_null();
	return json_make("{s:s, s:i, s:i, s:i, s:i, s:b, s:o}", "policy",
		restart_policy_name(p->policy), "limit", p->burst, "lives", c->lives, "starts",
		c->starts, "tries", c->tries, "given_up", (int)c->given_up, "next",
		int_or_null(c->state == POD_BACKOFF ? c->next_at : 0, 0));
}

static json_t *apps_json(const struct pod *p)
{
	json_t *apps = json_array();
	for (size_t i = 0; i < p->napps; i++)
		json_array_append_new(apps, app_json(&p->app[i]));
	return apps;
}

#define C            p->core
#define REQ(m, none) (p->request ? p->request->m : (none))

/* clang-format off */
/*	  member      value, for a `const struct pod *p` */
#define MEMBERS(X) \
	X(uuid,       json_string(p->uuid)) \
	X(state,      json_string(pod_state_name(C.state))) \
	X(word,       json_string(pod_state_word(C.state))) \
	X(want,       json_string(pod_want_name(C.want))) \
	X(generation, json_integer(C.generation)) \
	X(domid,      int_or_null(C.domid, -1)) \
	X(created,    int_or_null(p->created_at, 0)) \
	X(started,    int_or_null(C.started_at, 0)) \
	X(ended,      int_or_null(C.ended_at, 0)) \
	X(cause,      json_string(pod_cause_name(C.cause))) \
	X(message,    json_string(C.message)) \
	X(code,       int_or_null(C.code, -1)) \
	X(forced,     json_boolean(C.forced)) \
	X(apps,       apps_json(p)) \
	X(dir,        json_string(pod_dir(p))) \
	X(memory_kib, json_integer(REQ(memory_kib, 0))) \
	X(vcpus,      json_integer(REQ(vcpus, 0))) \
	X(net,        json_string(REQ(net, "none"))) \
	X(networks,   netinfo_of(p->nets)) \
	X(domain,     seen_json(p)) \
	X(restart,    restart_json(p))
/* clang-format on */

enum {
#define X(name, value) MEMBER_##name,
	MEMBERS(X)
#undef X
};

static bool is_named(const json_t *names, const char *name)
{
	size_t i;
	const json_t *v;
	json_array_foreach (names, i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), name))
			return true;
	return false;
}

unsigned podjson_members(const json_t *names)
{
	unsigned members = 0;
	if (!json_is_array(names))
		return PODJSON_ALL;
#define X(name, value) members |= is_named(names, #name) ? 1U << MEMBER_##name : 0;
	MEMBERS(X)
#undef X
	return members;
}

json_t *podjson_some(const struct pod *p, unsigned members)
{
	json_t *j = json_object();
#define X(name, value)                                                                             \
	if (members & 1U << MEMBER_##name)                                                         \
		json_object_set_new_nocheck(j, #name, value);
	MEMBERS(X)
#undef X
	return j;
}

#undef C
#undef REQ

json_t *podjson_pod(const struct pod *p)
{
	return podjson_some(p, PODJSON_ALL);
}

json_t *podjson_history(const struct history_row *h)
{
	return json_make("{s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:I}", "seq", (json_int_t)h->seq,
		"uuid", h->uuid, "at", (json_int_t)h->at, "event", h->event, "from", h->from, "to",
		h->to, "cause", h->cause, "domid", int_or_null(h->domid, -1), "generation",
		(json_int_t)h->generation);
}

json_t *podjson_turn(const struct turn_record *t)
{
	const struct pod_core *c = &t->pod->core;
	return json_make("{s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:I}", "seq",
		(json_int_t)t->history_seq, "uuid", t->pod->uuid, "at", (json_int_t)t->at, "event",
		t->event_name, "from", pod_state_name(t->from), "to", pod_state_name(t->to),
		"cause", t->detail[0] ? t->detail : pod_cause_name(t->cause), "domid",
		int_or_null(c->domid, -1), "generation", (json_int_t)c->generation);
}

json_t *podjson_ledger(const struct ledger_row *l)
{
	return json_make("{s:s, s:s, s:I, s:s}", "kind", l->kind, "name", l->name, "generation",
		(json_int_t)l->generation, "state", l->state);
}
