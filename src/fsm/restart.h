/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restart policies: does a next life follow the end of one, and when. Pure. What an end means is said
 * by its cause (cause.h), so that a new cause has to say it.
 */
#ifndef FSM_RESTART_H
#define FSM_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "fsm/cause.h"

/*  id         stored name */
#define POD_POLICIES(X)                                                                            \
	X(NEVER, "never")                                                                          \
	X(ON_FAILURE, "on-failure")                                                                \
	X(ALWAYS, "always")

enum pod_policy {
#define X(id, name) POLICY_##id,
	POD_POLICIES(X)
#undef X
		POLICY_MAX_
};

#define RESTART_LIMIT      10   /* consecutive short lives, unless the pod says otherwise */
#define RESTART_FIRST_MS   1000 /* doubles with each short life */
#define RESTART_MAX_MS     300000
#define RESTART_LONG_MS    600000 /* who has been running for so long has recovered */
#define RESTART_AT_ONCE_MS 1      /* 0 would be: not before START */

/* One end of a pod. */
struct restart_end {
	enum pod_policy policy;
	int limit; /* 0: none */
	enum pod_want want;
	enum pod_cause cause;
	int64_t code;
	bool ran; /* some life of the pod has been running: its first start is its user's affair */
	bool lasted;  /* this one for RESTART_LONG_MS */
	bool closing; /* the host shuts down */
	int tries;    /* short lives one after the other, this one not counted */
};

struct restart_verdict {
	bool again;
	bool given_up;      /* its policy would have it back, but `limit` is reached */
	int tries;          /* this end counted */
	int64_t backoff_ms; /* 0: it waits for START or the next boot */
};

void restart_judge(const struct restart_end *end, struct restart_verdict *ret);

const char *restart_policy_name(enum pod_policy p);
int restart_policy_from_name(const char *name); /* -1 */

#endif
