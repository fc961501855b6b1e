/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with everything around it: the Session call that learns the domain and registers us
 * (the supervisor kills those who still map a dead domain's ring after 2 s), the ring, and letting
 * go of both in the right order. A supervisor that goes away and comes back disturbs no session.
 */
#ifndef STAGE1_ATTACH_H
#define STAGE1_ATTACH_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stage1/link.h"
#include "stage1/session.h"

/* Set the first four, zero the rest. */
struct attach {
	const char *uuid; /* borrowed */
	json_t *(*hello)(void *user, int64_t generation);
	session_frame_fn on_frame;
	void *user;
	struct link link;
	struct session *session; /* NULL: no ring is looked for or mapped */
	bool known;              /* the supervisor named the domain */
	bool over;
	uint32_t domid;
	int64_t generation;
	int64_t session_at; /* not before; clock_ms() */
};

/* The first call, for those who want to know at once that nobody answers. */
int attach_open(struct attach *a, struct err *err);

enum attach_result {
	ATTACH_GOES_ON,
	ATTACH_FAULT, /* the session broke, err says why; the next turns try a new one */
	ATTACH_OVER,  /* the pod is over: everything was let go, err says what is known */
};
/* Does what can be done now. Call it after each poll. */
enum attach_result attach_turn(struct attach *a, struct err *err);

#define ATTACH_POLLFDS (1 + SESSION_POLLFDS)
void attach_poll(const struct attach *a, struct pollfd ret[ATTACH_POLLFDS]);
/* Milliseconds until attach_turn has something to do without an event; -1: nothing. */
int attach_wait_ms(const struct attach *a);

/* Drains and unmaps the ring, then hangs up, which says "unmapped". Nothing is done any more. */
void attach_let_go(struct attach *a);

#endif
