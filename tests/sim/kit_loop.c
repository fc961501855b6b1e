/* SPDX-License-Identifier: Apache-2.0 */
/* The kit's loop: users and `run` processes that come again, time, and rest. See kit.h. */
#include <fcntl.h>
#include <stdio.h>

#include "kit_int.h"
#include "unit.h"

#include "base/cleanup.h"
#include "daemon/custody.h"
#include "daemon/rebuild.h"

#define MS          INT64_C(1000000)
#define AUDIT_BEATS 6
#define RESTART_MS  200
#define SPAWN_MS    50
#define BUSY_LIMIT  100000 /* turns of the loop without time going on: it would spin for ever */

/* ---- requests -------------------------------------------------------------------------------- */

static void acknowledged(void *ctx, const struct err *err)
{
	struct kit_request *r = ctx;
	if (r->kit->dead)
		return;
	r->acked = true; /* refused is an answer, too */
	r->refused = err ? err->code : ERR_OK;
	snprintf(r->why, sizeof r->why, "%s", err ? err_msg(err) : "");
}

static void send_request(struct kit_pod *kp, struct kit_request *r)
{
	struct kit *k = kp->kit;
	if (!r->wanted || r->sent || r->acked || (r == &kp->accept && !kp->run_alive))
		return;
	struct pod *p = kit_find(kp);
	r->sent = true;
	if (r == &kp->accept && !p) {
		engine_accept(k->engine, kit_run_sends(kp), acknowledged, r);
		return;
	}
	if (r == &kp->accept || !p) { /* it is known; what shall be changed is no more */
		r->acked = true;
		r->refused = r == &kp->accept ? ERR_OK : ERR_NOTFOUND;
		return;
	}
	struct event_args args = {.domid = -1, .done = acknowledged, .done_ctx = r};
	engine_post(k->engine, p, r->event, &args);
}

/* ---- next lives ------------------------------------------------------------------------------ */

/* It mounts and reads for a moment. One that is on its way already is no more (runner.h). */
void kit_spawn(void *ctx, struct pod *p)
{
	struct kit *k = ctx;
	struct kit_pod *kp = kit_of(k, p);
	if (!kit_effect_begins(k))
		return;
	kit_trace_note(k, kp, "spawn");
	if (p->lock_fd < 0)
		(void)custody_retake(p);
	kp->spawn_at = sim_now(k->sim) + SPAWN_MS * MS;
	kp->start = p->core.starts;
	kp->run_alive = false;
	fd_close(&kp->lock_fd);
	kit_effect_ends(k);
}

void kit_dismiss(void *ctx, struct pod *p)
{
	struct kit *k = ctx;
	if (!kit_effect_begins(k))
		return;
	kit_of(k, p)->spawn_at = 0;
	kit_effect_ends(k);
}

static void refused_over(void *ctx, const struct err *err)
{
	struct kit_pod *kp = ctx;
	struct pod *p = kit_find(kp);
	if (!err || kp->kit->dead || !p)
		return;
	kp->run_alive = false;
	fd_close(&kp->lock_fd);
	struct event_args args = {.domid = -1, .outbox = p->spawn_outbox, .message = err_msg(err)};
	engine_post(kp->kit->engine, p, EV_SPAWN_FAILED, &args);
}

/* A `run` for the next life, and what it holds (api_run.c, hand_over). */
static void hand_over(struct kit_pod *kp)
{
	struct kit *k = kp->kit;
	struct pod *p = kit_find(kp);
	struct event_args args = {.domid = -1,
		.outbox = p ? p->spawn_outbox : 0,
		.request = kp->request,
		.done = refused_over,
		.done_ctx = kp};
	kp->spawn_at = 0;
	if (!p || p->core.state != POD_RESTARTING)
		return;
	if (p->lock_fd < 0 || k->fail_spawns > 0) {
		k->fail_spawns -= p->lock_fd >= 0;
		engine_post(k->engine, p, EV_SPAWN_FAILED, &args);
		return;
	}
	kit_forget_codes(kp);
	fd_close(&kp->lock_fd);
	kp->lock_fd = fcntl(p->lock_fd, F_DUPFD_CLOEXEC, 3);
	kp->run_alive = true;
	kp->told_end = false;
	struct pod *sent = kit_run_sends(kp);
	pod_take_start_fds(p, sent);
	pod_free(sent);
	engine_post(k->engine, p, EV_HANDED_OVER, &args);
}

/* Lost the supervisor, and found it again (api_run.c, reconnect). */
static void reconnect(struct kit_pod *kp)
{
	struct pod *p = kit_find(kp);
	if (!kp->run_alive || !p || !kp->accept.acked)
		return;
	if (p->core.state == POD_RESTARTING && kp->start == p->core.starts) {
		hand_over(kp);
		return;
	}
	if (p->core.state >= POD_BACKOFF || kp->start != p->core.starts) {
		kit_told(kp);
		return;
	}
	rebuild_complete(kp->kit->engine, p, kp->request);
	struct pod *sent = kit_run_sends(kp);
	int *to[] = {&p->lock_fd, &p->status_fd, &p->kernel_fd, &p->ramdisk_fd};
	int *from[] = {&sent->lock_fd, &sent->status_fd, &sent->kernel_fd, &sent->ramdisk_fd};
	for (size_t i = 0; i < ARRAY_SIZE(to); i++)
		if (*to[i] < 0 && (i < 2 || p->core.state < POD_UNPAUSING))
			*to[i] = TAKE_FD(*from[i]);
	if (!p->trees.n && p->core.state < POD_UNPAUSING) {
		p->trees = sent->trees;
		sent->trees.n = 0;
	}
	pod_free(sent);
	if (p->core.state == POD_RUNNING)
		fd_close(&kp->lock_fd);
	recovery_reconnected(kp->kit->recovery, p);
}

