/* SPDX-License-Identifier: Apache-2.0 */
/* The world of the benchmarks: see world.h. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"

struct domain {
	char uuid[UUID_TEXT_SIZE];
	int64_t domid; /* 0: dead, the place is free */
};

/* What was asked and is answered at the next turn; op 0: asked of the sensors. */
struct question {
	struct question *next;
	int64_t op;
	json_t *frame;
};

struct bench_world {
	struct world base;
	struct loop_timer *timer;
	const char *store;
	struct domain *domain;
	size_t n, cap;
	struct question *head, **tail;
	int64_t cost;
};

static struct bench_world *of(const struct world *w)
{
	struct bench_world *b;
	memcpy(&b, &w, sizeof b);
	return b;
}

static void ask(struct bench_world *b, int64_t op, const json_t *frame)
{
	struct question *q = xcalloc(1, sizeof *q);
	q->op = op;
	q->frame = json_copy((json_t *)(uintptr_t)frame);
	*b->tail = q;
	b->tail = &q->next;
	loop_timer_set(b->timer, 0);
}

static void tell(struct bench_world *b, json_t *frame /* stolen */)
{
	b->base.events.watch_frame(b->base.events.ctx, frame);
	json_decref(frame);
}

static void tell_domain(struct bench_world *b, const struct domain *d, int64_t list)
{
	int64_t began = clock_boot_ns();
	json_t *f = json_make("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:I}", "t", "domain", "domid",
		(json_int_t)d->domid, "uuid", d->uuid, "state", "running", "store", b->store,
		"generation", (json_int_t)1, "memory_kib", (json_int_t)262144, "n",
		(json_int_t)list);
	b->cost += clock_boot_ns() - began;
	tell(b, f);
}

static const struct domain *find(const struct bench_world *b, const char *uuid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->domain[i].domid && !strcmp(b->domain[i].uuid, uuid))
			return &b->domain[i];
	return NULL;
}

static void answer_list(struct bench_world *b, json_int_t n)
{
	tell(b, json_make("{s:s, s:I}", "t", "list-begin", "n", n));
	for (size_t i = 0; i < b->n; i++)
		if (b->domain[i].domid)
			tell_domain(b, &b->domain[i], n);
	tell(b, json_make("{s:s, s:I}", "t", "list-end", "n", n));
}

static void answer_sensors(struct bench_world *b, const json_t *frame)
{
	const char *t = json_str_opt(frame, "t", "");
	json_int_t n = json_int_opt(frame, "n", 0);
	if (!strcmp(t, "list"))
		answer_list(b, n);
	else if (!strcmp(t, "ping"))
		tell(b, json_make("{s:s, s:I}", "t", "pong", "n", n));
	else if (!strcmp(t, "hello"))
		tell(b, json_make("{s:s, s:i, s:s}", "t", "hello", "version", 1, "xen", "bench"));
}

static void answer_helper(struct bench_world *b, int64_t op)
{
	_cleanup_json_ json_t *f = json_make("{s:s, s:I}", "t", "done", "op", (json_int_t)op);
	b->base.events.act_frame(b->base.events.ctx, op, f);
	b->base.events.act_exit(b->base.events.ctx, op, 0);
}

static void answer(void *ctx)
{
	struct bench_world *b = ctx;
	struct question *q = b->head;
	b->head = NULL;
	b->tail = &b->head;
	while (q) {
		struct question *next = q->next;
		if (q->op)
			answer_helper(b, q->op);
		else
			answer_sensors(b, q->frame);
		json_decref(q->frame);
		free(q);
		q = next;
	}
}

/* ---- as the engine sees it ------------------------------------------------------------------ */

/* Of a watch there is nothing to say: the list that follows a start has it all. */
static void watch_send(struct world *w, const json_t *frame)
{
	const char *t = json_str_opt(frame, "t", "");
	if (strcmp(t, "watch") && strcmp(t, "unwatch"))
		ask(of(w), 0, frame);
}

static void watch_restart(struct world *w, const char *why)
{
	(void)w;
	(void)why;
}

static int act_start(struct world *w, int64_t op, const json_t *request, const int *fds,
	size_t nfds, struct err *err)
{
	(void)fds;
	(void)nfds;
	(void)err;
	ask(of(w), op, request);
	return 0;
}

static void act_send(struct world *w, int64_t op, const json_t *frame)
{
	(void)w;
	(void)op;
	(void)frame;
}

static void act_kill(struct world *w, int64_t op)
{
	(void)w;
	(void)op;
}

static bool helper_alive(struct world *w, const char *uuid)
{
	(void)w;
	(void)uuid;
	return false;
}

static void helper_kill(struct world *w, const char *uuid)
{
	(void)w;
	(void)uuid;
}

static int qemu_watch(
	struct world *w, const char *uuid, int64_t pid, int64_t start, int64_t *ret_start)
{
	(void)w;
	(void)uuid;
	(void)pid;
	if (ret_start)
		*ret_start = start;
	return 0;
}

static void qemu_kill(struct world *w, int64_t pid)
{
	(void)w;
	(void)pid;
}

static void world_free(struct world *w)
{
	struct bench_world *b = of(w);
	while (b->head) {
		struct question *next = b->head->next;
		json_decref(b->head->frame);
		free(b->head);
		b->head = next;
	}
	loop_timer_free(b->timer);
	free(b->domain);
	free(b);
}

static const struct world_ops ops = {
	.name = "bench",
	.watch_send = watch_send,
	.watch_restart = watch_restart,
	.act_start = act_start,
	.act_send = act_send,
	.act_kill = act_kill,
	.helper_alive = helper_alive,
	.helper_kill = helper_kill,
	.qemu_watch = qemu_watch,
	.qemu_kill = qemu_kill,
	.free = world_free,
};

struct world *bench_world_new(struct loop *l, const char *store, const struct world_events *events)
{
	struct bench_world *b = xcalloc(1, sizeof *b);
	b->base.ops = &ops;
	b->base.events = *events;
	b->store = store;
	b->tail = &b->head;
	b->timer = loop_timer_new(l, answer, b);
	_cleanup_json_ json_t *hello = json_make("{s:s}", "t", "hello");
	ask(b, 0, hello);
	return &b->base;
}

void bench_world_put(struct world *w, const char *uuid, int64_t domid)
{
	struct bench_world *b = of(w);
	size_t at = 0;
	while (at < b->n && b->domain[at].domid)
		at++;
	if (at == b->n && b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->domain = xreallocarray(b->domain, b->cap, sizeof *b->domain);
	}
	b->n += at == b->n;
	struct domain *d = &b->domain[at];
	*d = (struct domain){.domid = domid};
	memcpy(d->uuid, uuid, sizeof d->uuid);
}

bool bench_world_kill(struct world *w, const char *uuid)
{
	struct bench_world *b = of(w);
	const struct domain *d = find(b, uuid);
	if (!d)
		return false;
	json_t *gone = json_make(
		"{s:s, s:I, s:s}", "t", "gone", "domid", (json_int_t)d->domid, "uuid", uuid);
	int64_t pid = d->domid + BENCH_QEMU;
	b->domain[d - b->domain].domid = 0;
	w->events.qemu_exit(w->events.ctx, uuid, pid);
	tell(b, gone);
	return true;
}

int64_t bench_world_cost(const struct world *w)
{
	return of(w)->cost;
}
