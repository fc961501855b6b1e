/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn: guard, pure step, the new record in memory, its rows in the open transaction. The one
 * writer of `core.state`. Nothing is done to the world here.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/engine_int.h"
#include "daemon/ports.h"
#include "daemon/restart.h"

#define MS INT64_C(1000000)

/* ---- the new record ----------------------------------------------------------------------- */

static enum pod_cause cause_now(const struct pod *p, enum pod_state from, enum pod_event event,
	const struct event_args *args)
{
	enum pod_cause said = args->cause ? args->cause : pod_cause_of(from, event);
	enum pod_cause now = pod_cause_now(from, p->core.cause, said);
	/* The guest says that the pod ends; its apps say why, before that or after. */
	return now == CAUSE_FINISHED && pod_out_of_memory(p) ? CAUSE_OOM : now;
}

static void apply_app(struct pod *p, const struct event_args *args, int64_t wall)
{
	struct pod_app *a = &p->app[args->app];
	const struct gstate *g = &args->gstate;
	if (!a->started_at)
		a->started_at = wall;
	a->kind = g->kind;
	a->seq = g->seq;
	a->code = g->code;
	snprintf(a->message, sizeof a->message, "%s", g->text);
	if (pod_app_ended(a) && !a->ended_at)
		a->ended_at = wall;
}

/* What an event says about the pod beyond its state. */
static void apply(struct pod *p, enum pod_event event, const struct event_args *args, int64_t wall)
{
	struct pod_core *c = &p->core;
	switch (event) {
	case EV_STOP:
		c->want = restart_want(p, args->cause);
		break;
	case EV_KILL:
		c->want = WANT_DOWN;
		c->forced = true;
		break;
	case EV_UNWANTED:
		if (args->domid < 0)
			break;
		/* Created, but stopped meanwhile: what is destroyed next has a name. */
		__attribute__((fallthrough));
	case EV_CREATED:
		c->domid = args->domid;
		c->qemu_pid = args->qemu_pid;
		c->qemu_start = args->qemu_start;
		break;
	case EV_GUEST_RUNNING:
		if (!c->started_at)
			c->started_at = wall;
		break;
	case EV_GUEST_APP:
		apply_app(p, args, wall);
		break;
	case EV_GUEST_DONE:
		c->code = args->code;
		break;
	case EV_QUIET:
	case EV_HOST_REBOOT:
		c->domid = -1;
		c->qemu_pid = c->qemu_start = 0;
		break;
	case EV_COLLECTED:
	case EV_COLLECTED_FAILED:
	case EV_COLLECTED_AGAIN:
		c->ended_at = wall;
		break;
	default:
		break;
	}
}

static void set_deadline(struct engine *e, const struct turn *t, struct pod_core *c)
{
	int64_t ms = t->update.deadline_ms;
	if (ms < 0)
		return;
	c->deadline_ns = ms ? engine_now(e) + ms * MS : 0;
	c->next_at = ms ? t->at + ms * MS : 0;
}

static void step(struct engine *e, struct turn *t)
{
	struct pod *p = t->ev->pod;
	struct pod_core *c = &p->core;
	const struct event_args *args = &t->ev->args;
	enum pod_state from = c->state;
	t->at = e->cfg.wall_ns(e->cfg.clock);
	apply(p, t->update.event, args, t->at);
	restart_apply(e, t);
	enum pod_cause cause = cause_now(p, from, t->update.event, args);
	/* It is the cause's: what is said of an event that ends nothing is in the history alone. */
	if (t->ev->message[0] && cause != CAUSE_NONE && (cause != c->cause || !c->message[0]))
		snprintf(c->message, sizeof c->message, "%s", t->ev->message);
	c->cause = t->cause = cause;
	c->deadlines = t->update.next == from ? c->deadlines + (t->update.event == EV_DEADLINE) : 0;
	c->state = t->update.next;
	if (c->state == POD_CREATING && from != POD_CREATING)
		c->generation++;
	c->seq++;
	if (t->ev->accept) {
		p->fresh_next = e->fresh;
		e->fresh = p;
	}
	set_deadline(e, t, c);
	memory_count(e, p);
}

/* ---- its rows ----------------------------------------------------------------------------- */

/* What an effect or a completion means for the ledger; per_domain: one row each generation. */
static const struct {
	enum pod_effect intends;
	enum pod_event holds, releases;
	const char *kind;
	bool per_domain;
	bool outlives_boot; /* files: of the rest nothing is there after a reboot */
} ledger_rules[] = {
	{FX_EXPORT, EV_EXPORTED, EV_CLEARED, "exports", false, false},
	{FX_EXPORT, EV_EXPORTED, EV_CLEARED, "cgroup", false, false},
	{FX_CREATE, EV_CREATED, EV_QUIET, "domain", true, false}, /* destroyed by whomever */
	{FX_CREATE, EV_CREATED, EV_QUIET, "qemu", true, false},
	{FX_CREATE, EV_CREATED, EV_RELEASED, "log", false, true},
	{FX_NETWORK, EV_NETWORKED, EV_RELEASED, "network", false, true},
};

