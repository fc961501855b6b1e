/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a session become output of this process and, at the end, its result. */
#ifndef STAGE1_RELAY_H
#define STAGE1_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/gstate.h"
#include "proto/stream.h"
#include "stage1/sink.h"

/* So many bytes may wait for a slow reader before the guest's writers are made to wait. */
#define RELAY_WAITING_MAX (64 * 1024)

struct relay {
	struct sink out;
	struct sink err;
	bool skip_out; /* who reads it has it already, by another way */
	bool skip_err;
	bool welcome;
	bool ended;            /* END, EXIT or ERROR came: nothing more follows */
	enum gstate_kind kind; /* EXIT: EXITED or KILLED; END: EXITED */
	int code;
	char refused[256]; /* ERROR's message, printable; "" when there was none */
};

/* Writes to this process' stdout and stderr. */
void relay_open(struct relay *r);
void relay_done(struct relay *r);

/* Log lines go to the same sink, so that a stopped terminal cannot block us, and begin at its left
 * edge also when it is raw; NULL: as before. */
void relay_log_through(struct relay *r);

/* A session_frame_fn; `user` is the relay. */
void relay_frame(void *user, const struct stream_header *h, const uint8_t *data);

void relay_flush(struct relay *r);
bool relay_waiting(const struct relay *r); /* something is still to be written */
bool relay_full(const struct relay *r);    /* no more should be read */

#endif
