/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of a script (walk.h). Whoever is not there is passed over: so any step can be dropped
 * and the others keep their meaning.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "faultvfs.h"
#include "kit_int.h"
#include "unit.h"
#include "walk_int.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#define MS       INT64_C(1000000)
#define RESTART  (200 * MS)   /* as systemd is told to (xenpodd.service) */
#define RUN_LOOK (10 * KIT_S) /* as daemon.c looks for `run` */
#define FOR_EVER 1000000      /* durable calls */

static int store_errors;

static struct kit_pod *find(struct kit *k, char name)
{
	for (size_t i = 0; i < k->npods; i++)
		if (k->pod[i].name[0] == name)
			return &k->pod[i];
	return NULL;
}

static void misread(const char *text)
{
	fail_msg("the script's \"%s\" is not understood", text);
}

/* ---- pods and those who use them ------------------------------------------------------------- */

/* pod NAME [net PORT] [restart POLICY LIMIT] "APP" ["APP"]; cut into words in place. */
static void do_pod(struct kit *k, const char *args)
{
	_cleanup_free_ char *copy = xstrdup(args);
	char *app[2] = {NULL, NULL};
	char name = args[0];
	char *save = NULL;
	int port = -1;
	char policy[16] = "never";
	int limit = 0;
	sscanf(args, "%*c net %d", &port);
	const char *restart = strstr(args, " restart ");
	if (restart && sscanf(restart, " restart %15s %d", policy, &limit) != 2)
		misread(args);
	char *word = strtok_r(copy, "\"", &save);
	for (size_t i = 0; word && i < ARRAY_SIZE(app); i++) {
		app[i] = strtok_r(NULL, "\"", &save);
		word = strtok_r(NULL, "\"", &save);
	}
	if (!app[0])
		misread(args);
	if (find(k, name))
		return;
	struct kit_pod *kp = kit_accept(k, app[0], app[1], NULL);
	snprintf(kp->name, sizeof kp->name, "%c", name);
	if (port >= 0)
		kit_network(kp, port);
	if (restart)
		kit_restart(kp, (enum pod_policy)restart_policy_from_name(policy), limit);
}

static void ask(struct kit *k, const char *args, enum pod_event event)
{
	struct kit_pod *kp = find(k, args[0]);
	if (kp)
		kit_ask(kp, event);
}

#define ASK(name, event)                                                                           \
	static void do_##name(struct kit *k, const char *args)                                     \
	{                                                                                          \
		ask(k, args, event);                                                               \
	}

ASK(stop, EV_STOP)
ASK(kill, EV_KILL)
ASK(pause, EV_PAUSE)
ASK(resume, EV_RESUME)
ASK(start, EV_START)

/* gc comes when nobody holds the lock any more (contract 2.4); kit_loop.c waits for that. */
static void do_gc(struct kit *k, const char *args)
{
	ask(k, args, EV_GC);
}

/* Nobody waits for an answer any more, and nobody brings descriptors again. */
static void do_run_killed(struct kit *k, const char *args)
{
	struct kit_pod *kp = find(k, args[0]);
	if (!kp || !kp->run_alive)
		return;
	kp->run_alive = false;
	fd_close(&kp->lock_fd);
}

/* Refused, it ends; killed, it is missed: at once by its pidfd, or when its pid is looked at. */
void walk_poke(struct kit *k)
{
	static int64_t next_look[KIT_PODS];
	for (size_t i = 0; i < k->npods; i++) {
		struct kit_pod *kp = &k->pod[i];
		struct pod *p = kit_find(kp);
		if (kp->run_alive && kp->accept.acked && kp->accept.refused != ERR_OK)
			kit_told(kp);
		if (kp->run_alive || !p || p->core.state >= POD_BACKOFF || p->core.want != WANT_UP)
			continue;
		int64_t now = sim_now(k->sim);
		if (now < next_look[i] && next_look[i] - now <= RUN_LOOK)
			continue;
		next_look[i] = now + RUN_LOOK;
		kit_post(kp, EV_STOP, CAUSE_RUN_LOST);
	}
}

/* ---- the world ------------------------------------------------------------------------------- */

static void do_world(struct kit *k, const char *args)
{
	_cleanup_err_ struct err err = {0};
	if (sim_script(k->sim, args, &err) < 0 && err.code == ERR_INVALID)
		misread(args);
}

