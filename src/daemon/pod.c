/* SPDX-License-Identifier: Apache-2.0 */
/* Pods in memory: table, fields, conversion to and from stored records. Decides nothing. */
#include "daemon/pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

#define BUCKETS_MIN 64

struct pods {
	struct pod **bucket;
	size_t nbuckets; /* a power of two */
	size_t count;
};

/* UUIDs are random: their first digits are as good as a hash (FNV mixes made-up ones). */
static size_t hash(const char *uuid)
{
	uint32_t h = 2166136261u;
	for (const char *s = uuid; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h;
}

struct pods *pods_new(void)
{
	struct pods *t = xcalloc(1, sizeof *t);
	t->nbuckets = BUCKETS_MIN;
	t->bucket = xcalloc(t->nbuckets, sizeof(struct pod *));
	return t;
}

void pods_free(struct pods *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nbuckets; i++) {
		struct pod *next;
		for (struct pod *p = t->bucket[i]; p; p = next) {
			next = p->next;
			pod_free(p);
		}
	}
	free(t->bucket);
	free(t);
}

static struct pod **slot(const struct pods *t, const char *uuid)
{
	struct pod **p = &t->bucket[hash(uuid) & (t->nbuckets - 1)];
	while (*p && strcmp((*p)->uuid, uuid))
		p = &(*p)->next;
	return p;
}

static void grow(struct pods *t)
{
	struct pods bigger = {.nbuckets = t->nbuckets * 2, .count = t->count};
	bigger.bucket = xcalloc(bigger.nbuckets, sizeof(struct pod *));
	for (size_t i = 0; i < t->nbuckets; i++) {
		struct pod *next;
		for (struct pod *p = t->bucket[i]; p; p = next) {
			next = p->next;
			struct pod **b = &bigger.bucket[hash(p->uuid) & (bigger.nbuckets - 1)];
			p->next = *b;
			*b = p;
		}
	}
	free(t->bucket);
	*t = bigger;
}

void pods_add(struct pods *t, struct pod *p)
{
	if (t->count >= t->nbuckets)
		grow(t);
	struct pod **s = slot(t, p->uuid);
	p->next = NULL;
	*s = p;
	t->count++;
}

void pods_remove(struct pods *t, struct pod *p)
{
	struct pod **s = slot(t, p->uuid);
	if (*s != p)
		return;
	*s = p->next;
	p->next = NULL;
	t->count--;
}

struct pod *pods_find(const struct pods *t, const char *uuid)
{
	return *slot(t, uuid);
}

size_t pods_count(const struct pods *t)
{
	return t->count;
}

void pods_each(const struct pods *t, void (*fn)(void *ctx, struct pod *p), void *ctx)
{
	for (size_t i = 0; i < t->nbuckets; i++)
		for (struct pod *p = t->bucket[i]; p; p = p->next)
			fn(ctx, p);
}

/* The table may have grown since: what was in bucket b is in b, b + buckets, b + 2 * buckets ... */
bool pods_some(const struct pods *t, struct pods_cursor *c, size_t least,
	void (*fn)(void *ctx, struct pod *p), void *ctx)
{
	size_t n = 0;
	if (!c->buckets)
		c->buckets = t->nbuckets;
	for (; c->at < c->buckets && n < least; c->at++)
		for (size_t b = c->at; b < t->nbuckets; b += c->buckets)
			for (struct pod *p = t->bucket[b]; p; p = p->next, n++)
				fn(ctx, p);
	return c->at < c->buckets;
}

struct pod *pod_new(const char *uuid)
{
	struct pod *p = xcalloc(1, sizeof *p);
	snprintf(p->uuid, sizeof p->uuid, "%s", uuid);
	p->core.domid = -1;
	p->core.code = -1;
	p->lock_fd = p->status_fd = p->kernel_fd = p->ramdisk_fd = -1;
	return p;
}

