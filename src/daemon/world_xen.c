/* SPDX-License-Identifier: Apache-2.0 */
/* Processes behind the world's interface: see world_xen.h. */
#include "daemon/world_xen.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/frame.h"
#include "base/log.h"
#include "base/uuid.h"
#include "daemon/child.h"
#include "daemon/helperlock.h"

#define RESTART_FIRST_NS INT64_C(200000000)
#define RESTART_MAX_NS   INT64_C(10000000000)

struct act {
	struct act *next;
	struct world_xen *w;
	int64_t op;
	struct child child;
	struct loop_io *io, *exit_io;
};

struct qemu {
	struct qemu *next;
	struct world_xen *w;
	char uuid[UUID_TEXT_SIZE];
	int64_t pid;
	int pidfd;
	struct loop_io *io;
};

/* Killed sensors that are not reaped yet. */
struct corpse {
	struct child child;
	struct loop_io *io;
};

struct world_xen {
	struct world base;
	struct loop *loop;
	char *watch_path, *act_path, *run_dir;
	struct child watch;
	struct loop_io *watch_io, *watch_exit_io;
	struct loop_timer *restart;
	int64_t restart_ns;
	bool watch_up;
	struct act *acts;
	struct qemu *qemus;
};

static struct world_xen *of(struct world *w)
{
	return container_of(w, struct world_xen, base);
}

/* ---- sensors ------------------------------------------------------------------------------ */

static void on_buried(void *ctx, int events)
{
	(void)events;
	struct corpse *c = ctx;
	(void)child_reap(&c->child);
	loop_io_del(c->io);
	child_done(&c->child);
	free(c);
}

/* Even SIGKILL waits for a system call on xenstore that hangs: the loop does not. */
static void bury(struct world_xen *w)
{
	struct corpse *c = xcalloc(1, sizeof *c);
	c->child = w->watch;
	w->watch = (struct child){.pidfd = -1, .sock = -1};
	fd_close(&c->child.sock);
	child_kill(&c->child);
	c->io = loop_io_add(w->loop, c->child.pidfd, LOOP_IN, on_buried, c);
}

static void watch_down(struct world_xen *w, const char *why)
{
	if (!w->watch_up)
		return;
	w->watch_up = false;
	loop_io_del(w->watch_io);
	loop_io_del(w->watch_exit_io);
	bury(w);
	loop_timer_set(w->restart, w->restart_ns);
	w->restart_ns = w->restart_ns * 2 > RESTART_MAX_NS ? RESTART_MAX_NS : w->restart_ns * 2;
	w->base.events.watch_lost(w->base.events.ctx, why);
}

static void on_watch(void *ctx, int events)
{
	(void)events;
	struct world_xen *w = ctx;
	/* Bounded, so that a chatty sensor does not keep the rest of the loop waiting. */
	for (int i = 0; i < 64 && w->watch_up; i++) {
		_cleanup_err_ struct err err = {0};
		json_t *f = NULL;
		int r = frame_recv(w->watch.sock, &f, NULL, &err);
		if (r == FRAME_AGAIN)
			return;
		if (r <= 0) {
			watch_down(w, r < 0 ? err_msg(&err) : "xenpod-watch has ended");
			return;
		}
		w->restart_ns = RESTART_FIRST_NS;
		w->base.events.watch_frame(w->base.events.ctx, f);
		json_decref(f);
	}
}

static void on_watch_exit(void *ctx, int events)
{
	(void)events;
	struct world_xen *w = ctx;
	on_watch(w, LOOP_IN); /* its last words */
	watch_down(w, "xenpod-watch has died");
}

static void watch_up(void *ctx)
{
	struct world_xen *w = ctx;
	_cleanup_err_ struct err err = {0};
	const char *const argv[] = {w->watch_path, NULL};
	if (child_start(argv, &w->watch, &err) < 0) {
		log_err("the sensors cannot be started, trying again: %s", err_msg(&err));
		loop_timer_set(w->restart, RESTART_MAX_NS);
		return;
	}
	w->watch_up = true;
	w->watch_io = loop_io_add(w->loop, w->watch.sock, LOOP_IN, on_watch, w);
	w->watch_exit_io = loop_io_add(w->loop, w->watch.pidfd, LOOP_IN, on_watch_exit, w);
}

static void xen_watch_send(struct world *base, const json_t *frame)
{
	struct world_xen *w = of(base);
	_cleanup_err_ struct err err = {0};
	/* Lost frames do not matter: hello of the next one makes us say everything again. */
	if (w->watch_up && frame_send(w->watch.sock, frame, NULL, 0, &err) < 0)
		log_debug("xenpod-watch: %s", err_msg(&err));
}

static void xen_watch_restart(struct world *base, const char *why)
{
	watch_down(of(base), why);
}

/* ---- helpers ------------------------------------------------------------------------------ */

static void act_free(struct act *a)
{
	for (struct act **at = &a->w->acts; *at; at = &(*at)->next) {
		if (*at != a)
			continue;
		*at = a->next;
		break;
	}
	loop_io_del(a->io);
	loop_io_del(a->exit_io);
	child_done(&a->child);
	free(a);
}

/* Reads what there is; at end of file only the exit is waited for. */
static void on_act(void *ctx, int events)
{
	(void)events;
	struct act *a = ctx;
	for (;;) {
		_cleanup_err_ struct err err = {0};
		json_t *f = NULL;
		int r = frame_recv(a->child.sock, &f, NULL, &err);
		if (r == FRAME_AGAIN)
			return;
		if (r <= 0) {
			loop_io_del(a->io);
			a->io = NULL;
			return;
		}
		a->w->base.events.act_frame(a->w->base.events.ctx, a->op, f);
		json_decref(f);
	}
}

