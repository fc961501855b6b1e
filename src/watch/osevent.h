/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libxl's osevent hooks on a libev loop (libxl_event.h, "OS event handling"): the fds and timeouts
 * that libxl wants watched become ev_io and ev_timer. Knows nothing of domains or frames. One
 * thread only: hooks and loop run on the same one.
 */
#ifndef WATCH_OSEVENT_H
#define WATCH_OSEVENT_H

#include <ev.h>

#define LIBXL_API_VERSION 0x041400
#include <libxl.h>

struct osevent {
	struct ev_loop *loop;
	libxl_ctx *ctx;
};

/* Call once per ctx, before anything else is done with it. `os` must outlive the ctx. */
void osevent_init(struct osevent *os, struct ev_loop *loop, libxl_ctx *ctx);

#endif
