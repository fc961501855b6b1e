/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-init's event loop: file descriptors and one-shot timers over epoll. Structures are the
 * caller's, embedded in what they serve; callbacks find it by container_of and may delete any
 * watch or timer, their own included.
 */
#ifndef GUEST_LOOP_H
#define GUEST_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

struct loop_timer;

struct loop {
	int epoll;
	bool quit;
	struct loop_timer *timers; /* armed ones, the next due first */
};

/* {0} is idle. */
struct loop_watch {
	struct loop *loop;
	int fd;
	uint32_t events; /* what the kernel watches for; 0: nothing, not even a hang-up */
	void (*fn)(struct loop_watch *w, uint32_t events);
};

/* {0} is idle; set `fn` before loop_timer_set(). */
struct loop_timer {
	struct loop *loop;
	struct loop_timer *next;
	int64_t at_ms;
	bool armed;
	void (*fn)(struct loop_timer *t);
};

int loop_init(struct loop *loop, struct err *err);
/* Until loop->quit. */
void loop_run(struct loop *loop);

/* Milliseconds that no clock setting can change. */
int64_t loop_now_ms(void);

/* The fd stays the caller's; `fn` must be set. Watches nothing before loop_watch_set(). */
void loop_watch_init(struct loop *loop, struct loop_watch *w, int fd);
/* EPOLLIN, EPOLLOUT or both; 0 watches nothing. Must be 0 before the fd is closed. */
void loop_watch_set(struct loop_watch *w, uint32_t events);

/* (Re-)arms; 0 fires in the next turn. */
void loop_timer_set(struct loop *loop, struct loop_timer *t, int64_t after_ms);
void loop_timer_stop(struct loop_timer *t);

#endif
