/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as they happen, each once, in the order of their numbers, across restarts of the supervisor and also
 * without one. What is missing is told.
 */
#ifndef TOOLS_STATUS_EVENTS_H
#define TOOLS_STATUS_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

struct status_events;

/* In place of a number: from now on; from the oldest that is kept, whichever that is. */
#define STATUS_SINCE_NOW    INT64_C(-1)
#define STATUS_SINCE_OLDEST INT64_C(-2)
/* After number `since`, or one of the above. Asks nobody yet. */
struct status_events *status_events_new(int64_t since);
void status_events_free(struct status_events *e);

/*
 * The next: 1 and *ret, an EVENT (docs/API.md) or {"gap": {"first", "last"}}: events with these numbers are
 * not kept any more; the caller decrefs. 0: none within `timeout_ms`. -1: nobody has ever answered.
 */
int status_events_next(struct status_events *e, int timeout_ms, json_t **ret, struct err *err);

/* What is readable when there is one, of a poll; -1: ask again after STATUS_EVENTS_POLL_MS. */
int status_events_fd(const struct status_events *e);
#define STATUS_EVENTS_POLL_MS 1000

#endif
