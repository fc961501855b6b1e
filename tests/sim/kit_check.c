/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked after every step and at the end, and the trace that tests compare. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "kit_int.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "daemon/engine_int.h"
#include "daemon/memory.h"

/* ---- trace ----------------------------------------------------------------------------------- */

static void begin_line(struct kit *k)
{
	int64_t ms = (sim_now(k->sim) - k->began) / 1000000;
	fprintf(k->trace, "%5lld.%02lld ", (long long)(ms / 1000), (long long)(ms % 1000 / 10));
}

static void apps_of(struct kit *k, const struct pod *p)
{
	for (size_t i = 0; i < p->napps; i++) {
		const struct pod_app *a = &p->app[i];
		fprintf(k->trace, " %s=%s", a->name, pod_app_state_name(a));
		if (pod_app_ended(a))
			fprintf(k->trace, ":%d", a->code);
	}
}

void kit_trace_turn(struct kit *k, struct kit_pod *kp, const struct turn_record *t)
{
	begin_line(k);
	fprintf(k->trace, "%s %s --%s--> %s", kp->name, pod_state_name(t->from), t->event_name,
		pod_state_name(t->to));
	if (t->event == EV_GUEST_APP)
		apps_of(k, t->pod);
	if (t->cause != kp->cause_told)
		fprintf(k->trace, " [%s]", pod_cause_name(t->cause));
	kp->cause_told = t->cause;
	fprintf(k->trace, "%s%s\n", t->detail[0] ? ": " : "", t->detail);
}

void kit_trace_note(struct kit *k, const struct kit_pod *kp, const char *what)
{
	begin_line(k);
	fprintf(k->trace, "  %s%s%s\n", kp ? kp->name : "", kp ? " " : "", what);
}

void kit_drop_trace(struct kit *k)
{
	fclose(k->trace);
	free(k->trace_text);
	k->trace_text = NULL;
	k->trace = open_memstream(&k->trace_text, &k->trace_len);
	assert_non_null(k->trace);
}

void kit_print_trace(struct kit *k)
{
	fflush(k->trace);
	fputs(k->trace_text, stderr);
}

void kit_assert_trace(struct kit *k, const char *want)
{
	fflush(k->trace);
	/* cmocka cuts its messages at 1024 bytes. */
	if (strcmp(k->trace_text, want) != 0) {
		fprintf(stderr, "want:\n%s---- but ----\n%s----\n", want, k->trace_text);
		fail_msg("the trace is not as it should be");
	}
	kit_drop_trace(k);
}

void kit_assert_trace_end(const struct kit_pod *kp, int64_t destroy_ms, const char *want)
{
	static const struct {
		int64_t ms;
		const char *before, *after; /* the pod's name */
	} end[] = {
		{0, "  ", " destroy"},
		{720, "", " destroying --destroyed--> dying"},
		{720, "  ", " unmap"},
		{720, "", " dying --domain-dead--> dying"},
		{800, "", " dying --quiet--> clearing"},
		{800, "  ", " clear"},
		{860, "", " clearing --cleared--> collecting"},
		{860, "  ", " lock closed"},
		{860, "", " collecting --collected--> exited"},
	};
	_cleanup_free_ char *text = xstrdup(want);
	for (size_t i = 0; i < ARRAY_SIZE(end); i++) {
		long long ms = destroy_ms + end[i].ms;
		char *longer = xasprintf("%s%5lld.%02lld %s%s%s\n", text, ms / 1000, ms % 1000 / 10,
			end[i].before, kp->name, end[i].after);
		free(text);
		text = longer;
	}
	kit_assert_trace(kp->kit, text);
}

/* ---- locks ----------------------------------------------------------------------------------- */

