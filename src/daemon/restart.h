/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lives of a pod with a restart policy: what a turn knows, changes and stores of them. Called by
 * turn.c and engine.c only; what follows an end is decided by fsm/restart.h.
 */
#ifndef DAEMON_RESTART_H
#define DAEMON_RESTART_H

#include "daemon/engine_int.h"

/* Into the facts of a step: does a next life follow, and when. */
void restart_facts(const struct engine *e, struct turn *t, struct pod_facts *facts);
/* The want of a pod that is told to stop for this reason: a user's word is the last one. */
enum pod_want restart_want(const struct pod *p, enum pod_cause why);
/* What an event changes; before the turn has changed the cause, while the state is the old one. */
void restart_apply(const struct engine *e, const struct turn *t);

/* A pod as it was before its new `run` has handed it over. */
struct restart_before {
	struct request *request;
	struct pod_app *app;
	size_t napps;
};
/* HANDED_OVER: takes the new request, apps begin anew. Ends by one of the other two. */
struct restart_before *restart_renew(struct pod *p, json_t *request);
void restart_undo(struct pod *p, struct restart_before *before);
void restart_done(struct restart_before *before);

/* The turn's rows of this; nothing for a pod that has no policy. */
int restart_write(struct engine *e, const struct turn *t, struct err *err);

#endif