static bool has_effect(const struct pod_update *u, enum pod_effect fx)
{
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		if (u->effects[i] == fx)
			return true;
	return false;
}

static const char *ledger_state(const struct pod_update *u, size_t rule)
{
	if (u->event == ledger_rules[rule].holds)
		return "held";
	if (u->event == ledger_rules[rule].releases)
		return "released";
	if (u->event == EV_HOST_REBOOT)
		return ledger_rules[rule].outlives_boot ? NULL : "released";
	if (has_effect(u, ledger_rules[rule].intends))
		return "intended";
	return NULL;
}

static int write_ledger(struct engine *e, const struct turn *t, struct err *err)
{
	const struct pod *p = t->ev->pod;
	for (size_t i = 0; i < ARRAY_SIZE(ledger_rules); i++) {
		if (ledger_rules[i].intends == FX_NETWORK && !pod_has_network(p))
			continue;
		const char *state = ledger_state(&t->update, i);
		int64_t generation = ledger_rules[i].per_domain ? p->core.generation : 0;
		if (state && store_ledger_put(e->cfg.store, p->uuid, generation,
				     ledger_rules[i].kind, p->uuid, state, err) < 0)
			return -1;
	}
	return 0;
}

static bool asks_async(const struct pod_update *u)
{
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		if (pod_effect_done(u->effects[i]) != EV_NONE)
			return true;
	return false;
}

static int write_outbox(struct engine *e, struct turn *t, struct err *err)
{
	const struct pod *p = t->ev->pod;
	if (t->ev->args.outbox && store_outbox_delete(e->cfg.store, t->ev->args.outbox, err) < 0)
		return -1;
	/* One asynchronous effect at a time: a new one takes the place of what was under way. */
	if (asks_async(&t->update) && store_outbox_clear(e->cfg.store, p->uuid, err) < 0)
		return -1;
	for (int i = 0; i < POD_EFFECTS_MAX && t->update.effects[i] != FX_NONE; i++) {
		/* A synchronous effect follows from the state: coldplug repeats it without a row.
		 */
		if (pod_effect_done(t->update.effects[i]) == EV_NONE)
			continue;
		struct outbox_row r = {
			.generation = p->core.generation,
			.seq = p->core.seq,
			.ord = i,
		};
		memcpy(r.uuid, p->uuid, sizeof r.uuid);
		const char *name = pod_effect_name(t->update.effects[i]);
		memcpy(&r.effect, &name, sizeof name); /* borrowed: the store only reads */
		if (store_outbox_add(e->cfg.store, &r, &t->outbox[i], err) < 0)
			return -1;
	}
	return 0;
}

static int write_history(struct engine *e, struct turn *t, struct err *err)
{
	const struct pod *p = t->ev->pod;
	const char *text[4] = {
		t->ev->accept ? "accept" : pod_event_name(t->update.event),
		pod_state_name(t->before.state),
		pod_state_name(t->update.next),
		t->ev->message[0] ? t->ev->message : pod_cause_name(p->core.cause),
	};
	struct history_row h = {
		.at = t->at,
		.domid = p->core.domid,
		.generation = p->core.generation,
	};
	memcpy(h.uuid, p->uuid, sizeof h.uuid);
	memcpy(&h.event, &text[0], sizeof text[0]); /* borrowed, as above */
	memcpy(&h.from, &text[1], sizeof text[1]);
	memcpy(&h.to, &text[2], sizeof text[2]);
	memcpy(&h.cause, &text[3], sizeof text[3]);
	return store_history_add(e->cfg.store, &h, &t->history_seq, err);
}

static int write_apps(struct engine *e, const struct turn *t, struct err *err)
{
	const struct pod *p = t->ev->pod;
	for (size_t i = 0; i < p->napps; i++) {
		bool all = t->ev->accept || t->update.event == EV_HANDED_OVER;
		if (!all && (t->update.event != EV_GUEST_APP || (size_t)t->ev->args.app != i))
			continue;
		struct app_row a;
		pod_app_to_row(p, i, &a);
		if (store_app_put(e->cfg.store, p->uuid, &a, err) < 0)
			return -1;
	}
	return 0;
}

static int write_pod(struct engine *e, const struct turn *t, struct err *err)
{
	struct pod_row row;
	pod_to_row(t->ev->pod, e->cfg.boot_id, &row);
	if (!t->ev->accept)
		return store_pod_update(e->cfg.store, &row, err);
	_cleanup_free_ char *request = json_text(pod_request(t->ev->pod));
	row.request = request;
	return store_pod_insert(e->cfg.store, &row, err);
}

static int write_nets(struct engine *e, const struct turn *t, struct err *err)
{
	/* Also of a start that is not wanted any more: it is given back by what the plugins said. */
	if (!t->ev->args.nets)
		return 0;
	_cleanup_free_ char *text = json_text(t->ev->args.nets);
	return store_networks_put(e->cfg.store, t->ev->pod->uuid, text, err);
}

