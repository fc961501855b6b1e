/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be true at every step of any life, beyond kit_check.c: memory is what is on disk, the
 * history has no gap and leads to where each pod is, what was acknowledged is remembered, and
 * nothing is done that no committed row asks for.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kit_int.h"
#include "unit.h"
#include "walk_int.h"

#include "base/alloc.h"
#include "base/cleanup.h"

/* ---- history --------------------------------------------------------------------------------- */

/* As far as it was read; a supervisor's death does not take a row of it back. */
static struct {
	int64_t seq, at;
	char state[KIT_PODS][16]; /* "": no row of that pod yet */
	int64_t commits;
	int starts;
} read_so_far;

static size_t index_of(const struct kit *k, const char *uuid)
{
	for (size_t i = 0; i < k->npods; i++)
		if (!strcmp(k->pod[i].uuid, uuid))
			return i;
	fail_msg("history: pod %s is nobody's", uuid);
	abort(); /* fail_msg does not come back, which the compiler is not told */
}

static int next_row(void *ctx, const struct history_row *r)
{
	const struct kit *k = ctx;
	char *state = read_so_far.state[index_of(k, r->uuid)];
	if (r->seq != read_so_far.seq + 1)
		fail_msg("history: row %lld follows row %lld", (long long)r->seq,
			(long long)read_so_far.seq);
	if (r->at < read_so_far.at)
		fail_msg("history: row %lld is of before the one before", (long long)r->seq);
	bool birth = !strcmp(r->event, "accept");
	if (birth ? *state != '\0' : strcmp(state, r->from) != 0)
		fail_msg("history: row %lld: %s from %s, the pod was %s", (long long)r->seq,
			r->event, r->from, state);
	read_so_far.seq = r->seq;
	read_so_far.at = r->at;
	snprintf(state, sizeof read_so_far.state[0], "%s", r->to);
	return 0;
}

int64_t walk_turns(void)
{
	return read_so_far.seq;
}

static void check_history(struct kit *k)
{
	struct err err = {0};
	assert_ok(store_history(k->store, NULL, read_so_far.seq, 0, next_row, k, &err), &err);
	for (size_t i = 0; i < k->npods; i++) {
		const struct pod *p = kit_find(&k->pod[i]);
		const char *is = p ? pod_state_name(p->core.state) : "gone";
		const char *was = read_so_far.state[i];
		if (p || *was)
			if (strcmp(is, was) != 0)
				fail_msg("pod %s is %s, its history says %s", k->pod[i].name, is,
					was);
	}
}

/* ---- answers --------------------------------------------------------------------------------- */

static void check_answers(const struct kit_pod *kp)
{
	const struct pod *p = kit_find(kp);
	const struct kit_request *c = &kp->change;
	if (kp->accept.acked && kp->accept.refused == ERR_OK && !kp->gc.wanted && !p)
		fail_msg("pod %s was accepted and is forgotten", kp->name);
	bool ends = c->wanted && c->acked && c->refused == ERR_OK &&
		    (c->event == EV_STOP || c->event == EV_KILL);
	if (p && ends && p->core.want != WANT_DOWN)
		fail_msg("pod %s: its stop was acknowledged and is forgotten", kp->name);
}

/* Who waits for another life has a policy that wants it, and nothing of the life before. */
static void check_between_lives(const struct kit_pod *kp)
{
	const struct pod *p = kit_find(kp);
	if (!p || (p->core.state != POD_BACKOFF && p->core.state != POD_RESTARTING))
		return;
	if (p->policy == POLICY_NEVER || p->core.want != WANT_UP || p->core.given_up)
		fail_msg("pod %s is to come back, and nobody wants that", kp->name);
	if (p->core.domid >= 0 || p->core.running_ns || !p->core.lives)
		fail_msg("pod %s is between two lives, but lives", kp->name);
	if (p->burst && p->core.tries > p->burst)
		fail_msg("pod %s: %d short lives are borne, these are %d", kp->name, p->burst,
			p->core.tries);
}

/* ---- what is under way ----------------------------------------------------------------------- */

/* Of a start that has lost its descriptors by our death: until `run` brings them (RECOVERY.md). */
static bool waits_for_run(const struct pod *p, const char *effect)
{
	if (!strcmp(effect, "export"))
		return !p->trees.n;
	if (!strcmp(effect, "spawn"))
		return p->spawn_outbox != 0;
	if (!strcmp(effect, "create"))
		return p->lock_fd < 0 || p->kernel_fd < 0 || p->ramdisk_fd < 0;
	return false;
}

