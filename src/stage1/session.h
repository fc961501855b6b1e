/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's vchan session with xenpod-init (proto/stream.h): waits for the guest's rendezvous
 * ring, binds it, carries frames both ways, lets go of the ring. Nothing here waits except libxs
 * itself. The grant mapping keeps a dying domain alive and the ring never tells of its death
 * (design-review 1): so the owner must call session_let_go as soon as anyone says that it died.
 */
#ifndef STAGE1_SESSION_H
#define STAGE1_SESSION_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/stream.h"

struct session;

/* One whole frame of the guest; `data` has h->length bytes and lives during the call only. */
typedef void (*session_frame_fn)(void *user, const struct stream_header *h, const uint8_t *data);

/*
 * Starts looking for the ring of domain `domid`, which must be the pod `uuid`. `hello` is sent
 * first (stolen). The domain need not run yet. ERR_UNAVAILABLE when xenstore is not there.
 */
struct session *session_new(const char *uuid, uint32_t domid, json_t *hello,
	session_frame_fn on_frame, void *user, struct err *err);
/* Unmaps at once, without draining; NULL is fine. */
void session_free(struct session *s);

#define SESSION_POLLFDS 3
/* What to poll for; entries that do not apply get fd -1. */
void session_poll(const struct session *s, struct pollfd ret[SESSION_POLLFDS]);

/* Milliseconds until session_turn has something to do even without an event; -1: nothing. */
int session_wait_ms(const struct session *s);

enum session_result {
	SESSION_GOES_ON,
	SESSION_CLOSED, /* by the guest, or a fault: err says which; the ring is let go */
	SESSION_GONE, /* the domain is no longer there or no longer this pod; the ring is let go */
};
/* Does what can be done now. Call it after each poll. */
enum session_result session_turn(struct session *s, struct err *err);

/* A reader that is slow: nothing is read from the ring, so the guest's writers wait. */
void session_pause(struct session *s, bool on);

/* Queues a frame; before the ring is bound it waits. */
void session_send(struct session *s, const struct stream_header *h, const void *data);
/* Bytes that are queued and not yet in the ring. */
size_t session_queued(const struct session *s);
bool session_mapped(const struct session *s);

/* Hands what the ring still holds to on_frame, then unmaps. Harmless when not mapped. */
void session_let_go(struct session *s);

#endif
