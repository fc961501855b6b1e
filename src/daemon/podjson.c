/* SPDX-License-Identifier: Apache-2.0 */
/* What the API shows of pods, turns and the ledger. The request is never shown: it holds secrets.
 */
#include "daemon/podjson.h"

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

json_t *podjson_pod(const struct pod *p)
{
	const struct pod_core *c = &p->core;
	json_t *apps = json_array();
	for (size_t i = 0; i < p->napps; i++)
		json_array_append_new(apps, app_json(&p->app[i]));
	json_t *j = json_make(
		"{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:o}", "uuid",
		p->uuid, "state", pod_state_name(c->state), "word", pod_state_word(c->state),
		"want", pod_want_name(c->want), "generation", (json_int_t)c->generation, "domid",
		int_or_null(c->domid, -1), "created", int_or_null(p->created_at, 0), "started",
		int_or_null(c->started_at, 0), "ended", int_or_null(c->ended_at, 0), "cause",
		pod_cause_name(c->cause), "message", c->message, "code", int_or_null(c->code, -1),
		"forced", (int)c->forced, "apps", apps);
	json_object_set_new(j, "dir", json_string(pod_dir(p)));
	const struct request *r = p->request;
	json_object_set_new(j, "memory_kib", json_integer(r ? r->memory_kib : 0));
	json_object_set_new(j, "vcpus", json_integer(r ? r->vcpus : 0));
	json_object_set_new(j, "net", json_string(r ? r->net : "none"));
	json_object_set_new(j, "networks", netinfo_of(p->nets));
	json_object_set_new(j, "domain", seen_json(p));
	json_object_set_new(j, "restart", restart_json(p));
	return j;
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
