/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's queue and its batches: events in, shared commits, effects out. What one turn does is
 * turn.c; what an effect does is effects.c.
 */
#include "daemon/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/engine_int.h"
#include "daemon/messages.h"
#include "daemon/records.h"
#include "daemon/restart.h"

#define MS                  INT64_C(1000000)
#define COMMIT_RETRY_MS     100 /* first pause after a commit that did not happen; doubles */
#define COMMIT_RETRY_MAX_MS 5000

struct engine *engine_new(const struct engine_config *cfg)
{
	struct engine *e = xcalloc(1, sizeof *e);
	e->cfg = *cfg;
	e->pods = pods_new();
	e->queue_tail = &e->queue;
	e->ops_tail = &e->ops;
	e->waiting_tail = &e->waiting;
	e->barrier = true;
	return e;
}

static void qevents_free(struct qevent *q)
{
	while (q) {
		struct qevent *next = q->next;
		if (q->accept)
			pod_free(q->pod);
		qevent_free(q);
		q = next;
	}
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	qevents_free(e->queue);
	ops_free(e);
	pods_free(e->pods);
	deadlines_done(&e->deadlines);
	free(e);
}

void engine_set_hooks(struct engine *e, const struct engine_hooks *hooks)
{
	e->hooks = *hooks;
}

struct pods *engine_pods(struct engine *e)
{
	return e->pods;
}

const struct engine_config *engine_cfg(const struct engine *e)
{
	return &e->cfg;
}

int64_t engine_now(const struct engine *e)
{
	return e->cfg.boot_ns(e->cfg.clock);
}

bool engine_recovering(const struct engine *e)
{
	return e->barrier;
}

void engine_stats_get(const struct engine *e, struct engine_stats *ret)
{
	*ret = e->stats;
}

void engine_host_set(struct engine *e, const struct engine_host *host)
{
	e->host = host ? *host : (struct engine_host){0};
	if (host)
		memory_read(e);
}

const struct engine_host *engine_host(const struct engine *e)
{
	return e->host.total_kib > 0 ? &e->host : NULL;
}

/* ---- queue -------------------------------------------------------------------------------- */

static struct qevent *enqueue(
	struct engine *e, struct pod *p, enum pod_event event, const struct event_args *args)
{
	struct qevent *q = xcalloc(1, sizeof *q);
	q->pod = p;
	q->event = event;
	q->since = engine_now(e);
	q->args = args ? *args : (struct event_args){.domid = -1};
	if (q->args.message)
		snprintf(q->message, sizeof q->message, "%s", q->args.message);
	q->args.message = q->message;
	if (q->args.console)
		q->args.console = q->console = xstrdup(q->args.console);
	json_incref(q->args.nets);
	json_incref(q->args.request);
	*e->queue_tail = q;
	e->queue_tail = &q->next;
	if (++e->stats.queue > e->stats.queue_max)
		e->stats.queue_max = e->stats.queue;
	return q;
}

void engine_post(
	struct engine *e, struct pod *p, enum pod_event event, const struct event_args *args)
{
	enqueue(e, p, event, args);
}

void engine_accept(
	struct engine *e, struct pod *p, void (*done)(void *ctx, const struct err *err), void *ctx)
{
	struct event_args args = {.domid = -1, .done = done, .done_ctx = ctx};
	enqueue(e, p, EV_NONE, &args)->accept = true;
}

/* Who waits for plugins holds no place: those of a few must not keep all others from starting. */
static bool is_starting(const struct pod *p, enum pod_state s)
{
	if (s == POD_NETWORKING && pod_has_network(p))
		return false;
	return s >= POD_EXPORTING && s <= POD_UNPAUSING;
}

static bool is_networking(const struct pod *p, enum pod_state s)
{
	return pod_has_network(p) && (s == POD_EXPORTING || s == POD_NETWORKING);
}