static void do_outside(struct kit *k, const char *args)
{
	char verb[16];
	char name;
	if (sscanf(args, "%15s %c", verb, &name) != 2)
		misread(args);
	const struct kit_pod *kp = find(k, name);
	if (!kp)
		return;
	_cleanup_free_ char *line = xasprintf("%s %s", verb, kp->uuid);
	do_world(k, line);
}

static void do_closing(struct kit *k, const char *args)
{
	if (!k->dead && k->engine)
		engine_close(k->engine, !strcmp(args, "on"));
}

static void do_spawns(struct kit *k, const char *args)
{
	if (sscanf(args, "fail %d", &k->fail_spawns) != 1)
		misread(args);
}

/* ---- the disk -------------------------------------------------------------------------------- */

static void mend(struct kit *k)
{
	(void)k;
	faultvfs_disarm();
	store_errors += faultvfs_failed();
}

static void mend_now(struct kit *k)
{
	if (k->mend_at)
		mend(k);
	k->mend_at = 0;
}

static void do_store(struct kit *k, const char *args)
{
	char kind[8];
	int after;
	int ms;
	if (sscanf(args, "%7s after %d for %d", kind, &after, &ms) != 3)
		misread(args);
	mend_now(k);
	faultvfs_arm(after, FOR_EVER, strcmp(kind, "io") ? SQLITE_FULL : SQLITE_IOERR_WRITE);
	k->mend = mend;
	k->mend_at = sim_now(k->sim) + ms * MS;
}

int walk_store_errors(void)
{
	return store_errors;
}

/* ---- deaths ---------------------------------------------------------------------------------- */

static void do_crash(struct kit *k, const char *args)
{
	static const struct {
		const char *name;
		enum kit_point point;
	} points[] = {{"before-commit", KIT_BEFORE_COMMIT}, {"after-commit", KIT_AFTER_COMMIT},
		{"after-effect", KIT_AFTER_EFFECT}};
	char name[16] = "";
	int n = 0;
	sscanf(args, "%15s %d", name, &n);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		if (!strcmp(name, points[i].name)) {
			kit_crash_at(k, points[i].point, n);
			return;
		}
	if (*name)
		misread(args);
	kit_crash(k);
	sim_advance(k->sim, sim_now(k->sim) + RESTART);
	kit_mend(k);
	kit_start(k);
}

static bool rebooted[KIT_PODS];

bool walk_rebooted(const struct kit_pod *kp)
{
	return rebooted[kp - kp->kit->pod];
}

/* The other boot has a sound disk: its time is another, too. */
static void do_reboot(struct kit *k, const char *args)
{
	(void)args;
	for (size_t i = 0; i < k->npods && !k->dead; i++) {
		const struct pod *p = kit_find(&k->pod[i]);
		if (p && p->policy == POLICY_NEVER && !pod_state_ended(p->core.state) &&
			p->core.cause == CAUSE_NONE)
			rebooted[i] = true;
	}
	mend_now(k);
	kit_crash_at(k, KIT_NEVER, 0);
	kit_reboot(k);
}

/* ---- all of them ----------------------------------------------------------------------------- */

void walk_act(struct kit *k, const char *text)
{
	static const struct {
		const char *word;
		void (*act)(struct kit *k, const char *args);
	} acts[] = {{"pod", do_pod}, {"stop", do_stop}, {"kill", do_kill}, {"pause", do_pause},
		{"resume", do_resume}, {"start", do_start}, {"gc", do_gc},
		{"run-killed", do_run_killed}, {"closing", do_closing}, {"spawns", do_spawns},
		{"outside", do_outside}, {"world", do_world}, {"store", do_store},
		{"crash", do_crash}, {"reboot", do_reboot}};
	size_t len = strcspn(text, " ");
	kit_trace_note(k, NULL, text);
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (strlen(acts[i].word) == len && !strncmp(acts[i].word, text, len)) {
			acts[i].act(k, text[len] ? text + len + 1 : "");
			return;
		}
	misread(text);
}

void walk_heal(struct kit *k)
{
	mend_now(k);
	kit_crash_at(k, KIT_NEVER, 0);
	sim_xenstored(k->sim, true);
	sim_set_host(k->sim, 0, 4);
	k->fail_spawns = 0;
	if (!k->dead)
		engine_close(k->engine, false);
	for (size_t i = 0; i < k->npods; i++) {
		_cleanup_err_ struct err err = {0};
		sim_operator(k->sim, SIM_UNHOLD, k->pod[i].uuid, &err);
	}
}
