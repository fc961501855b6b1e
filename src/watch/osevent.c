/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge from libxl's osevent hooks to libev: see osevent.h. Rules kept here (libxl_event.h):
 * occurred_* is never called from a hook, only from a libev callback; a registration is known by
 * its own address, never by fd number, as one fd can have several and numbers are re-used.
 */
#include "watch/osevent.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>

#include <libxl_event.h>

#include "base/alloc.h"
#include "base/cleanup.h"

struct fd_reg {
	ev_io io;
	struct osevent *os;
	void *for_libxl;
	int fd;
	short events;
};

struct timeout_reg {
	ev_timer timer;
	struct osevent *os;
	void *for_libxl;
};

/* ---- fds ---- */

static int to_ev(short events)
{
	return (events & (POLLIN | POLLPRI) ? EV_READ : 0) | (events & POLLOUT ? EV_WRITE : 0);
}

/* libev folds POLLHUP and POLLERR into readiness; libxl wants them as poll(2) says them. */
static void fd_ready(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	struct fd_reg *r = container_of(io, struct fd_reg, io);
	struct pollfd p = {.fd = r->fd, .events = r->events};
	if (poll(&p, 1, 0) <= 0)
		return;
	libxl_osevent_occurred_fd(r->os->ctx, r->for_libxl, r->fd, r->events, p.revents);
}

static void fd_arm(struct fd_reg *r, short events)
{
	ev_io_stop(r->os->loop, &r->io);
	r->events = events;
	if (!to_ev(events))
		return;
	ev_io_set(&r->io, r->fd, to_ev(events));
	ev_io_start(r->os->loop, &r->io);
}

static int fd_register(void *user, int fd, void **ret_reg, short events, void *for_libxl)
{
	struct fd_reg *r = xcalloc(1, sizeof *r);
	r->os = user;
	r->for_libxl = for_libxl;
	r->fd = fd;
	ev_init(&r->io, fd_ready);
	fd_arm(r, events);
	*ret_reg = r;
	return 0;
}

static int fd_modify(void *user, int fd, void **reg, short events)
{
	(void)user;
	(void)fd;
	fd_arm(*reg, events);
	return 0;
}

static void fd_deregister(void *user, int fd, void *reg)
{
	(void)user;
	(void)fd;
	struct fd_reg *r = reg;
	ev_io_stop(r->os->loop, &r->io);
	free(r);
}

/* ---- timeouts ---- */

static void timeout_over(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)revents;
	struct timeout_reg *r = container_of(timer, struct timeout_reg, timer);
	struct osevent *os = r->os;
	void *for_libxl = r->for_libxl;
	free(r);
	libxl_osevent_occurred_timeout(os->ctx, for_libxl);
}

static void timeout_arm(struct timeout_reg *r, double after)
{
	/* The loop's idea of "now" is as old as the turn; a timer counts from it. */
	double age = ev_time() - ev_now(r->os->loop);
	ev_timer_stop(r->os->loop, &r->timer);
	ev_timer_set(&r->timer, (after > 0 ? after : 0) + (age > 0 ? age : 0), 0);
	ev_timer_start(r->os->loop, &r->timer);
}

/* libxl speaks of absolute wall-clock time; converted at once, a later clock step harms nothing. */
static int timeout_register(void *user, void **ret_reg, struct timeval abs, void *for_libxl)
{
	struct timeval now;
	struct timeval left;
	struct timeout_reg *r = xcalloc(1, sizeof *r);
	gettimeofday(&now, NULL);
	timersub(&abs, &now, &left);
	r->os = user;
	r->for_libxl = for_libxl;
	ev_init(&r->timer, timeout_over);
	timeout_arm(r, (double)left.tv_sec + (double)left.tv_usec / 1e6);
	*ret_reg = r;
	return 0;
}

/* Only ever means "now"; the struct stays libxl's until its timeout has occurred. */
static int timeout_modify(void *user, void **reg, struct timeval abs)
{
	(void)user;
	(void)abs;
	timeout_arm(*reg, 0);
	return 0;
}

/* timeout_deregister is never called (libxl_event.h). */
static const libxl_osevent_hooks hooks = {
	.fd_register = fd_register,
	.fd_modify = fd_modify,
	.fd_deregister = fd_deregister,
	.timeout_register = timeout_register,
	.timeout_modify = timeout_modify,
};

void osevent_init(struct osevent *os, struct ev_loop *loop, libxl_ctx *ctx)
{
	os->loop = loop;
	os->ctx = ctx;
	libxl_osevent_register_hooks(ctx, &hooks, os);
}
