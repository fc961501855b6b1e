/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest tells the supervisor through xenstore (proto/gstate.h): one write per change.
 * xenstored is asked synchronously: when Dom-0's stops, so do we, and so does everything else.
 */
#ifndef GUEST_STATE_H
#define GUEST_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/gstate.h"
#include "proto/spec.h"

struct state {
	struct xs_handle *xs; /* NULL: not connected; then nothing is told */
	uint32_t pod_seq;
	uint32_t app_seq[SPEC_MAX_APPS];
};

int state_open(struct state *state, struct err *err);
/* `text` for GSTATE_FAILED only (an app's may be ""); characters outside the grammar become "?".
 * Failures are logged. */
void state_pod(struct state *state, enum gstate_kind kind, int code, const char *text);
void state_app(struct state *state, size_t app, enum gstate_kind kind, int code, const char *text);
void state_next(struct state *state, uint32_t ring);
/* Removes the node of a ring that is no more. */
void state_forget_ring(struct state *state, uint32_t ring);

#endif