/* Takes the pod at `at` out of the line. */
static void unwait(struct engine *e, struct pod **at)
{
	struct pod *p = *at;
	*at = p->wait_next;
	if (!*at)
		e->waiting_tail = at;
	p->waits_admission = false;
}

static void unwait_pod(struct engine *e, const struct pod *p)
{
	struct pod **at = &e->waiting;
	if (!p->waits_admission)
		return;
	while (*at != p)
		at = &(*at)->wait_next;
	unwait(e, at);
}

/* Keeps the number of starts under way and the line of those that wait for a place. */
static void account_start(
	struct engine *e, enum pod_state before, enum pod_state after, struct pod *p)
{
	e->starting += (int)is_starting(p, after) - (int)is_starting(p, before);
	e->networking += (int)is_networking(p, after) - (int)is_networking(p, before);
	if (after != POD_ACCEPTED || before == POD_ACCEPTED)
		return;
	*e->waiting_tail = p;
	e->waiting_tail = &p->wait_next;
	p->wait_next = NULL;
	p->waits_admission = true;
}

void engine_coldplug(struct engine *e, struct pod *p)
{
	pods_add(e->pods, p);
	deadlines_set(&e->deadlines, p, p->core.deadline_ns);
	if (p->core.deadline_ns)
		p->core.next_at =
			e->cfg.wall_ns(e->cfg.clock) + p->core.deadline_ns - engine_now(e);
	account_start(e, POD_GONE, p->core.state, p);
	memory_count(e, p);
}

void engine_release_barrier(struct engine *e)
{
	e->barrier = false;
}

static struct qevent *dequeue(struct engine *e)
{
	struct qevent *q = e->queue;
	e->queue = q->next;
	if (!e->queue)
		e->queue_tail = &e->queue;
	q->next = NULL;
	e->stats.queue--;
	return q;
}

/* Turns whose commit failed go back to the front, in their old order. */
static void requeue(struct engine *e, struct turn *turns, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		struct qevent *q = turns[i].ev;
		q->next = e->queue;
		if (!e->queue)
			e->queue_tail = &q->next;
		e->queue = q;
		e->stats.queue++;
	}
}

/* A pod that goes away takes its queued events along. */
static void drop_events_of(struct engine *e, const struct pod *p)
{
	struct qevent **at = &e->queue;
	while (*at) {
		struct qevent *q = *at;
		if (q->pod != p) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		e->stats.queue--;
		_cleanup_err_ struct err gone = {0};
		err_set(&gone, ERR_NOTFOUND, "pod %s is gone", p->uuid);
		if (q->args.done)
			q->args.done(q->args.done_ctx, &gone);
		qevent_free(q);
	}
	e->queue_tail = at;
}

/* ---- after the commit --------------------------------------------------------------------- */

static void publish(struct engine *e, const struct turn *t)
{
	const struct pod *p = t->ev->pod;
	struct turn_record rec = {
		.pod = p,
		.history_seq = t->history_seq,
		.at = t->at,
		.event = t->update.event,
		.event_name = t->ev->accept ? "accept" : pod_event_name(t->update.event),
		.from = t->before.state,
		.to = t->update.next,
		.cause = t->cause,
		.detail = t->ev->message,
	};
	records_turn(e, &rec);
	if (e->hooks.turn)
		e->hooks.turn(e->hooks.ctx, &rec);
}

void engine_check_quiet(struct engine *e, struct pod *p)
{
	if (p->core.state != POD_DYING || p->quiet_posted || !pod_quiet(p))
		return;
	p->quiet_posted = true;
	engine_post(e, p, EV_QUIET, NULL);
}

static void forget(struct engine *e, struct pod *p)
{
	if (e->hooks.forget)
		e->hooks.forget(e->hooks.ctx, p);
	op_cancel(e, p);
	unwait_pod(e, p);
	memory_uncount(e, p);
	drop_events_of(e, p);
	deadlines_set(&e->deadlines, p, 0);
	pods_remove(e->pods, p);
	pod_free(p);
}

