/* SPDX-License-Identifier: Apache-2.0 */
/* Events by time, and by order of making where times are equal: a binary heap. */
#include <stdlib.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct queue *q, size_t a, size_t b)
{
	struct event *t = q->heap[a];
	q->heap[a] = q->heap[b];
	q->heap[b] = t;
}

void queue_push(struct queue *q, struct event *ev)
{
	if (q->n == q->cap) {
		q->cap = q->cap ? 2 * q->cap : 64;
		q->heap = xreallocarray(q->heap, q->cap, sizeof(*q->heap));
	}
	ev->order = q->order++;
	size_t i = q->n++;
	q->heap[i] = ev;
	while (i && before(q->heap[i], q->heap[(i - 1) / 2])) {
		swap(q, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static size_t smaller_child(const struct queue *q, size_t i)
{
	size_t c = 2 * i + 1;
	return c + 1 < q->n && before(q->heap[c + 1], q->heap[c]) ? c + 1 : c;
}

struct event *queue_pop(struct queue *q)
{
	struct event *top = q->heap[0];
	q->heap[0] = q->heap[--q->n];
	size_t i = 0;
	for (;;) {
		size_t c = smaller_child(q, i);
		if (c >= q->n || !before(q->heap[c], q->heap[i]))
			return top;
		swap(q, i, c);
		i = c;
	}
}

void event_free(struct event *ev)
{
	json_decref(ev->data);
	free(ev);
}

void queue_free(struct queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		event_free(q->heap[i]);
	free(q->heap);
}
