/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hook's standing call to the supervisor (Accept, Session): one varlink connection with `more`,
 * made again with back-off when the supervisor goes away. A restart of it must disturb no session,
 * so nothing here waits.
 */
#ifndef STAGE1_LINK_H
#define STAGE1_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/varlink.h"

/* {0} is valid: away, to be tried at once. */
struct link {
	struct varlink *v; /* NULL: away */
	int64_t retry_at;  /* clock_ms(), while away */
	int backoff_ms;
	bool told; /* the user knows that it is away */
};

/* Connects and calls. On failure the link is away and the next try is due at retry_at. */
int link_open(struct link *l, const char *method, json_t *params /* stolen */, const int *fds,
	size_t nfds, struct err *err);

#define LINK_LOST (-2)
/*
 * The next reply without waiting: 1 and *ret (caller decrefs), 0 none yet, LINK_LOST the supervisor
 * went away (the link is away now), -1 the supervisor answered with an error.
 */
int link_next(struct link *l, json_t **ret, struct err *err);

void link_close(struct link *l);

/* Closed, next try later: for an answer that says "not now". */
void link_retry(struct link *l);

/* Milliseconds until the next try, -1 when the link is up. */
int link_wait_ms(const struct link *l);

/* A supervisor that starts or recovers answers so: worth another try. */
bool link_worth_retry(const struct err *err);

#endif