static void requests(struct kit *k)
{
	bool back = k->reconnect_at && sim_now(k->sim) >= k->reconnect_at;
	if (k->reconnect_at && !back)
		return;
	/* "Unavailable": its pods are not found yet, and everybody comes again. */
	if (store_loss(k->store)->pending) {
		k->reconnect_at = sim_now(k->sim) + RESTART_MS * MS;
		return;
	}
	k->reconnect_at = 0;
	for (size_t i = 0; i < k->npods; i++) {
		struct kit_pod *kp = &k->pod[i];
		send_request(kp, &kp->accept);
		if (back)
			reconnect(kp);
		if (kp->spawn_at && sim_now(k->sim) >= kp->spawn_at)
			hand_over(kp);
		/* Change verbs wait for the barrier. */
		if (!k->open)
			continue;
		send_request(kp, &kp->change);
		const struct pod *p = kit_find(kp);
		if (!p || p->core.state >= POD_EXITED)
			send_request(kp, &kp->gc);
	}
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

/* Everything that can be done at this moment; returns when there is more, -1: nothing known. */
static int64_t drain(struct kit *k)
{
	for (int n = 0; n < BUSY_LIMIT; n++) {
		struct engine_stats st;
		int64_t turn = engine_run(k->engine);
		k->dead |= store_damaged(k->store);
		if (k->dead)
			return 0;
		int64_t recover = recovery_run(k->recovery);
		int64_t orphans = orphans_run(k->orphans);
		if (k->dead)
			return 0;
		if (k->poke)
			k->poke(k);
		requests(k);
		engine_stats_get(k->engine, &st);
		if (turn && recover && orphans && (!st.queue || st.store_failing)) {
			int64_t in = sooner(sooner(turn, recover), orphans);
			return in < 0 ? -1 : sim_now(k->sim) + in;
		}
	}
	fail_msg("the engine turns without end");
	return -1;
}

static void beat(struct kit *k)
{
	k->next_beat = sim_now(k->sim) + KIT_BEAT;
	if (k->world_up && !sensors_ping(k->sensors))
		k->world->ops->watch_restart(k->world, "no answer in time");
	else if (k->world_up && ++k->beats % AUDIT_BEATS == 0)
		sensors_list(k->sensors);
}

static void rise(struct kit *k)
{
	if (store_damaged(k->store))
		store_suspect(k->store);
	kit_crash(k);
	k->point = KIT_NEVER;
	sim_advance(k->sim, sim_now(k->sim) + RESTART_MS * MS);
	kit_start(k);
}

/* One moment; false when `limit` is reached, or (limit < 0) at rest. */
static bool step(struct kit *k, int64_t limit)
{
	kit_mend(k);
	int64_t due = drain(k);
	if (k->dead) {
		kit_check(k);
		rise(k);
		return true;
	}
	kit_check(k);
	if (k->reboot_wanted) {
		k->reboot_wanted = false;
		kit_reboot(k);
		return true;
	}
	due = sooner(due, sim_next_due(k->sim));
	if (k->mend_at)
		due = sooner(due, k->mend_at);
	for (size_t i = 0; i < k->npods; i++)
		if (k->pod[i].spawn_at && !k->reconnect_at)
			due = sooner(due, k->pod[i].spawn_at);
	bool idle = due < 0 && !k->reconnect_at;
	if (idle && limit < 0)
		return false;
	due = sooner(due, k->next_beat);
	if (k->reconnect_at)
		due = sooner(due, k->reconnect_at);
	due = sooner(due, limit);
	if (due < sim_now(k->sim))
		due = sim_now(k->sim);
	sim_advance(k->sim, due);
	if (sim_now(k->sim) >= k->next_beat)
		beat(k);
	return limit < 0 || sim_now(k->sim) < limit;
}

void kit_run_for(struct kit *k, int64_t ms)
{
	int64_t until = sim_now(k->sim) + ms * MS;
	while (step(k, until))
		;
	drain(k);
}

void kit_until(struct kit_pod *kp, enum pod_state state)
{
	struct kit *k = kp->kit;
	int64_t until = sim_now(k->sim) + 3600 * KIT_S;
	for (;;) {
		drain(k);
		const struct pod *p = kit_find(kp);
		if (state == POD_GONE ? !p && kp->accept.acked : p && p->core.state == state)
			return;
		if (!step(k, until))
			fail_msg("pod %s is %s, never %s", kp->name,
				p ? pod_state_name(p->core.state) : "unknown",
				pod_state_name(state));
	}
}

/* The beat's own frames are no work: at rest between two of them nothing is on its way. */
void kit_rest(struct kit *k)
{
	int64_t until = sim_now(k->sim) + 7200 * KIT_S;
	while (step(k, -1))
		if (sim_now(k->sim) > until)
			fail_msg("there is no rest");
}
