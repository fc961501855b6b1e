/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over vchan (proto/stream.h): one free rendezvous ring is always offered; what binds it
 * becomes a session whose HELLO says what kind it is. This file knows rings and frames; kinds
 * (streams.c, enter.c) know what they mean. A client is Dom-0's, yet nothing it sends can do more
 * than end its own session.
 */
#ifndef GUEST_SESSION_H
#define GUEST_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/loop.h"
#include "guest/pod.h"
#include "proto/stream.h"

struct libxenvchan;
struct session;

/* Callbacks may call session_send() and session_finish(), never free the session. */
struct session_kind {
	const char *name;
	/* The HELLO was good; sends nothing yet. -1 with err: refused, the client is told. */
	int (*start)(struct session *s, const json_t *hello, struct err *err);
	/* A frame other than HELLO. -1 with err: the client is told and cut off. */
	int (*frame)(struct session *s, const struct stream_header *h, const uint8_t *payload,
		struct err *err);
	/* There is room in the ring: send what there is to send. */
	void (*pump)(struct session *s);
	/* All of it, up to session_finish(), is in the ring. */
	void (*finished)(struct session *s);
	/* The client is gone, or was cut off; `data` is the kind's to free. Once, if start was ok.
	 */
	void (*end)(struct session *s);
};

extern const struct session_kind streams_kind;
extern const struct session_kind enter_kind;

enum session_phase {
	SESSION_OFFERED, /* nobody has bound the ring yet */
	SESSION_HELLO,
	SESSION_ACTIVE,
	SESSION_FINISHING, /* what is queued goes out, then LINGERING */
	SESSION_LINGERING, /* the client may read what is in the ring and close */
	SESSION_DEAD,      /* freed in the next turn of the loop */
};

#define SESSION_FRAME_MAX (STREAM_HEADER_SIZE + STREAM_PAYLOAD_MAX)

struct session {
	struct session *next;
	struct pod *pod;
	uint32_t ring;
	enum session_phase phase;
	struct libxenvchan *chan;
	struct loop_watch watch;
	struct loop_timer timer;         /* deadline of HELLO and LINGERING; frees the DEAD */
	struct loop_timer again;         /* more to read than one turn may take */
	const struct session_kind *kind; /* NULL before HELLO and after `end` */
	void *data;
	char *hello;
	size_t hello_len;
	size_t rx_len;
	size_t tx_off;
	size_t tx_len;
	uint8_t rx[SESSION_FRAME_MAX];
	uint8_t tx[2 * SESSION_FRAME_MAX];
};

/* Offers the first ring. Without one there are no streams, but the pod can run: logged. */
void sessions_start(struct pod *pod);

/* Is there room to queue a frame with such a payload? */
bool session_room(const struct session *s, size_t payload);
/* Queues a frame; there must be room. */
void session_send(struct session *s, const struct stream_header *h, const void *payload);
/* The last frame has been queued. */
void session_finish(struct session *s);
bool session_finished(const struct session *s);
/* Bytes of output that were taken for the client, and are not in the ring yet. */
size_t session_unsent(const struct session *s);
/* Something new is there to be sent: pumps and writes to the ring. */
void session_kick(struct session *s);

#endif
