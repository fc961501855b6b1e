/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The varlink wire protocol (varlink.org): NUL-terminated JSON objects over an AF_UNIX stream.
 * Call {"method","parameters","more"}; reply {"parameters","continues"}; error
 * {"error","parameters"}. Descriptors travel with the first byte of the message they belong to;
 * docs/API.md names them. One codec serves the supervisor (non-blocking) and its clients (blocking,
 * with a deadline).
 */
#ifndef BASE_VARLINK_H
#define BASE_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/frame.h"

#define VARLINK_MAX (1024 * 1024) /* one message; a client that sends more is cut off */

struct varlink;

/* Takes ownership of `sock`. */
struct varlink *varlink_new(int sock);
/* Connects to a socket path. ERR_UNAVAILABLE names the path and what to do. */
struct varlink *varlink_connect(const char *path, struct err *err);
void varlink_free(struct varlink *v);
void varlink_freep(struct varlink **v);
#define _cleanup_varlink_ __attribute__((cleanup(varlink_freep)))
int varlink_fd(const struct varlink *v);

/*
 * Reads what is there: 1 something was read, 0 end of file, FRAME_AGAIN nothing yet, -1 error
 * (too long, socket fault).
 */
int varlink_fill(struct varlink *v, struct err *err);
/* Next whole message: 1 and *ret (caller decrefs), 0 none yet, -1 not a JSON object. */
int varlink_next(struct varlink *v, json_t **ret, struct err *err);
/* The oldest received descriptor, -1 when there is none; the caller owns it. */
int varlink_take_fd(struct varlink *v);

/* Queues a message (fds are dup'ed) and tries to send; what does not fit waits for varlink_flush.
 */
void varlink_queue(struct varlink *v, const json_t *msg, const int *fds, size_t nfds);
/* 0 all sent, FRAME_AGAIN something waits for POLLOUT, -1 the peer has gone. */
int varlink_flush(struct varlink *v);
bool varlink_pending(const struct varlink *v);
size_t varlink_queued_bytes(const struct varlink *v);

/* Clients, blocking. Sends a call. */
int varlink_call(struct varlink *v, const char *method, json_t *params /* stolen */, bool more,
	const int *fds, size_t nfds, struct err *err);
/*
 * Waits for the next reply at most `timeout_ms` (-1: for ever): parameters in *ret (caller
 * decrefs). A varlink error becomes err with its code and "message". ERR_UNAVAILABLE when the
 * supervisor went away.
 */
int varlink_reply(
	struct varlink *v, int timeout_ms, json_t **ret, bool *ret_continues, struct err *err);
/* varlink_call + one varlink_reply. */
int varlink_roundtrip(struct varlink *v, const char *method, json_t *params /* stolen */,
	int timeout_ms, json_t **ret, struct err *err);

/* Server side builders; the caller decrefs. */
json_t *varlink_make_reply(json_t *params /* stolen */, bool continues);
json_t *varlink_make_error(const struct err *err);

#endif