void pod_close_start_fds(struct pod *p)
{
	fd_close(&p->kernel_fd);
	fd_close(&p->ramdisk_fd);
	fds_done(&p->trees);
}

void pod_take_start_fds(struct pod *p, struct pod *sent)
{
	pod_close_start_fds(p);
	fd_close(&p->status_fd);
	p->status_fd = TAKE_FD(sent->status_fd);
	p->kernel_fd = TAKE_FD(sent->kernel_fd);
	p->ramdisk_fd = TAKE_FD(sent->ramdisk_fd);
	p->trees = sent->trees;
	sent->trees.n = 0;
}

void pod_free(struct pod *p)
{
	if (!p)
		return;
	pod_close_start_fds(p);
	fd_close(&p->lock_fd);
	fd_close(&p->status_fd);
	request_free(p->request);
	json_decref(p->nets);
	seen_done(&p->seen);
	free(p->app);
	free(p);
}

json_t *pod_request(const struct pod *p)
{
	return request_tree(p->request);
}

void pod_rest(const struct pod *p)
{
	if (p->core.state >= POD_RUNNING)
		request_rest(p->request);
}

json_t *pod_guest_spec(const struct pod *p)
{
	return json_object_get(pod_request(p), "guest");
}

const char *pod_dir(const struct pod *p)
{
	return p->request ? p->request->dir : "";
}

bool pod_has_network(const struct pod *p)
{
	return p->request && p->request->network;
}

json_t *pod_network(const struct pod *p)
{
	return pod_has_network(p) ? json_object_get(pod_request(p), "network") : NULL;
}

void pod_set_nets(struct pod *p, json_t *nets)
{
	json_t *old = p->nets;
	p->nets = json_incref(nets);
	json_decref(old);
}

static void take_request(struct pod *p, struct request *r)
{
	request_free(p->request);
	p->request = r;
	p->policy = r->policy;
	p->burst = r->burst;
}

void pod_set_request(struct pod *p, json_t *request)
{
	take_request(p, request_new(request));
	p->napps = 0;
	const json_t *apps = json_object_get(pod_guest_spec(p), "apps");
	for (size_t i = 0; i < json_array_size(apps) && i < SPEC_MAX_APPS; i++)
		pod_add_app(p, json_str_opt(json_array_get(apps, i), "name", ""));
}

struct pod_app *pod_add_app(struct pod *p, const char *name)
{
	p->app = xreallocarray(p->app, p->napps + 1, sizeof *p->app);
	struct pod_app *a = &p->app[p->napps++];
	*a = (struct pod_app){.code = -1};
	snprintf(a->name, sizeof a->name, "%s", name);
	return a;
}

bool pod_quiet(const struct pod *p)
{
	return !p->sessions && !p->qemu_alive;
}

const char *pod_app_state_name(const struct pod_app *a)
{
	return a->kind == GSTATE_BOOTING ? "waiting" : gstate_kind_name(a->kind);
}

bool pod_app_ended(const struct pod_app *a)
{
	return a->kind == GSTATE_EXITED || a->kind == GSTATE_KILLED || a->kind == GSTATE_OOM ||
	       a->kind == GSTATE_FAILED;
}

bool pod_app_by_signal(const struct pod_app *a)
{
	return a->kind == GSTATE_KILLED || a->kind == GSTATE_OOM;
}

/* Of two at the same moment the one for want of memory counts: it says more. */
bool pod_out_of_memory(const struct pod *p)
{
	const struct pod_app *first = NULL;
	for (size_t i = 0; i < p->napps; i++) {
		const struct pod_app *a = &p->app[i];
		if (!pod_app_ended(a) || (a->kind == GSTATE_EXITED && a->code == 0))
			continue;
		if (!first || a->ended_at < first->ended_at ||
			(a->ended_at == first->ended_at && a->kind == GSTATE_OOM))
			first = a;
	}
	return first && first->kind == GSTATE_OOM;
}

/* Records own their strings when read, and borrow them when written: the store only reads. */
char *pod_borrow(const char *s)
{
	char *p;
	memcpy(&p, &s, sizeof p);
	return p;
}

