/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of xenpod-init: see loop.h. */
#include "guest/loop.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

int loop_init(struct loop *loop, struct err *err)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll < 0 ? err_sys(err, "create an epoll descriptor") : 0;
}

int64_t loop_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void loop_watch_init(struct loop *loop, struct loop_watch *w, int fd)
{
	w->loop = loop;
	w->fd = fd;
	w->events = 0;
}

void loop_watch_set(struct loop_watch *w, uint32_t events)
{
	/* epoll reports hang-ups to an empty mask too: a muted descriptor must be taken out. */
	struct epoll_event ev = {.events = events, .data.ptr = w};
	if (events == w->events)
		return;
	int op = !w->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
	epoll_ctl(w->loop->epoll, op, w->fd, &ev);
	w->events = events;
}

void loop_timer_stop(struct loop_timer *t)
{
	if (!t->armed)
		return;
	struct loop_timer **at = &t->loop->timers;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->next = NULL;
	t->armed = false;
}

void loop_timer_set(struct loop *loop, struct loop_timer *t, int64_t after_ms)
{
	loop_timer_stop(t);
	t->loop = loop;
	t->at_ms = loop_now_ms() + after_ms;
	t->armed = true;
	struct loop_timer **at = &loop->timers;
	while (*at && (*at)->at_ms <= t->at_ms)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

/* Milliseconds until the next timer, at most a minute; -1: there is none. */
static int wait_ms(const struct loop *loop)
{
	if (!loop->timers)
		return -1;
	int64_t left = loop->timers->at_ms - loop_now_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void run_due_timer(struct loop *loop)
{
	struct loop_timer *t = loop->timers;
	if (!t || t->at_ms > loop_now_ms())
		return;
	loop_timer_stop(t);
	t->fn(t);
}

void loop_run(struct loop *loop)
{
	while (!loop->quit) {
		/* One event a turn: a callback may free what a second event would point at. The
		 * kernel serves ready descriptors in turn, so none starves. */
		struct epoll_event ev;
		int n = epoll_wait(loop->epoll, &ev, 1, wait_ms(loop));
		if (n == 1) {
			struct loop_watch *w = ev.data.ptr;
			w->fn(w, ev.events);
		}
		run_due_timer(loop);
	}
}
