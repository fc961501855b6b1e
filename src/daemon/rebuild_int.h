/* SPDX-License-Identifier: Apache-2.0 */
/* What rebuild.c and rebuilt.c share; nobody else includes it. */
#ifndef DAEMON_REBUILD_INT_H
#define DAEMON_REBUILD_INT_H

#include "daemon/engine.h"
#include "daemon/sensors.h"

/*
 * One pod out of what is known of it: `record` (records.h) or `domain` may be NULL, not both. Looks at
 * the pod directory. Never fails: what is not known is left open.
 */
struct pod *rebuilt_pod(
	struct engine *e, const char *uuid, const json_t *record, const struct orphan *domain);
/* Its rows, in the open transaction. */
int rebuilt_write(struct engine *e, const struct pod *p, struct err *err);
/* The whole request, a new reference is taken; what is known of the apps stays. */
void rebuilt_request(struct pod *p, json_t *request);

#endif
