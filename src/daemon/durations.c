/* SPDX-License-Identifier: Apache-2.0 */
/* The histogram of durations: see durations.h. */
#include "daemon/durations.h"

#include <stddef.h>

#define PART_BITS 3 /* of DURATIONS_PARTS */
#define STEPS     ((size_t)(DURATIONS_TOP * DURATIONS_PARTS))

/* Values below DURATIONS_PARTS have a step each; above, the highest bit and the three below it. */
static size_t step_of(uint64_t ns)
{
	if (ns < DURATIONS_PARTS)
		return (size_t)ns;
	unsigned high = 63U - (unsigned)__builtin_clzll(ns);
	unsigned shift = high - PART_BITS;
	size_t step = ((size_t)(shift + 1) << PART_BITS) + (size_t)(ns >> shift) - DURATIONS_PARTS;
	return step < STEPS ? step : STEPS - 1;
}

/* The largest value that is counted there. */
static int64_t top_of(size_t step)
{
	if (step < DURATIONS_PARTS)
		return (int64_t)step;
	unsigned shift = (unsigned)(step >> PART_BITS) - 1;
	uint64_t first = (step & (DURATIONS_PARTS - 1)) + DURATIONS_PARTS;
	return (int64_t)(((first + 1) << shift) - 1);
}

void durations_note(struct durations *d, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	d->n++;
	if (ns > d->max_ns)
		d->max_ns = ns;
	d->count[step_of((uint64_t)ns)]++;
}

int64_t durations_quantile(const struct durations *d, int permille)
{
	/* Rounded up: of ten, 99 % are ten. */
	uint64_t wanted = ((uint64_t)d->n * (uint64_t)permille + 999) / 1000;
	uint64_t seen = 0;
	for (size_t i = 0; i < STEPS && d->n; i++) {
		seen += d->count[i];
		if (seen >= wanted)
			return top_of(i) < d->max_ns ? top_of(i) : d->max_ns;
	}
	return d->max_ns;
}