static void after_commit(struct engine *e, struct turn *t)
{
	struct pod *p = t->ev->pod;
	if (t->ev->accept) {
		turn_unfresh(e, p);
		pods_add(e->pods, p);
	}
	if (t->before.state == POD_DYING && t->update.next != POD_DYING)
		p->quiet_posted = false;
	if (t->life_before)
		p->guest_seq = 0;
	restart_done(t->life_before);
	deadlines_set(&e->deadlines, p, p->core.deadline_ns);
	/* Not core.state: a later turn of the same commit may have moved on. */
	account_start(e, t->ev->accept ? POD_GONE : t->before.state, t->update.next, p);
	if (t->history_seq && t->ev->args.nets)
		pod_set_nets(p, t->ev->args.nets);
	if (t->history_seq)
		publish(e, t);
	if (t->ev->args.done)
		t->ev->args.done(t->ev->args.done_ctx, NULL);
	for (int i = 0; i < POD_EFFECTS_MAX && t->update.effects[i] != FX_NONE; i++)
		effect_run(e, p, t->update.effects[i], t->outbox[i]);
	engine_check_quiet(e, p);
	if (pod_state_final(t->update.next)) /* the last turn of the pod, here as well */
		forget(e, p);
	else
		pod_rest(p);
}

static void refuse(struct engine *e, struct turn *t)
{
	/* What it followed was undone and did not come again. */
	if (t->ev->event == EV_QUIET)
		t->ev->pod->quiet_posted = false;
	if (t->ev->args.done)
		t->ev->args.done(t->ev->args.done_ctx, &t->refused);
	if (t->ev->accept)
		pod_free(t->ev->pod);
	err_done(&t->refused);
	(void)e;
}

/* ---- batches ------------------------------------------------------------------------------ */

/* A damaged store is not the turn's fault, either: who runs us ends, and the next one sees to it. */
static bool is_transient(const struct engine *e, const struct err *err)
{
	return store_retryable(err->code) || store_damaged(e->cfg.store);
}

/*
 * Makes turns out of the queue until it is empty or the batch is full. A turn that the store
 * refuses for its content is set aside alone: the others go on (design, "One turn", 5).
 */
static int make_turns(struct engine *e, struct turn *turns, struct err *err)
{
	int n = 0;
	while (e->queue && n < ENGINE_BATCH) {
		struct turn *t = &turns[n];
		*t = (struct turn){.ev = dequeue(e)};
		n++;
		_cleanup_err_ struct err why = {0};
		if (turn_make(e, t, &why) == 0) {
			/* Nothing holds it: that it is quiet can be of the same commit. */
			engine_check_quiet(e, t->ev->pod);
			continue;
		}
		if (!t->denied && is_transient(e, &why)) {
			err_move(err, &why);
			return -n;
		}
		if (why.code == ERR_STORE) {
			e->stats.rejected++;
			log_about(LOG_LVL_ERR, MSG_POD_ASIDE, t->ev->pod->uuid,
				"pod %s: event %s cannot be stored, the pod is set aside: %s",
				t->ev->pod->uuid, pod_event_name(t->ev->event), err_msg(&why));
		}
		err_move(&t->refused, &why);
	}
	return n;
}

static void commit_failed(struct engine *e, struct turn *turns, int n, const struct err *err)
{
	for (int i = n - 1; i >= 0; i--)
		if (!turns[i].refused.msg)
			turn_undo(e, &turns[i]);
	for (int i = 0; i < n; i++)
		err_done(&turns[i].refused);
	requeue(e, turns, n);
	int64_t ms = COMMIT_RETRY_MS << (e->retries < 6 ? e->retries : 6);
	if (ms > COMMIT_RETRY_MAX_MS)
		ms = COMMIT_RETRY_MAX_MS;
	if (!e->stats.store_failing)
		log_about(LOG_LVL_ERR, MSG_STORE_FULL, NULL,
			"the store cannot be written, everything waits and is tried again: %s",
			err_msg(err));
	e->retries++;
	e->retry_at = engine_now(e) + ms * MS;
	e->stats.commit_retries++;
	e->stats.store_failing = true;
	snprintf(e->stats.store_error, sizeof e->stats.store_error, "%s", err_msg(err));
	requests_refuse_late(e, err);
}

