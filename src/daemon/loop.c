/* SPDX-License-Identifier: Apache-2.0 */
/* libev behind loop.h. No child watchers: pidfds serve (xen-pitfalls 6.6). */
#include "daemon/loop.h"

#include <stdlib.h>
#include <time.h>

#include <ev.h>

#include "base/alloc.h"
#include "daemon/durations.h"

#define MAX_SIGNALS 8

struct sigwatch {
	ev_signal w;
	loop_fn fn;
	void *ctx;
};

struct loop {
	struct ev_loop *ev;
	ev_prepare prepare;
	ev_check check;
	int64_t woken_at; /* when what is served now was ready; 0: it has not slept yet */
	struct durations turns;
	loop_fn idle_fn;
	void *idle_ctx;
	ev_async async;
	loop_fn wake_fn;
	void *wake_ctx;
	struct sigwatch sig[MAX_SIGNALS];
	int nsig;
};

struct loop_io {
	ev_io w;
	struct loop *loop;
	loop_io_fn fn;
	void *ctx;
};

struct loop_timer {
	ev_timer w;
	struct loop *loop;
	loop_fn fn;
	void *ctx;
};

static void on_prepare(struct ev_loop *ev, ev_prepare *w, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *l = w->data;
	if (l->idle_fn)
		l->idle_fn(l->idle_ctx);
	if (l->woken_at)
		durations_note(&l->turns, clock_boot_ns() - l->woken_at);
}

static void on_check(struct ev_loop *ev, ev_check *w, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *l = w->data;
	l->woken_at = clock_boot_ns();
}

static void on_async(struct ev_loop *ev, ev_async *w, int revents)
{
	(void)ev;
	(void)revents;
	struct loop *l = w->data;
	if (l->wake_fn)
		l->wake_fn(l->wake_ctx);
}

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof *l);
	l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!l->ev)
		abort(); /* no epoll, no poll, no select: nothing to run on */
	ev_prepare_init(&l->prepare, on_prepare);
	l->prepare.data = l;
	ev_prepare_start(l->ev, &l->prepare);
	/* Before all that has become ready. */
	ev_check_init(&l->check, on_check);
	ev_set_priority(&l->check, EV_MAXPRI);
	l->check.data = l;
	ev_check_start(l->ev, &l->check);
	ev_async_init(&l->async, on_async);
	l->async.data = l;
	ev_async_start(l->ev, &l->async);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	for (int i = 0; i < l->nsig; i++)
		ev_signal_stop(l->ev, &l->sig[i].w);
	ev_async_stop(l->ev, &l->async);
	ev_prepare_stop(l->ev, &l->prepare);
	ev_check_stop(l->ev, &l->check);
	ev_loop_destroy(l->ev);
	free(l);
}

static int to_ev(int events)
{
	return (events & LOOP_IN ? EV_READ : 0) | (events & LOOP_OUT ? EV_WRITE : 0);
}

static void on_io(struct ev_loop *ev, ev_io *w, int revents)
{
	(void)ev;
	struct loop_io *io = w->data;
	io->fn(io->ctx, (revents & EV_READ ? LOOP_IN : 0) | (revents & EV_WRITE ? LOOP_OUT : 0));
}

struct loop_io *loop_io_add(struct loop *l, int fd, int events, loop_io_fn fn, void *ctx)
{
	struct loop_io *io = xcalloc(1, sizeof *io);
	io->loop = l;
	io->fn = fn;
	io->ctx = ctx;
	ev_io_init(&io->w, on_io, fd, to_ev(events));
	io->w.data = io;
	ev_io_start(l->ev, &io->w);
	return io;
}

void loop_io_events(struct loop_io *io, int events)
{
	ev_io_stop(io->loop->ev, &io->w);
	ev_io_set(&io->w, io->w.fd, to_ev(events));
	ev_io_start(io->loop->ev, &io->w);
}

void loop_io_del(struct loop_io *io)
{
	if (!io)
		return;
	ev_io_stop(io->loop->ev, &io->w);
	free(io);
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
	(void)ev;
	(void)revents;
	struct loop_timer *t = w->data;
	t->fn(t->ctx);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *ctx)
{
	struct loop_timer *t = xcalloc(1, sizeof *t);
	t->loop = l;
	t->fn = fn;
	t->ctx = ctx;
	ev_timer_init(&t->w, on_timer, 0., 0.);
	t->w.data = t;
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t delay_ns)
{
	ev_timer_stop(t->loop->ev, &t->w);
	if (delay_ns < 0)
		return;
	ev_now_update(t->loop->ev);
	ev_timer_set(&t->w, (double)delay_ns / 1e9, 0.);
	ev_timer_start(t->loop->ev, &t->w);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	ev_timer_stop(t->loop->ev, &t->w);
	free(t);
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	(void)ev;
	(void)revents;
	struct sigwatch *s = w->data;
	s->fn(s->ctx);
}

void loop_signal(struct loop *l, int signo, loop_fn fn, void *ctx)
{
	if (l->nsig == MAX_SIGNALS)
		abort();
	struct sigwatch *s = &l->sig[l->nsig++];
	s->fn = fn;
	s->ctx = ctx;
	ev_signal_init(&s->w, on_signal, signo);
	s->w.data = s;
	ev_signal_start(l->ev, &s->w);
}

void loop_on_idle(struct loop *l, loop_fn fn, void *ctx)
{
	l->idle_fn = fn;
	l->idle_ctx = ctx;
}

void loop_on_wake(struct loop *l, loop_fn fn, void *ctx)
{
	l->wake_fn = fn;
	l->wake_ctx = ctx;
}

void loop_wake(struct loop *l)
{
	ev_async_send(l->ev, &l->async);
}

void loop_stall(const struct loop *l, struct loop_stall *ret)
{
	ret->max_ns = l->turns.max_ns;
	ret->p99_ns = durations_quantile(&l->turns, 990);
}

void loop_run(struct loop *l)
{
	ev_run(l->ev, 0);
}

void loop_stop(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

int64_t clock_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}
