/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's streams at `run`: output of all apps to this process' own and to the journal, stdin to
 * an interactive one. The pod is worth more than its output: whatever goes wrong here is logged.
 */
#ifndef STAGE1_PODIO_H
#define STAGE1_PODIO_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>

#include "stage1/applog.h"
#include "stage1/attach.h"
#include "stage1/relay.h"
#include "stage1/stdin.h"

struct podio {
	const char *uuid;   /* borrowed from the request */
	const json_t *apps; /* the same: of the spec's guest part */
	struct attach attach;
	struct relay relay;
	struct applog log;
	struct stdin_relay in;
	int faults; /* of the session */
	bool alone; /* of a pod that comes back: nobody reads our outputs for it */
};

/* `request`: the accept request, borrowed. From now on log lines pass through the same outputs. */
void podio_open(struct podio *io, const json_t *request);
void podio_done(struct podio *io);

/* The pod runs: who has started it may go, and what we have to say goes to the journal. */
void podio_leave(struct podio *io);

/* Does what can be done now. Call it after each poll. `accepted`: the supervisor has the pod. */
void podio_turn(struct podio *io, bool accepted);
#define PODIO_POLLFDS (3 + ATTACH_POLLFDS)
void podio_poll(const struct podio *io, struct pollfd ret[PODIO_POLLFDS]);
int podio_wait_ms(const struct podio *io);

/* The domain is dead or dies: unmaps, at once. */
void podio_let_go(struct podio *io);
#define PODIO_PATIENCE_MS                                                                          \
	3000 /* for a reader that takes nothing, when somebody waits for the end */
/*
 * It was let go; writes what waits for a slow reader, until it has taken nothing for `patience_ms`
 * (-1: as long as it takes) or one of `sigfd`'s signals says stop. What is left then is counted and said.
 */
void podio_finish(struct podio *io, int sigfd, int patience_ms);

#endif