/* As rkt does it (contract 2.3). */
static bool lock_free(const struct kit_pod *kp)
{
	_cleanup_fd_ int fd = open(kp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true; /* removed or moved: nobody can ask */
	assert_true(fd >= 0);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return true;
	assert_int_equal(errno, EWOULDBLOCK);
	return false;
}

/* A line of sim_left() that says: this can still run or touch the pod's files. */
static bool can_touch(const char *left, const char *uuid)
{
	for (const char *at = left; at && (at = strstr(at, uuid)); at++) {
		const char *line = at;
		while (line > left && line[-1] != '\n')
			line--;
		if (!strncmp(line, "qemu ", 5))
			return true;
		bool domain = !strncmp(line, "domain ", 7);
		if (domain && strncmp(at + strlen(uuid), " dying", 6) != 0)
			return true;
	}
	return false;
}

static void check_lock(struct kit *k, const struct kit_pod *kp, const char *left)
{
	bool is_free = lock_free(kp);
	if (is_free && !k->orphan_runs && can_touch(left, kp->uuid))
		fail_msg("pod %s: the lock is free, but there is:\n%s", kp->name, left);
	const struct pod *p = !k->dead && k->open ? kit_find(kp) : NULL;
	struct engine_stats st = {0};
	if (p)
		engine_stats_get(k->engine, &st);
	if (!p || st.store_failing)
		return;
	/*
	 * After our death its `run` may not have been told yet. A clear that failed may leave a QEMU,
	 * which has the lock as it must, until gc (RECOVERY.md, known limits).
	 */
	bool stays = k->clear_fails && can_touch(left, kp->uuid);
	if (pod_state_ended(p->core.state) && !is_free && kp->lock_fd < 0 && !stays)
		fail_msg("pod %s is %s, but its lock is held", kp->name,
			pod_state_name(p->core.state));
	if (!pod_state_ended(p->core.state) && is_free && k->starts == 1)
		fail_msg("pod %s is %s, but its lock is free", kp->name,
			pod_state_name(p->core.state));
}

/* No more starts under way than there are places, and no more helpers of a kind. */
static void check_places(const struct kit *k)
{
	const struct engine *e = k->engine;
	int starts = 0;
	int plugins = 0;
	int running[LANE_MAX_] = {0};
	for (size_t i = 0; i < k->npods; i++) {
		const struct pod *p = kit_find(&k->pod[i]);
		if (!p || p->core.state < POD_EXPORTING || p->core.state > POD_UNPAUSING)
			continue;
		plugins += pod_has_network(p) && p->core.state <= POD_NETWORKING;
		/* From its plugins a pod goes on whatever else starts; its create waits in its lane. */
		starts += !pod_has_network(p) || p->core.state == POD_EXPORTING;
	}
	for (const struct op *o = e->ops; o; o = o->next)
		running[o->lane] += o->started;
	assert_in_range(plugins, 0, plugin_places(e));
	assert_in_range(starts, 0, e->cfg.max_starts);
	assert_in_range(running[LANE_CREATE], 0, e->cfg.max_starts);
	assert_in_range(running[LANE_PLUGINS], 0, plugin_places(e));
}

static void add_memory(void *ctx, struct pod *p)
{
	int64_t *kib = ctx;
	enum memory_kind kind = memory_kind(p);
	if (kind != MEMORY_NONE)
		kib[kind] += memory_need(p);
}

/* The engine carries along what a look at every pod would tell. */
static void check_memory(const struct kit *k)
{
	int64_t kib[MEMORY_KINDS_] = {0};
	pods_each(engine_pods(k->engine), add_memory, kib);
	for (enum memory_kind i = MEMORY_NONE; i < MEMORY_KINDS_; i++)
		if (memory_sum(k->engine, i) != kib[i])
			fail_msg("memory of kind %u: %lld KiB by the sum, %lld KiB by the pods",
				(unsigned)i, (long long)memory_sum(k->engine, i),
				(long long)kib[i]);
}

void kit_check(struct kit *k)
{
	check_places(k);
	check_memory(k);
	_cleanup_free_ char *left = sim_left(k->sim);
	for (size_t i = 0; i < k->npods; i++)
		check_lock(k, &k->pod[i], left);
	if (k->look)
		k->look(k);
}

/* ---- ends ------------------------------------------------------------------------------------ */

int kit_code_file(const struct kit_pod *kp, const char *app)
{
	_cleanup_free_ char *path = xasprintf("%s/stage1/rootfs/rkt/status/%s", kp->dir, app);
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, path, 64, &text, NULL, NULL) < 0)
		return -1;
	return (int)strtol(text, NULL, 10);
}

void kit_forget_codes(const struct kit_pod *kp)
{
	for (size_t i = 0;
		i < json_array_size(json_object_get(pod_guest_spec(kit_find(kp)), "apps")); i++) {
		_cleanup_free_ char *path =
			xasprintf("%s/stage1/rootfs/rkt/status/app%zu", kp->dir, i);
		unlink(path);
	}
}