static int write_rows(struct engine *e, struct turn *t, struct err *err)
{
	/* The row itself goes with the last turn; history stays. */
	if (has_effect(&t->update, FX_FORGET)) {
		if (write_history(e, t, err) < 0)
			return -1;
		return store_pod_delete(e->cfg.store, t->ev->pod->uuid, err);
	}
	if (write_pod(e, t, err) < 0 || write_apps(e, t, err) < 0 || write_history(e, t, err) < 0)
		return -1;
	if (write_outbox(e, t, err) < 0)
		return -1;
	if (t->ev->console &&
		store_console_put(e->cfg.store, t->ev->pod->uuid, t->ev->console, err) < 0)
		return -1;
	if (write_nets(e, t, err) < 0 || restart_write(e, t, err) < 0)
		return -1;
	return write_ledger(e, t, err);
}

/* ---- the turn ----------------------------------------------------------------------------- */

void turn_unfresh(struct engine *e, const struct pod *p)
{
	struct pod **at = &e->fresh;
	while (*at && *at != p)
		at = &(*at)->fresh_next;
	if (*at)
		*at = p->fresh_next;
}

void turn_undo(struct engine *e, struct turn *t)
{
	struct pod *p = t->ev->pod;
	p->core = t->before;
	if (t->life_before)
		restart_undo(p, t->life_before);
	t->life_before = NULL;
	if (t->ev->accept)
		turn_unfresh(e, p);
	if (t->update.event == EV_GUEST_APP)
		p->app[t->ev->args.app] = t->app_before;
	if (t->ev->accept)
		memory_uncount(e, p);
	else
		memory_count(e, p);
}

static int unlisted(struct engine *e, const struct turn *t, struct err *err)
{
	const struct pod *p = t->ev->pod;
	e->stats.unlisted++;
	return err_set(err, ERR_STATE, "pod %s is %s (%s): %s is not possible now", p->uuid,
		pod_state_word(p->core.state), pod_state_name(p->core.state),
		pod_event_name(t->update.event));
}

/* A completion that came too late to matter: its outbox row is answered, nothing else changes. */
static int answer_only(struct engine *e, struct turn *t, struct err *err)
{
	t->update.event = EV_NONE;
	return store_outbox_delete(e->cfg.store, t->ev->args.outbox, err);
}

/*
 * What stood before it in the queue has been done in time and has set another deadline, or none:
 * this one was the old state's.
 */
static bool is_stale(const struct turn *t)
{
	return t->ev->event == EV_DEADLINE && t->ev->args.due_ns != t->ev->pod->core.deadline_ns;
}

/* Who was running has not failed to start, but for the next start of a pod that comes back. */
static bool has_failed(const struct pod *p)
{
	enum pod_cause c = p->core.cause;
	return pod_cause_failed(c) && (!p->core.started_at || c == CAUSE_RESTART_FAILED);
}

static void decide(struct engine *e, struct turn *t)
{
	struct pod *p = t->ev->pod;
	struct pod_facts facts = {
		.want = p->core.want,
		.failed = has_failed(p),
		.started = p->core.started_at != 0,
		.grace_ms = p->request ? p->request->grace_ms : SPEC_GRACE_MS,
		.deadlines = p->core.deadlines,
	};
	restart_facts(e, t, &facts);
	if (t->ev->accept)
		t->update = (struct pod_update){.listed = true,
			.next = POD_ACCEPTED,
			.deadline_ms = pod_state_deadline_ms(POD_ACCEPTED)};
	else
		pod_step(p->core.state, t->ev->event, &facts, &t->update);
	if (is_stale(t))
		t->update.listed = false;
}

/* Not, or not now: nothing is made of it. */
static bool is_denied(struct engine *e, const struct pod *p, struct err *err)
{
	if (e->closing)
		return err_set(err, ERR_STATE,
			       "the host is being shut down: no pod is started any more (xenpod "
			       "start --all calls that off)") < 0;
	return memory_check(e, p, err) < 0 || ports_check(e, p, err) < 0;
}

int turn_make(struct engine *e, struct turn *t, struct err *err)
{
	struct pod *p = t->ev->pod;
	t->before = p->core;
	decide(e, t);
	if (t->update.event == EV_GUEST_APP)
		t->app_before = p->app[t->ev->args.app];
	if (!t->update.listed)
		return t->ev->args.outbox ? answer_only(e, t, err) : unlisted(e, t, err);
	if (t->ev->accept && pods_find(e->pods, p->uuid))
		return err_set(err, ERR_EXISTS, "pod %s exists already", p->uuid);
	if (t->update.event == EV_HANDED_OVER)
		t->life_before = restart_renew(p, t->ev->args.request);
	t->denied = (t->ev->accept || t->life_before) && is_denied(e, p, err);
	if (t->denied || store_savepoint(e->cfg.store, err) < 0) {
		if (t->life_before)
			restart_undo(p, t->life_before);
		t->life_before = NULL;
		return -1;
	}
	step(e, t);
	if (write_rows(e, t, err) == 0 && store_savepoint_release(e->cfg.store, err) == 0)
		return 0;
	store_savepoint_rollback(e->cfg.store);
	turn_undo(e, t);
	return -1;
}