static int is_worked_on(void *ctx, const struct outbox_row *r)
{
	const struct kit *k = ctx;
	const struct pod *p = pods_find(engine_pods(k->engine), r->uuid);
	if (p && !p->op && !waits_for_run(p, r->effect))
		fail_msg("pod %s: nobody works on its %s, which is in the outbox",
			k->pod[index_of(k, r->uuid)].name, r->effect);
	return 0;
}

/* Whatever is decided is being done as soon as recovery is over: no deadline has to see to it. */
static void check_outbox(struct kit *k)
{
	struct err err = {0};
	assert_ok(store_outbox(k->store, is_worked_on, k, &err), &err);
}

void walk_look(struct kit *k)
{
	struct engine_stats st;
	if (k->dead)
		return;
	for (size_t i = 0; i < k->npods; i++) {
		check_answers(&k->pod[i]);
		check_between_lives(&k->pod[i]);
	}
	engine_stats_get(k->engine, &st);
	int64_t commits = st.commits + st.commit_retries;
	if (commits == read_so_far.commits && k->starts == read_so_far.starts)
		return;
	read_so_far.commits = commits;
	read_so_far.starts = k->starts;
	kit_assert_stored(k);
	check_history(k);
	if (k->open && !st.queue)
		check_outbox(k);
}

/* ---- effects --------------------------------------------------------------------------------- */

/* The stored name of what a helper is told (proto/world.h) to do. */
static const char *const effect_of[][2] = {
	{"exports", "export"},
	{"network", "network"},
	{"create", "create"},
	{"unpause", "go"},
	{"unpause", "resume"},
	{"pause", "pause"},
	{"shutdown", "shutdown"},
	{"destroy", "destroy"},
	{"clear", "clear"},
	{"release", "release"},
};

struct asked {
	const char *uuid, *verb;
	bool found;
};

static int is_asked(void *ctx, const struct outbox_row *r)
{
	struct asked *a = ctx;
	for (size_t i = 0; i < ARRAY_SIZE(effect_of); i++)
		if (!strcmp(effect_of[i][0], a->verb) && !strcmp(effect_of[i][1], r->effect) &&
			!strcmp(r->uuid, a->uuid))
			a->found = true;
	return 0;
}

/* What ends a domain that no pod accounts for has a row of its own (daemon/orphans.h). */
static int is_orphans(void *ctx, const struct orphan_row *r)
{
	struct asked *a = ctx;
	bool ends = !strcmp(a->verb, "destroy") || !strcmp(a->verb, "clear") ||
		    !strcmp(a->verb, "release");
	a->found |= ends && !strcmp(r->uuid, a->uuid);
	return 0;
}

void walk_effect(struct kit *k, const char *uuid, const char *verb)
{
	struct err err = {0};
	struct asked a = {.uuid = uuid, .verb = verb};
	assert_ok(store_outbox(k->store, is_asked, &a, &err), &err);
	assert_ok(store_orphans(k->store, is_orphans, &a, &err), &err);
	if (!a.found)
		fail_msg("a helper is told to %s, and no row says so", verb);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void check_end(const struct kit_pod *kp)
{
	const struct pod *p = kit_find(kp);
	if (kp->run_alive && (p || kp->accept.acked))
		fail_msg("pod %s: nobody has told its run of the end", kp->name);
	if (!p)
		return;
	if (!pod_state_ended(p->core.state))
		fail_msg("pod %s stays %s", kp->name, pod_state_name(p->core.state));
	if (walk_rebooted(kp) && p->core.cause != CAUSE_HOST_REBOOT)
		fail_msg("pod %s ended by a reboot, and is said to be %s", kp->name,
			pod_cause_name(p->core.cause));
	for (size_t i = 0; i < p->napps; i++) {
		int want = pod_app_ended(&p->app[i]) ? p->app[i].code : -1;
		int got = kit_code_file(kp, p->app[i].name);
		if (got != want)
			fail_msg("pod %s: %s ended with %d, rkt reads %d", kp->name, p->app[i].name,
				want, got);
	}
	_cleanup_free_ char *ready = xasprintf("%s/stage1/rootfs/rkt/supervisor-status", kp->dir);
	if (faccessat(AT_FDCWD, ready, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		fail_msg("pod %s has ended and is shown as ready", kp->name);
}

void walk_check_ends(struct kit *k)
{
	for (size_t i = 0; i < k->npods; i++)
		check_end(&k->pod[i]);
}
