/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the database was lost: the pods are found again. A domain with our mark is a pod's and is
 * taken on as it stands; what `run` had asked for is in the pod's record (records.h), else as much as
 * can be read in the pod directory, which QEMU's copy of the lock leads to. A pod that has a record and no domain has
 * ended: what it has left in Dom-0 is cleared, and it stays until its gc, as ever.
 *
 * All of them are written in one transaction, before the barrier opens: a crash finds the loss as it
 * was, or the pods in ordinary states. Nothing is guessed of a state that the world does not show:
 * why a pod ended whose end was in the lost database is not known (cause record-lost).
 */
#ifndef DAEMON_REBUILD_H
#define DAEMON_REBUILD_H

#include "daemon/engine.h"
#include "daemon/sensors.h"

/* What all are told who ask for a pod before that. */
#define REBUILD_WAIT                                                                               \
	"the supervisor has lost its database and looks for its pods, try again in a moment"

struct rebuild;

/* NULL when the store was not lost, or its pods have been found. Reads the records. */
struct rebuild *rebuild_new(struct engine *e, struct sensors *s);
void rebuild_free(struct rebuild *r);
/* Does a helper of the supervisor before us still work for one of these pods? `late`: not for long. */
bool rebuild_helpers(struct rebuild *r, bool late);
/* The list of domains is complete. 0: pods are stored and with the engine. -1: try again, err says why. */
int rebuild_run(struct rebuild *r, struct err *err);
/*
 * A pod that is not known sends Accept. ERR_UNAVAILABLE: it may be one that is still to be found; `run`
 * comes again. ERR_NOTFOUND: it was a pod (it has given up the lock that a new one needs), and neither
 * record nor domain of it was found.
 */
int rebuild_check_new(const struct engine *e, const json_t *request, struct err *err);
/* What `run` asks for again, in place of what was found out without it. */
void rebuild_complete(struct engine *e, struct pod *p, const json_t *request);

#endif
