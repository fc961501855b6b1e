/* SPDX-License-Identifier: Apache-2.0 */
/* src/sim as a world: see world_sim.h. */
#include "daemon/world_sim.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"

struct world_sim {
	struct world base;
	struct sim *sim;
	struct loop_timer *timer; /* NULL: the caller advances */
};

static struct world_sim *of(struct world *w)
{
	return container_of(w, struct world_sim, base);
}

/* The next thing that happens there wakes the loop. */
static void rearm(struct world_sim *w)
{
	if (!w->timer)
		return;
	int64_t due = sim_next_due(w->sim);
	int64_t left = due - clock_boot_ns();
	loop_timer_set(w->timer, due < 0 ? -1 : left > 0 ? left : 0);
}

static void on_timer(void *ctx)
{
	struct world_sim *w = ctx;
	sim_advance(w->sim, clock_boot_ns());
	rearm(w);
}

/* ---- from the sim ------------------------------------------------------------------------- */

static void sim_says(void *ctx, const json_t *frame)
{
	struct world_sim *w = ctx;
	w->base.events.watch_frame(w->base.events.ctx, frame);
}

static void sensors_ended(void *ctx)
{
	struct world_sim *w = ctx;
	w->base.events.watch_lost(w->base.events.ctx, "the simulated sensors have ended");
	sim_watch_start(w->sim);
}

static void helper_says(void *ctx, int64_t handle, const json_t *frame)
{
	struct world_sim *w = ctx;
	w->base.events.act_frame(w->base.events.ctx, handle, frame);
}

static void helper_ended(void *ctx, int64_t handle, int status)
{
	struct world_sim *w = ctx;
	w->base.events.act_exit(w->base.events.ctx, handle, status);
}

static void qemu_ended(void *ctx, const char *uuid, int64_t pid)
{
	struct world_sim *w = ctx;
	w->base.events.qemu_exit(w->base.events.ctx, uuid, pid);
}

static void note(void *ctx, const char *text)
{
	(void)ctx;
	log_info("sim: %s", text);
}

/* ---- to the sim --------------------------------------------------------------------------- */

static void watch_send(struct world *base, const json_t *frame)
{
	(void)sim_watch_send(of(base)->sim, frame, NULL); /* hello makes us say it again */
	rearm(of(base));
}

static void watch_restart(struct world *base, const char *why)
{
	log_warning("the sensors are started again: %s", why);
	sim_watch_kill(of(base)->sim);
	rearm(of(base));
}

static int act_start(struct world *base, int64_t op, const json_t *request, const int *fds,
	size_t nfds, struct err *err)
{
	(void)op; /* the handle is the request's op */
	int64_t handle = sim_act_start(of(base)->sim, request, fds, nfds, err);
	rearm(of(base));
	return handle < 0 ? -1 : 0;
}

static void act_send(struct world *base, int64_t op, const json_t *frame)
{
	sim_act_send(of(base)->sim, op, frame);
	rearm(of(base));
}

static void act_kill(struct world *base, int64_t op)
{
	sim_act_kill(of(base)->sim, op);
	rearm(of(base));
}

static bool helper_alive(struct world *base, const char *uuid)
{
	return sim_helper_alive(of(base)->sim, uuid);
}

static void helper_kill(struct world *base, const char *uuid)
{
	sim_helper_kill(of(base)->sim, uuid);
	rearm(of(base));
}

static int qemu_watch(
	struct world *base, const char *uuid, int64_t pid, int64_t start, int64_t *ret_start)
{
	(void)uuid;
	int64_t seen = sim_qemu_start(of(base)->sim, pid);
	if (!sim_qemu_alive(of(base)->sim, pid) || (start && start != seen))
		return -1;
	if (ret_start)
		*ret_start = seen;
	return 0;
}

static void qemu_kill(struct world *base, int64_t pid)
{
	sim_qemu_kill(of(base)->sim, pid);
	rearm(of(base));
}

static void world_free(struct world *base)
{
	struct world_sim *w = of(base);
	loop_timer_free(w->timer);
	free(w);
}

static const struct world_ops ops = {
	.name = "sim",
	.watch_send = watch_send,
	.watch_restart = watch_restart,
	.act_start = act_start,
	.act_send = act_send,
	.act_kill = act_kill,
	.helper_alive = helper_alive,
	.helper_kill = helper_kill,
	.qemu_watch = qemu_watch,
	.qemu_kill = qemu_kill,
	.free = world_free,
};

struct world *world_sim_new(struct loop *l, struct sim *sim, const struct world_events *events)
{
	struct world_sim *w = xcalloc(1, sizeof *w);
	w->base.ops = &ops;
	w->base.events = *events;
	w->sim = sim;
	struct sim_events ev = {
		.ctx = w,
		.watch = sim_says,
		.watch_exit = sensors_ended,
		.act = helper_says,
		.act_exit = helper_ended,
		.qemu_exit = qemu_ended,
		.note = note,
	};
	sim_adopt(sim, &ev);
	sim_watch_start(sim);
	if (l) {
		sim_set_clock(sim, clock_boot_ns);
		w->timer = loop_timer_new(l, on_timer, w);
		rearm(w);
	}
	return &w->base;
}
