/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated world with an eye on it: effects are counted, so that a test can die at each; a
 * dead supervisor's effects do not happen.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kit_int.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

struct eye {
	struct world base;
	struct kit *kit;
	struct world *inner;
};

static struct eye *of(struct world *w)
{
	return container_of(w, struct eye, base);
}

static const struct kit_pod *pod_of(const struct kit *k, const char *uuid)
{
	for (size_t i = 0; i < k->npods; i++)
		if (!strcmp(k->pod[i].uuid, uuid))
			return &k->pod[i];
	return NULL;
}

/* Pings and lists ask; only what changes something is an effect. */
static void watch_send(struct world *w, const json_t *frame)
{
	struct eye *e = of(w);
	const char *t = json_str_opt(frame, "t", "");
	bool effect = !strcmp(t, "watch") || !strcmp(t, "unwatch");
	if (e->kit->dead || (effect && !kit_effect_begins(e->kit)))
		return;
	e->inner->ops->watch_send(e->inner, frame);
	if (effect)
		kit_effect_ends(e->kit);
}

static void watch_restart(struct world *w, const char *why)
{
	struct eye *e = of(w);
	if (!e->kit->dead)
		e->inner->ops->watch_restart(e->inner, why);
}

/* What the plugins said when a network was made, they are told when it is given back. */
static void check_results(const struct kit_pod *kp, const json_t *request)
{
	const struct pod *p = kp ? kit_find(kp) : NULL;
	const char *t = json_str_opt(request, "t", "");
	if (p && p->nets && (!strcmp(t, "clear") || !strcmp(t, "release")))
		assert_true(json_equal(json_object_get(request, "nets"), p->nets));
}

static int act_start(struct world *w, int64_t op, const json_t *request, const int *fds,
	size_t nfds, struct err *err)
{
	struct eye *e = of(w);
	const char *uuid = json_str_opt(request, "uuid", "");
	const char *verb = json_str_opt(request, "t", "?");
	if (!kit_effect_begins(e->kit))
		return 0;
	const struct kit_pod *kp = pod_of(e->kit, uuid);
	check_results(kp, request);
	kit_trace_note(e->kit, kp, verb);
	if (e->kit->effect)
		e->kit->effect(e->kit, uuid, verb);
	int r = e->inner->ops->act_start(e->inner, op, request, fds, nfds, err);
	kit_effect_ends(e->kit);
	return r;
}

static void act_send(struct world *w, int64_t op, const json_t *frame)
{
	struct eye *e = of(w);
	if (!kit_effect_begins(e->kit))
		return;
	kit_trace_note(e->kit, NULL, json_str_opt(frame, "t", "?"));
	e->inner->ops->act_send(e->inner, op, frame);
	kit_effect_ends(e->kit);
}

static void act_kill(struct world *w, int64_t op)
{
	struct eye *e = of(w);
	if (!kit_effect_begins(e->kit))
		return;
	kit_trace_note(e->kit, NULL, "kill the helper");
	e->inner->ops->act_kill(e->inner, op);
	kit_effect_ends(e->kit);
}

static bool helper_alive(struct world *w, const char *uuid)
{
	struct eye *e = of(w);
	return e->inner->ops->helper_alive(e->inner, uuid);
}

static void helper_kill(struct world *w, const char *uuid)
{
	struct eye *e = of(w);
	if (!kit_effect_begins(e->kit))
		return;
	kit_trace_note(e->kit, pod_of(e->kit, uuid), "kill the helper of before");
	e->inner->ops->helper_kill(e->inner, uuid);
	kit_effect_ends(e->kit);
}

static int qemu_watch(
	struct world *w, const char *uuid, int64_t pid, int64_t start, int64_t *ret_start)
{
	struct eye *e = of(w);
	return e->inner->ops->qemu_watch(e->inner, uuid, pid, start, ret_start);
}

static void qemu_kill(struct world *w, int64_t pid)
{
	struct eye *e = of(w);
	if (!kit_effect_begins(e->kit))
		return;
	kit_trace_note(e->kit, NULL, "kill qemu");
	e->inner->ops->qemu_kill(e->inner, pid);
	kit_effect_ends(e->kit);
}

static void eye_free(struct world *w)
{
	struct eye *e = of(w);
	e->inner->ops->free(e->inner);
	free(e);
}

static const struct world_ops ops = {
	.name = "sim, watched by a test",
	.watch_send = watch_send,
	.watch_restart = watch_restart,
	.act_start = act_start,
	.act_send = act_send,
	.act_kill = act_kill,
	.helper_alive = helper_alive,
	.helper_kill = helper_kill,
	.qemu_watch = qemu_watch,
	.qemu_kill = qemu_kill,
	.free = eye_free,
};

struct world *kit_world_new(struct kit *k, struct world *inner)
{
	struct eye *e = xcalloc(1, sizeof *e);
	e->base.ops = &ops;
	e->kit = k;
	e->inner = inner;
	return &e->base;
}

/* ---- files ---- */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int kit_remove(const char *dir)
{
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT ? 0 : -1;
}
