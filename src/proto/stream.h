/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames on a vchan session between a hook (client) and xenpod-init (server). A session is one
 * ring: the guest offers `s/<n>` and writes n to `next`; whoever binds it owns it, the guest then
 * offers n+1. The client's first frame is HELLO; any fault or close ends the session, nothing is
 * resumed.
 *
 * Frame: 8 bytes header, little endian: u8 type, u8 stream, u16 app, u32 length; then `length`
 * bytes. Length is at most STREAM_PAYLOAD_MAX; a larger one ends the session.
 *
 *   client -> guest
 *     HELLO   JSON {"version":1,"uuid","generation","kind":"streams"|"enter", and for enter:
 *             "app" (optional: absent = in the init's own root), "argv":[...], "env":["K=V"...],
 *             "tty":{"rows","cols"} (optional)}
 *     DATA    stream STREAM_STDIN: bytes for stdin (app = index for streams, 0 for enter)
 *     EOF     stream STREAM_STDIN: no more
 *     SIGNAL  4 bytes: signal number (for enter: to the command; for streams: to app)
 *     WINCH   4 bytes: u16 rows, u16 cols
 *   guest -> client
 *     WELCOME JSON {"version":1,"apps":["name",...]}: HELLO was accepted; the first frame
 *     ERROR   JSON {"message"}; the session ends
 *     DATA    stream STREAM_STDOUT/STDERR, app = index (0 for enter)
 *     EOF     that stream of that app has ended
 *     APP     8 bytes: u32 gstate kind (EXITED, KILLED, OOM, FAILED), u32 code: app has ended
 *     ACK     4 bytes: u32 bytes of stdin taken (of that app) since the last ACK
 *     EXIT    8 bytes: u32 kind (EXITED or KILLED), u32 code: enter's command has ended; last frame
 *             (could not be run: EXITED 127, not there, or 126; the reason is on its stderr)
 *     LOST    4 bytes: u32 bytes of that stream and app were thrown away here, because nobody read
 *     END     4 bytes: u32 pod's exit code: all apps ended, all output was sent; last frame
 *
 * Back-pressure is the ring's: a reader that does not read stops the writer. stdin of enter is
 * bounded by credit: a client has at most STREAM_CREDIT unacknowledged DATA bytes under way, so
 * that a command that does not read its stdin cannot block SIGNAL or EXIT.
 */
#ifndef PROTO_STREAM_H
#define PROTO_STREAM_H

#include <stddef.h>
#include <stdint.h>

#define STREAM_VERSION      1
#define STREAM_HEADER_SIZE  8
#define STREAM_PAYLOAD_MAX  8192
#define STREAM_HELLO_MAX    131072 /* argv and environment of enter, sent as HELLO chunks */
#define STREAM_RING_SIZE    16384  /* each way; gntalloc allows a guest 1024 pages in all */
#define STREAM_MAX_SESSIONS 32
#define STREAM_CREDIT       16384

enum stream_type {
	STREAM_HELLO = 1, /* may be split: every chunk but the last has stream = 1 ("more") */
	STREAM_WELCOME,
	STREAM_ERROR,
	STREAM_DATA,
	STREAM_EOF,
	STREAM_SIGNAL,
	STREAM_WINCH,
	STREAM_ACK,
	STREAM_APP,
	STREAM_EXIT,
	STREAM_END,
	STREAM_LOST,
	STREAM_TYPE_MAX_
};

enum stream_id { STREAM_STDIN = 0, STREAM_STDOUT = 1, STREAM_STDERR = 2 };

struct stream_header {
	enum stream_type type;
	uint8_t stream;
	uint16_t app;
	uint32_t length;
};

/* Serialises into 8 bytes. */
void stream_header_put(const struct stream_header *h, uint8_t buf[STREAM_HEADER_SIZE]);
/* 0, or -1: unknown type, stream > 2, or length over STREAM_PAYLOAD_MAX. */
int stream_header_get(const uint8_t buf[STREAM_HEADER_SIZE], struct stream_header *ret);

void stream_put_u32(uint8_t *p, uint32_t v);
uint32_t stream_get_u32(const uint8_t *p);

#endif
