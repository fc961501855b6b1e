/* SPDX-License-Identifier: Apache-2.0 */
/* Binary heap of pods by heap_due; each pod remembers its place. */
#include "daemon/deadlines.h"

#include <stdlib.h>

#include "base/alloc.h"

void deadlines_done(struct deadlines *d)
{
	free(d->heap);
	*d = (struct deadlines){0};
}

static void put(struct deadlines *d, size_t i, struct pod *p)
{
	d->heap[i] = p;
	p->heap_pos = i + 1;
}

static void sift_up(struct deadlines *d, size_t i)
{
	struct pod *p = d->heap[i];
	while (i > 0) {
		size_t up = (i - 1) / 2;
		if (d->heap[up]->heap_due <= p->heap_due)
			break;
		put(d, i, d->heap[up]);
		i = up;
	}
	put(d, i, p);
}

static void sift_down(struct deadlines *d, size_t i)
{
	struct pod *p = d->heap[i];
	for (;;) {
		size_t kid = 2 * i + 1;
		if (kid >= d->n)
			break;
		if (kid + 1 < d->n && d->heap[kid + 1]->heap_due < d->heap[kid]->heap_due)
			kid++;
		if (d->heap[kid]->heap_due >= p->heap_due)
			break;
		put(d, i, d->heap[kid]);
		i = kid;
	}
	put(d, i, p);
}

static void take_out(struct deadlines *d, struct pod *p)
{
	size_t i = p->heap_pos - 1;
	p->heap_pos = 0;
	struct pod *last = d->heap[--d->n];
	if (last == p)
		return;
	put(d, i, last);
	sift_up(d, i);
	sift_down(d, last->heap_pos - 1);
}

void deadlines_set(struct deadlines *d, struct pod *p, int64_t due_ns)
{
	if (p->heap_pos)
		take_out(d, p);
	p->heap_due = due_ns;
	if (!due_ns)
		return;
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->heap = xreallocarray(d->heap, d->cap, sizeof(struct pod *));
	}
	put(d, d->n++, p);
	sift_up(d, d->n - 1);
}

struct pod *deadlines_first(const struct deadlines *d)
{
	return d->n ? d->heap[0] : NULL;
}
