/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's ends of its standard streams, buffered and bounded: `output` is read only while there
 * is room (so a reader that does not read stops the program, not us), `input` is written as the
 * program takes it.
 */
#ifndef GUEST_PIPES_H
#define GUEST_PIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "guest/loop.h"

#define PIPE_LARGEST (1024 * 1024) /* pipe-max-size of proc(5), by default */

/* {0} is idle; output_done() makes it so again. */
struct output {
	struct loop_watch watch;
	int fd;
	uint8_t *buf; /* a ring of `cap` bytes: `len` from `head` on */
	size_t cap;
	size_t head;
	size_t len;
	bool eof; /* nothing more will come from the descriptor; the buffer may still hold some */
	size_t after_cut; /* bytes read since then */
	bool cut; /* no more waiting for the end: what the descriptor holds now is the last of it */
	bool drop_old;                       /* set by output_drop_old() */
	uint64_t lost;                       /* bytes thrown away since the caller set it to 0 */
	void (*changed)(struct output *out); /* bytes or the end have come */
	void *owner;                         /* the caller's */
};

/* Takes the descriptor over (non-blocking). `changed` and `owner` are the caller's to set. */
void output_init(struct output *out, struct loop *loop, int fd, size_t cap);
void output_done(struct output *out);
/* Nobody may ever read: the newest are kept, the program never waits. Harmless on {0}. */
void output_drop_old(struct output *out, bool on);
/* The longest piece at the front without a break: its length and *ret. */
size_t output_peek(const struct output *out, const uint8_t **ret);
void output_consume(struct output *out, size_t len);
/* Nothing is left and nothing will come. */
bool output_drained(const struct output *out);
/* Nothing is left here, and the descriptor has nothing at the moment. */
bool output_quiet(const struct output *out);
/* Gives up on writers that keep it open: what is in the pipe still counts, then it has ended. */
void output_cut(struct output *out);
/* Gives up on the reader: what is left, here and in the pipe, is counted in `lost`, and it has ended. */
void output_discard(struct output *out);

struct input {
	struct loop_watch watch;
	int fd; /* -1: closed, or the program does not read any more: all is thrown away */
	uint8_t *buf;
	size_t cap;
	size_t head;
	size_t len;
	size_t taken;  /* bytes that left the buffer and are not yet acknowledged */
	size_t others; /* bytes in the buffer that are none of this client's */
	bool ended;    /* the client's end: close when empty */
	bool terminal; /* the end is told by a character (VEOF), not by closing */
	void (*changed)(struct input *in); /* `taken` has grown */
	void *owner;
};

void input_init(struct input *in, struct loop *loop, int fd, size_t cap);
void input_done(struct input *in);
/* ERR_FULL: more than the buffer has room for, so the client did not keep to its credit. */
int input_put(struct input *in, const uint8_t *data, size_t len, struct err *err);
void input_end(struct input *in);
/*
 * Another client types from now on, with a credit of `credit` of its own: what the last one's bytes
 * become is none of its business. What it left is kept if the credit fits in behind it.
 */
void input_new_client(struct input *in, size_t credit);

/* A pipe whose `ours` end (0 read, 1 write) is non-blocking; both close-on-exec. */
int pipe_make(int ret[2], int ours, struct err *err);

#endif