static void on_act_exit(void *ctx, int events)
{
	(void)events;
	struct act *a = ctx;
	if (a->io)
		on_act(a, LOOP_IN);
	int status = child_reap(&a->child);
	struct world_events ev = a->w->base.events;
	int64_t op = a->op;
	act_free(a);
	ev.act_exit(ev.ctx, op, status);
}

static int xen_act_start(struct world *base, int64_t op, const json_t *request, const int *fds,
	size_t nfds, struct err *err)
{
	struct world_xen *w = of(base);
	const char *const argv[] = {w->act_path, NULL};
	struct act *a = xcalloc(1, sizeof *a);
	a->w = w;
	a->op = op;
	if (child_start(argv, &a->child, err) < 0) {
		free(a);
		return -1;
	}
	a->next = w->acts;
	w->acts = a;
	a->io = loop_io_add(w->loop, a->child.sock, LOOP_IN, on_act, a);
	a->exit_io = loop_io_add(w->loop, a->child.pidfd, LOOP_IN, on_act_exit, a);
	_cleanup_err_ struct err why = {0};
	if (frame_send(a->child.sock, request, fds, nfds, &why) < 0)
		log_debug("xenpod-act: %s", err_msg(&why)); /* its exit will be seen */
	return 0;
}

static struct act *find(struct world_xen *w, int64_t op)
{
	for (struct act *a = w->acts; a; a = a->next)
		if (a->op == op)
			return a;
	return NULL;
}

static void xen_act_send(struct world *base, int64_t op, const json_t *frame)
{
	struct act *a = find(of(base), op);
	if (a)
		(void)frame_send(a->child.sock, frame, NULL, 0, NULL);
}

static void xen_act_kill(struct world *base, int64_t op)
{
	struct act *a = find(of(base), op);
	if (a)
		child_kill(&a->child);
}

/* ---- device models ------------------------------------------------------------------------ */

static void qemu_free(struct qemu *q)
{
	for (struct qemu **at = &q->w->qemus; *at; at = &(*at)->next) {
		if (*at != q)
			continue;
		*at = q->next;
		break;
	}
	loop_io_del(q->io);
	fd_close(&q->pidfd);
	free(q);
}

static void on_qemu_exit(void *ctx, int events)
{
	(void)events;
	struct qemu *q = ctx;
	struct world_events ev = q->w->base.events;
	char uuid[UUID_TEXT_SIZE];
	snprintf(uuid, sizeof uuid, "%s", q->uuid);
	int64_t pid = q->pid;
	qemu_free(q);
	ev.qemu_exit(ev.ctx, uuid, pid);
}

static int xen_qemu_watch(
	struct world *base, const char *uuid, int64_t pid, int64_t start, int64_t *ret_start)
{
	struct world_xen *w = of(base);
	int fd = process_open(pid, start, ret_start);
	if (fd < 0)
		return -1;
	struct qemu *q = xcalloc(1, sizeof *q);
	q->w = w;
	q->pid = pid;
	q->pidfd = fd;
	snprintf(q->uuid, sizeof q->uuid, "%s", uuid);
	q->next = w->qemus;
	w->qemus = q;
	q->io = loop_io_add(w->loop, fd, LOOP_IN, on_qemu_exit, q);
	return 0;
}

static void xen_qemu_kill(struct world *base, int64_t pid)
{
	for (struct qemu *q = of(base)->qemus; q; q = q->next)
		if (q->pid == pid)
			pidfd_send_signal(q->pidfd, SIGKILL, NULL, 0);
}

static bool xen_helper_alive(struct world *base, const char *uuid)
{
	return helperlock_held(of(base)->run_dir, uuid);
}

static void xen_helper_kill(struct world *base, const char *uuid)
{
	helperlock_kill(of(base)->run_dir, uuid);
}

/* ---- all ---------------------------------------------------------------------------------- */

/* Helpers under way are left alone: they finish by themselves, and recovery finds what they did. */
static void xen_free(struct world *base)
{
	struct world_xen *w = of(base);
	if (w->watch_up) {
		w->watch_up = false;
		loop_io_del(w->watch_io);
		loop_io_del(w->watch_exit_io);
		child_done(&w->watch);
	}
	struct act *next_act;
	for (struct act *a = w->acts; a; a = next_act) {
		next_act = a->next;
		act_free(a);
	}
	struct qemu *next_qemu;
	for (struct qemu *q = w->qemus; q; q = next_qemu) {
		next_qemu = q->next;
		qemu_free(q);
	}
	loop_timer_free(w->restart);
	free(w->watch_path);
	free(w->act_path);
	free(w->run_dir);
	free(w);
}

static const struct world_ops ops = {
	.name = "xen",
	.watch_send = xen_watch_send,
	.watch_restart = xen_watch_restart,
	.act_start = xen_act_start,
	.act_send = xen_act_send,
	.act_kill = xen_act_kill,
	.helper_alive = xen_helper_alive,
	.helper_kill = xen_helper_kill,
	.qemu_watch = xen_qemu_watch,
	.qemu_kill = xen_qemu_kill,
	.free = xen_free,
};

struct world *world_xen_new(
	struct loop *l, const char *libexec, const char *run_dir, const struct world_events *events)
{
	struct world_xen *w = xcalloc(1, sizeof *w);
	w->base.ops = &ops;
	w->base.events = *events;
	w->loop = l;
	w->watch_path = xasprintf("%s/xenpod-watch", libexec);
	w->act_path = xasprintf("%s/xenpod-act", libexec);
	w->run_dir = xstrdup(run_dir);
	w->restart_ns = RESTART_FIRST_NS;
	w->restart = loop_timer_new(l, watch_up, w);
	loop_timer_set(w->restart, 0);
	return &w->base;
}
