/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long things took: a histogram of fixed size, so that noting one costs no memory and next to no
 * time. Its steps are an eighth of the value, so a quantile is never told too small, and at most an
 * eighth too large.
 */
#ifndef DAEMON_DURATIONS_H
#define DAEMON_DURATIONS_H

#include <stdint.h>

#define DURATIONS_PARTS 8  /* steps between two powers of two */
#define DURATIONS_TOP   48 /* powers of two: more than three days of ns */

/* {0} is valid: nothing was noted. */
struct durations {
	int64_t n, max_ns;
	uint64_t count[DURATIONS_TOP * DURATIONS_PARTS];
};

/* Less than 0 counts as 0. */
void durations_note(struct durations *d, int64_t ns);
/* So many of a thousand took no longer than this; 0 when nothing was noted. */
int64_t durations_quantile(const struct durations *d, int permille);

#endif
