/* SPDX-License-Identifier: Apache-2.0 */
/* Orphaned domains, from the first look to the end: see orphans.h. */
#include "daemon/orphans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/messages.h"
#include "daemon/orphans_int.h"

#define SECOND      INT64_C(1000000000)
#define APART       (5 * SECOND)   /* looks nearer to each other than this count as one */
#define ASK_WAIT    (30 * SECOND)  /* for an answer to our own list */
#define LATE        (240 * SECOND) /* a helper that takes longer is killed; as a pod's clear */
#define RETRY       (60 * SECOND)  /* doubled each time, RETRY_STEPS times */
#define RETRY_STEPS 6

struct orphans *orphans_new(const struct orphans_config *cfg)
{
	struct orphans *o = xcalloc(1, sizeof *o);
	o->cfg = *cfg;
	o->tail = &o->items;
	return o;
}

static void drop(struct orphans *o, struct orphan_item **at)
{
	struct orphan_item *i = *at;
	*at = i->next;
	fd_close(&i->lock_fd);
	if (!*at)
		o->tail = at;
	free(i);
}

void orphans_free(struct orphans *o)
{
	if (!o)
		return;
	while (o->items)
		drop(o, &o->items);
	free(o);
}

static struct orphan_item *append(struct orphans *o, const struct orphan *seen)
{
	struct orphan_item *i = xcalloc(1, sizeof *i);
	i->of = o;
	i->seen = *seen;
	i->lock_fd = -1;
	*o->tail = i;
	o->tail = &i->next;
	return i;
}

static struct orphan_item *find(struct orphans *o, const struct orphan *seen)
{
	struct orphan_item *i = o->items;
	while (i && (i->seen.domid != seen->domid || i->seen.generation != seen->generation ||
			    strcmp(i->seen.uuid, seen->uuid) != 0))
		i = i->next;
	return i;
}

int64_t orphans_due(const struct orphan_item *i)
{
	int64_t grace = i->asked ? 0 : i->of->cfg.grace_ns;
	int64_t due = i->since_ns + (grace > APART ? grace : APART);
	return due > i->not_before ? due : i->not_before;
}

/* ---- what was decided before a crash ---------------------------------------------------------- */

static int load(void *ctx, const struct orphan_row *r)
{
	struct orphans *o = ctx;
	struct orphan seen = {
		.domid = r->domid, .generation = r->generation, .marked = true, .state = "unknown"};
	memcpy(seen.uuid, r->uuid, sizeof seen.uuid);
	struct orphan_item *i = append(o, &seen);
	i->orphaned = i->decided = true;
	i->since_wall = r->since;
	snprintf(i->why, sizeof i->why, "%s", r->why);
	/* Another boot: no domain of before is there, and its number says nothing. */
	if (strcmp(r->boot_id, engine_cfg(o->cfg.engine)->boot_id) != 0) {
		i->lost = true;
		i->step = ORPHAN_DONE;
		snprintf(i->error, sizeof i->error, "the host was started anew");
	}
	return 0;
}

void orphans_set_grace(struct orphans *o, int64_t ns)
{
	o->cfg.grace_ns = ns;
}

int orphans_load(struct orphans *o, struct err *err)
{
	return store_orphans(engine_cfg(o->cfg.engine)->store, load, o, err);
}

/* ---- looks ------------------------------------------------------------------------------------ */

/* "In a row": who is missing from one list begins anew. */
static void drop_unseen(struct orphans *o)
{
	struct orphan_item **at = &o->items;
	while (*at) {
		struct orphan_item *i = *at;
		if (i->decided || i->audit == o->audit) {
			at = &i->next;
			continue;
		}
		if (i->audits)
			log_pod(LOG_LVL_NOTICE, i->seen.uuid,
				"domain %lld of pod %s is gone by itself", (long long)i->seen.domid,
				i->seen.uuid);
		drop(o, at);
	}
}

