/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world as the engine sees it: sensors that send frames, effectors that are started with one
 * (src/proto/world.h). Two implementations: processes on a real Xen (world_xen.c) and src/sim
 * (world_sim.c). No callback ever fires from inside a call to the world.
 */
#ifndef DAEMON_WORLD_H
#define DAEMON_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct world;

struct world_events {
	void *ctx;
	void (*watch_frame)(void *ctx, const json_t *frame);
	/* The sensors died or were killed; a fresh one is being started and will say hello. */
	void (*watch_lost)(void *ctx, const char *why);
	void (*act_frame)(void *ctx, int64_t op, const json_t *frame);
	/* After the last frame of that op. `status` as from waitid: exit code, or 128 + signal. */
	void (*act_exit)(void *ctx, int64_t op, int status);
	void (*qemu_exit)(void *ctx, const char *uuid, int64_t pid);
};

struct world_ops {
	const char *name; /* "xen", "sim" */
	void (*watch_send)(struct world *w, const json_t *frame);
	void (*watch_restart)(struct world *w, const char *why);
	/* fds stay the caller's. -1: could not be started; no act_exit follows then. */
	int (*act_start)(struct world *w, int64_t op, const json_t *request, const int *fds,
		size_t nfds, struct err *err);
	void (*act_send)(struct world *w, int64_t op, const json_t *frame);
	void (*act_kill)(struct world *w, int64_t op); /* act_exit follows */
	/* Recovery: does a helper of that pod, of whatever supervisor, still live? And: SIGKILL it.
	 */
	bool (*helper_alive)(struct world *w, const char *uuid);
	void (*helper_kill)(struct world *w, const char *uuid);
	/*
	 * Starts to watch a device model for its exit. `start` is its start time (0: read it now,
	 * returned through ret_start). -1: no such process, or another one under this pid.
	 */
	int (*qemu_watch)(
		struct world *w, const char *uuid, int64_t pid, int64_t start, int64_t *ret_start);
	void (*qemu_kill)(struct world *w, int64_t pid);
	void (*free)(struct world *w);
};

/* Embedded as first member by both implementations. */
struct world {
	const struct world_ops *ops;
	struct world_events events;
};

#endif
