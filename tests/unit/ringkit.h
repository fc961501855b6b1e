/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vchan rings without Xen: what libxenvchan gives its callers, in memory. The code under test has
 * one end, as server or client; the test is the other end. A ring holds `space` bytes of what the
 * code under test writes, so a reader that does not read can be played.
 */
#ifndef UNIT_RINGKIT_H
#define UNIT_RINGKIT_H

#include <libxenvchan.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ringkit {
	struct libxenvchan chan; /* first: what the code under test holds */
	int event;
	int open;          /* as libxenvchan_is_open() tells: 2, nobody has bound it yet */
	const uint8_t *in; /* what it reads; borrowed */
	size_t in_len;
	uint8_t *out; /* what it wrote and ringkit_take() has not taken */
	size_t out_len;
	size_t out_cap;
	size_t space;
};

/* The ring that was made last; NULL: it has been closed by the code under test, or none was made. */
extern struct ringkit *ringkit_ring;

/* Wakes the code under test. */
void ringkit_kick(struct ringkit *r);
/* The other end gives these bytes, which are read from where they are, and wakes it. */
void ringkit_put(struct ringkit *r, const void *data, size_t len);
/* The other end has read `len` bytes of `out`: those behind move to its beginning. */
void ringkit_take(struct ringkit *r, size_t len);
/* The other end has closed. */
void ringkit_hang_up(struct ringkit *r);

#endif