void pod_to_row(const struct pod *p, const char *boot_id, struct pod_row *ret)
{
	const struct pod_core *c = &p->core;
	*ret = (struct pod_row){
		.state = pod_borrow(pod_state_name(c->state)),
		.want = pod_borrow(pod_want_name(c->want)),
		.seq = c->seq,
		.generation = c->generation,
		.domid = c->domid,
		.deadline_ns = c->deadline_ns,
		.boot_id = pod_borrow(boot_id),
		.cause = pod_borrow(pod_cause_name(c->cause)),
		.message = pod_borrow(c->message),
		.code = c->code,
		.forced = c->forced,
		.qemu_pid = c->qemu_pid,
		.qemu_start = c->qemu_start,
		.lock_dev = p->lock_dev,
		.lock_ino = p->lock_ino,
		.created_at = p->created_at,
		.started_at = c->started_at,
		.ended_at = c->ended_at,
	};
	memcpy(ret->uuid, p->uuid, sizeof ret->uuid);
}

void pod_restart_to_row(const struct pod *p, struct pod_row *ret)
{
	const struct pod_core *c = &p->core;
	*ret = (struct pod_row){
		.policy = pod_borrow(restart_policy_name(p->policy)),
		.burst = p->burst,
		.lives = c->lives,
		.starts = c->starts,
		.tries = c->tries,
		.given_up = c->given_up,
		.running_ns = c->running_ns,
	};
	memcpy(ret->uuid, p->uuid, sizeof ret->uuid);
}

void pod_app_to_row(const struct pod *p, size_t i, struct app_row *ret)
{
	const struct pod_app *a = &p->app[i];
	bool by_signal = pod_app_by_signal(a);
	*ret = (struct app_row){
		.idx = (int64_t)i,
		.name = pod_borrow(a->name),
		.state = pod_borrow(pod_app_state_name(a)),
		.code = pod_app_ended(a) && !by_signal ? a->code : -1,
		.signal = by_signal ? a->code : -1,
		.seq = a->seq,
		.started_at = a->started_at,
		.ended_at = a->ended_at,
		.message = pod_borrow(a->message),
	};
}

static int bad_column(struct err *err, const char *uuid, const char *column, const char *value)
{
	return err_set(err, ERR_STORE, "pod %s: column %s holds \"%s\"", uuid, column, value);
}

int pod_from_row(struct pod *p, const struct pod_row *r, struct err *err)
{
	int state = pod_state_from_name(r->state);
	int want = pod_want_from_name(r->want);
	int cause = pod_cause_from_name(r->cause);
	if (state < 0)
		return bad_column(err, r->uuid, "state", r->state);
	if (want < 0)
		return bad_column(err, r->uuid, "want", r->want);
	if (cause < 0)
		return bad_column(err, r->uuid, "cause", r->cause);
	struct request *request = request_from_text(r->request, err);
	if (!request)
		return err_wrap(err, "pod %s", r->uuid);
	take_request(p, request);
	p->core = (struct pod_core){
		.state = (enum pod_state)state,
		.want = (enum pod_want)want,
		.cause = (enum pod_cause)cause,
		.seq = r->seq,
		.generation = r->generation,
		.domid = r->domid,
		.deadline_ns = r->deadline_ns,
		.code = r->code,
		.forced = r->forced,
		.qemu_pid = r->qemu_pid,
		.qemu_start = r->qemu_start,
		.started_at = r->started_at,
		.ended_at = r->ended_at,
		.lives = (int)r->lives,
		.starts = (int)r->starts,
		.tries = (int)r->tries,
		.given_up = r->given_up,
		.running_ns = r->running_ns,
	};
	snprintf(p->core.message, sizeof p->core.message, "%s", r->message);
	p->lock_dev = r->lock_dev;
	p->lock_ino = r->lock_ino;
	p->created_at = r->created_at;
	return 0;
}