void orphans_listed(struct orphans *o)
{
	const struct orphan *list = NULL;
	size_t n = sensors_orphans(o->cfg.sensors, &list);
	o->audit++;
	for (size_t k = 0; k < n; k++) {
		struct orphan_item *i = find(o, &list[k]);
		if (!i)
			i = append(o, &list[k]);
		i->seen = list[k];
		i->audit = o->audit;
	}
	drop_unseen(o);
	/* Judged by orphans_run, when what the list has told of pods is committed. */
	o->unjudged = true;
}

static void look_at(struct orphans *o, struct orphan_item *i, int64_t now)
{
	i->orphaned = orphan_judge(o, i);
	i->judged_ns = now;
	i->asked |= o->asking;
	if (!i->orphaned) {
		i->audits = 0;
		return;
	}
	if (i->audits++)
		return;
	i->since_ns = now;
	i->since_wall = orphan_wall(o);
	log_about(LOG_LVL_NOTICE, MSG_ORPHAN_SEEN, i->seen.uuid,
		"domain %lld (pod %s, generation %lld, %s) has the mark of this store, but %s: "
		"it will be destroyed in %lld s if that stays so",
		(long long)i->seen.domid, i->seen.uuid, (long long)i->seen.generation,
		i->seen.state, i->why, (long long)((orphans_due(i) - now) / SECOND));
}

static void look(struct orphans *o, int64_t now)
{
	o->unjudged = false;
	for (struct orphan_item *i = o->items; i; i = i->next)
		if (!i->decided)
			look_at(o, i, now);
	o->asking = false;
}

static void ask_list(struct orphans *o, int64_t now)
{
	o->asked_at = now;
	sensors_list(o->cfg.sensors);
}

void orphans_ask(struct orphans *o)
{
	for (struct orphan_item *i = o->items; i; i = i->next) {
		i->asked = true;
		if (i->decided)
			i->not_before = 0;
	}
	o->asking = true;
	ask_list(o, engine_now(o->cfg.engine));
}

/* ---- collecting ------------------------------------------------------------------------------- */

static void failed(struct orphan_item *i, const char *why)
{
	int step = i->tries < RETRY_STEPS ? i->tries : RETRY_STEPS;
	i->tries++;
	i->not_before = engine_now(i->of->cfg.engine) + (RETRY << step);
	snprintf(i->error, sizeof i->error, "%s", why);
	log_about(LOG_LVL_WARNING, MSG_ORPHAN_STUCK, i->seen.uuid,
		"domain %lld of pod %s, which no pod accounts for, cannot be collected, try %d: "
		"%s",
		(long long)i->seen.domid, i->seen.uuid, i->tries, why);
}

static void helper_done(void *ctx, const struct err *err)
{
	struct orphan_item *i = ctx;
	i->op = 0;
	if (!err) {
		fd_close(&i->lock_fd);
		i->tries = 0;
		i->not_before = 0;
		i->error[0] = '\0';
		i->step++;
	} else if (i->step == ORPHAN_DESTROY && err->code == ERR_STATE) {
		/* Another domain has the number by now: this one is no more. */
		i->lost = true;
		i->step = ORPHAN_DONE;
		snprintf(i->error, sizeof i->error, "%s", err_msg(err));
	} else {
		failed(i, err_msg(err));
	}
}

static void start_helper(struct orphans *o, struct orphan_item *i, int64_t now)
{
	static const enum pod_effect effects[] = {
		[ORPHAN_DESTROY] = FX_DESTROY,
		[ORPHAN_CLEAR] = FX_CLEAR,
		[ORPHAN_RELEASE] = FX_RELEASE,
	};
	struct engine_command c = {
		.fx = effects[i->step],
		.generation = i->seen.generation,
		.domid = i->seen.domid,
		.done = helper_done,
		.ctx = i,
	};
	memcpy(c.uuid, i->seen.uuid, sizeof c.uuid);
	if (i->step == ORPHAN_DESTROY)
		orphan_hold_lock(i);
	i->late_ns = now + LATE;
	i->op = engine_command(o->cfg.engine, &c);
}

/* False: not committed, or not to be; said and tried again later. */
static bool decide(struct orphans *o, struct orphan_item *i)
{
	_cleanup_err_ struct err err = {0};
	/* Pods may have come since the look. */
	i->orphaned = orphan_judge(o, i);
	if (!i->orphaned) {
		i->audits = 0;
		return false;
	}
	if (orphan_commit(o, i, "orphan-collect", &err) < 0) {
		failed(i, err_msg(&err));
		return false;
	}
	i->decided = true;
	i->tries = 0;
	i->not_before = 0;
	i->error[0] = '\0';
	return true;
}