static void committed(struct engine *e, struct turn *turns, int n)
{
	if (e->stats.store_failing)
		log_about(LOG_LVL_NOTICE, MSG_STORE_WRITABLE, NULL, "the store can be written");
	e->retries = 0;
	e->retry_at = 0;
	e->stats.store_failing = false;
	e->stats.commits++;
	storecare_fold(&e->fold, e->cfg.store, e->cfg.worker);
	for (int i = 0; i < n; i++) {
		e->stats.turns++;
		if (turns[i].refused.msg)
			refuse(e, &turns[i]);
		else
			after_commit(e, &turns[i]);
		qevent_free(turns[i].ev);
	}
}

static void run_batch(struct engine *e)
{
	static struct turn turns[ENGINE_BATCH]; /* one engine runs at a time; large for a stack */
	_cleanup_err_ struct err err = {0};
	int64_t began = engine_now(e);
	if (store_begin(e->cfg.store, &err) < 0) {
		commit_failed(e, turns, 0, &err);
		return;
	}
	int n = make_turns(e, turns, &err);
	if (n < 0) {
		store_rollback(e->cfg.store);
		commit_failed(e, turns, -n, &err);
		return;
	}
	if (store_commit(e->cfg.store, &err) < 0) {
		commit_failed(e, turns, n, &err);
		return;
	}
	committed(e, turns, n);
	int64_t took = engine_now(e) - began;
	if (took > e->stats.stall_max_ns)
		e->stats.stall_max_ns = took;
}

/* ---- time and admission ------------------------------------------------------------------- */

static void post_expired(struct engine *e, int64_t now)
{
	struct pod *p;
	while ((p = deadlines_first(&e->deadlines)) && p->heap_due <= now) {
		struct event_args args = {.domid = -1, .due_ns = p->heap_due};
		deadlines_set(&e->deadlines, p, 0);
		engine_post(e, p, EV_DEADLINE, &args);
	}
}

/*
 * First come, first served; a bounded number at a time, so that starts do not starve each other. Who
 * waits for memory that is coming back lets others pass (memory_check() has seen to it that there will
 * be enough for all), and so does who waits for plugins.
 */
static void admit(struct engine *e)
{
	int free_places = e->cfg.max_starts - e->starting;
	int free_plugins = plugin_places(e) - e->networking;
	int64_t admitted_kib = 0;
	struct pod **at = &e->waiting;
	while (*at && free_places > 0) {
		struct pod *p = *at;
		bool there = p->core.state == POD_ACCEPTED;
		bool networked = pod_has_network(p);
		if (there &&
			((networked && free_plugins <= 0) || memory_waits(e, p, admitted_kib))) {
			at = &p->wait_next;
			continue;
		}
		unwait(e, at);
		if (!there)
			continue;
		engine_post(e, p, EV_ADMIT, NULL);
		admitted_kib += memory_need(p);
		free_plugins -= networked;
		free_places--;
	}
}

int64_t engine_run(struct engine *e)
{
	int64_t now = engine_now(e);
	if (e->retry_at > now)
		return e->retry_at - now;
	if (!e->barrier)
		post_expired(e, now);
	if (e->queue)
		run_batch(e);
	if (!e->barrier) {
		if (!e->queue) /* else an admission may be among what waits: it would count twice */
			admit(e);
		ops_pump(e);
	}
	if (e->queue)
		return e->retry_at ? e->retry_at - engine_now(e) : 0;
	struct pod *p = e->barrier ? NULL : deadlines_first(&e->deadlines);
	if (!p)
		return -1;
	int64_t left = p->heap_due - engine_now(e);
	return left > 0 ? left : 0;
}
