/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: the only file that knows libev. Callbacks run on the one thread that calls
 * loop_run(); only loop_wake() may be called from another.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;

#define LOOP_IN  1
#define LOOP_OUT 2

typedef void (*loop_io_fn)(void *ctx, int events);
typedef void (*loop_fn)(void *ctx);

struct loop *loop_new(void);
void loop_free(struct loop *l); /* every io and timer must have been removed before */

/* Watches `fd` (stays the caller's). loop_io_del() may be called from inside the callback. */
struct loop_io *loop_io_add(struct loop *l, int fd, int events, loop_io_fn fn, void *ctx);
void loop_io_events(struct loop_io *io, int events);
void loop_io_del(struct loop_io *io); /* NULL is fine */

/* One-shot timer. delay_ns < 0 disarms. */
struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *ctx);
void loop_timer_set(struct loop_timer *t, int64_t delay_ns);
void loop_timer_free(struct loop_timer *t);

/* `fn` runs on the loop whenever the signal came. */
void loop_signal(struct loop *l, int signo, loop_fn fn, void *ctx);

/* `fn` runs once before the loop goes to sleep each time: where queued work is done. */
void loop_on_idle(struct loop *l, loop_fn fn, void *ctx);

/* Thread-safe: makes the loop call `fn` given to loop_on_wake soon. */
void loop_on_wake(struct loop *l, loop_fn fn, void *ctx);
void loop_wake(struct loop *l);

/*
 * How long the loop's turns took, from waking to the end of all it had to do: the longest time that
 * anything ready has waited to be served. Since the start.
 */
struct loop_stall {
	int64_t max_ns, p99_ns;
};
void loop_stall(const struct loop *l, struct loop_stall *ret);

void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* CLOCK_BOOTTIME and CLOCK_REALTIME in ns. */
int64_t clock_boot_ns(void);
int64_t clock_wall_ns(void);

#endif