static bool finish(struct orphans *o, struct orphan_item *i)
{
	_cleanup_err_ struct err err = {0};
	if (orphan_commit(o, i, i->lost ? "orphan-gone" : "orphan-collected", &err) < 0) {
		failed(i, err_msg(&err));
		return false;
	}
	if (i->lost)
		log_about(LOG_LVL_NOTICE, MSG_ORPHAN_COLLECTED, i->seen.uuid,
			"domain %lld of pod %s was no longer there to be collected: %s",
			(long long)i->seen.domid, i->seen.uuid, i->error);
	else
		log_about(LOG_LVL_NOTICE, MSG_ORPHAN_COLLECTED, i->seen.uuid,
			"domain %lld (pod %s, generation %lld) is collected: %s",
			(long long)i->seen.domid, i->seen.uuid, (long long)i->seen.generation,
			i->why);
	o->collected += !i->lost;
	struct orphan_item **at = &o->items;
	while (*at != i)
		at = &(*at)->next;
	drop(o, at);
	return true;
}

/* What the domain had in Dom-0 goes with it, unless there is a pod whose it may be. */
static void go_on(struct orphans *o, struct orphan_item *i, int64_t now)
{
	if (i->step == ORPHAN_DESTROY && orphan_pod_busy(o, i)) {
		i->not_before = now + APART;
		return;
	}
	if (i->step != ORPHAN_DESTROY && i->step != ORPHAN_DONE && orphan_pod_known(o, i))
		i->step = ORPHAN_DONE;
	if (i->step == ORPHAN_DONE)
		(void)finish(o, i);
	else
		start_helper(o, i, now);
}

/* ---- turning ---------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

/* The one whose helper is at work: one at a time, pods come first. */
static struct orphan_item *at_work(struct orphans *o)
{
	struct orphan_item *i = o->items;
	while (i && !i->op)
		i = i->next;
	return i;
}

static int64_t watch_helper(struct orphans *o, struct orphan_item *i, int64_t now)
{
	if (now < i->late_ns)
		return i->late_ns - now;
	engine_command_kill(o->cfg.engine, i->op);
	i->late_ns = now + LATE; /* its exit is awaited */
	return LATE;
}

/* Time until something is to be done about it; 0: it was, or shall be, done now. */
static int64_t tend(struct orphans *o, struct orphan_item *i, int64_t now)
{
	if (i->decided) {
		if (now < i->not_before)
			return i->not_before - now;
		go_on(o, i, now);
		return 0;
	}
	int64_t due = orphans_due(i);
	if (!i->orphaned || !i->audits)
		return -1;
	if (i->audits >= 2 && i->judged_ns >= due)
		return decide(o, i) ? 0 : -1;
	if (now < due)
		return due - now;
	/* Its time has come: one more look, so that the evidence is of now. */
	if (o->asked_at < due || now >= o->asked_at + ASK_WAIT)
		ask_list(o, now);
	return o->asked_at + ASK_WAIT - now;
}

int64_t orphans_run(struct orphans *o)
{
	struct engine_stats st;
	engine_stats_get(o->cfg.engine, &st);
	if (engine_recovering(o->cfg.engine) || st.queue)
		return -1; /* the engine's next turn comes first */
	int64_t now = engine_now(o->cfg.engine);
	int64_t next = -1;
	if (o->unjudged)
		look(o, now);
	struct orphan_item *busy = at_work(o);
	if (busy)
		return watch_helper(o, busy, now);
	for (struct orphan_item *i = o->items; i; i = i->next) {
		int64_t in = tend(o, i, now);
		if (in == 0)
			return 0; /* the list may be another one now */
		next = sooner(next, in);
	}
	return next;
}

const struct orphan_item *orphans_first(const struct orphans *o)
{
	return o->items;
}

int64_t orphans_collected(const struct orphans *o)
{
	return o->collected;
}