void kit_assert_ended(
	const struct kit_pod *kp, enum pod_state state, enum pod_cause cause, int64_t code)
{
	const struct pod *p = kit_find(kp);
	assert_non_null(p);
	if (p->core.state != state || p->core.cause != cause || p->core.code != code)
		fail_msg("pod %s is %s (%s, code %lld), not %s (%s, code %lld)", kp->name,
			pod_state_name(p->core.state), pod_cause_name(p->core.cause),
			(long long)p->core.code, pod_state_name(state), pod_cause_name(cause),
			(long long)code);
	for (size_t i = 0; i < p->napps; i++)
		assert_int_equal(kit_code_file(kp, p->app[i].name),
			pod_app_ended(&p->app[i]) ? p->app[i].code : -1);
	_cleanup_free_ char *ready = xasprintf("%s/stage1/rootfs/rkt/supervisor-status", kp->dir);
	assert_int_equal(faccessat(AT_FDCWD, ready, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_true(p->core.ended_at >= p->created_at);
	assert_true(kp->told_end);
}

/* ---- the store ------------------------------------------------------------------------------- */

struct look {
	struct kit *kit;
	size_t n;
};

static int same_pod(void *ctx, const struct pod_row *r)
{
	struct look *l = ctx;
	const struct pod *p = pods_find(engine_pods(l->kit->engine), r->uuid);
	l->n++;
	assert_non_null(p);
	assert_string_equal(r->state, pod_state_name(p->core.state));
	assert_string_equal(r->cause, pod_cause_name(p->core.cause));
	assert_string_equal(r->want, pod_want_name(p->core.want));
	assert_int_equal(r->seq, p->core.seq);
	/* Of another boot: void, and told to the engine by an event that waits for the disk. */
	if (!strcmp(r->boot_id, l->kit->boot_id))
		assert_int_equal(r->domid, p->core.domid);
	assert_int_equal(r->code, p->core.code);
	assert_int_equal(r->generation, p->core.generation);
	assert_true(p->core.generation > 0 || !p->core.started_at);
	return 0;
}

static int no_outbox(void *ctx, const struct outbox_row *r)
{
	(void)ctx;
	fail_msg("pod %s: %s is still in the outbox", r->uuid, r->effect);
	return 0;
}

static int no_orphan(void *ctx, const struct orphan_row *r)
{
	(void)ctx;
	fail_msg("domain %lld of %s is still to be collected", (long long)r->domid, r->uuid);
	return 0;
}

/* Log files and networks wait for gc; everything else goes before a pod has ended. */
static int ledger_fits(void *ctx, const struct ledger_row *r)
{
	struct look *l = ctx;
	const struct pod *p = pods_find(engine_pods(l->kit->engine), r->uuid);
	assert_non_null(p);
	bool until_gc = !strcmp(r->kind, "log") || !strcmp(r->kind, "network") ||
			(l->kit->clear_fails &&
				(!strcmp(r->kind, "exports") || !strcmp(r->kind, "cgroup")));
	bool held = strcmp(r->state, "released") != 0;
	if (pod_state_ended(p->core.state) && held && !until_gc)
		fail_msg("pod %s has ended, its %s is %s", r->uuid, r->kind, r->state);
	if (p->core.state == POD_RUNNING && strcmp(r->state, "held") != 0)
		fail_msg("pod %s runs, its %s is %s", r->uuid, r->kind, r->state);
	return 0;
}

void kit_assert_stored(struct kit *k)
{
	struct err err = {0};
	struct look l = {.kit = k};
	assert_ok(store_pods(k->store, same_pod, &l, &err), &err);
	assert_int_equal(l.n, pods_count(engine_pods(k->engine)));
}

void kit_assert_consistent(struct kit *k)
{
	struct err err = {0};
	struct look l = {.kit = k};
	kit_assert_stored(k);
	assert_ok(store_outbox(k->store, no_outbox, &l, &err), &err);
	assert_ok(store_orphans(k->store, no_orphan, &l, &err), &err);
	assert_ok(store_ledger(k->store, NULL, ledger_fits, &l, &err), &err);
}

void kit_finish(struct kit *k)
{
	kit_rest(k);
	kit_assert_consistent(k);
	for (size_t i = 0; i < k->npods; i++)
		if (kit_find(&k->pod[i]))
			kit_ask(&k->pod[i], EV_GC);
	kit_rest(k);
	kit_assert_consistent(k);
	_cleanup_free_ char *left = sim_left(k->sim);
	if (left)
		fail_msg("something is left:\n%s", left);
	if (pods_count(engine_pods(k->engine)))
		fail_msg("%zu pods are left", pods_count(engine_pods(k->engine)));
	for (size_t i = 0; i < k->npods; i++)
		assert_true(lock_free(&k->pod[i]));
}
