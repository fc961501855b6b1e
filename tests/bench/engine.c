/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured side: store, engine, sensors, recovery, loop and worker as in xenpodd, on a world that
 * answers at once. What is measured is told on stdout, a JSON object a line; times in ns.
 *   engine fill DIR N STATE     makes a store of N pods
 *   engine start DIR            from nothing to the open barrier, once
 *   engine serve DIR            then, for each line on stdin:
 *     die                       one pod dies: until its lock is free
 *     burst N                   N ready events
 *     quit
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "pods.h"
#include "world.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/engine.h"
#include "daemon/orphans.h"
#include "daemon/recover.h"
#include "daemon/sensors.h"
#include "daemon/trace.h"
#include "daemon/worker.h"

#define BOOT_ID "bench000-0000-4000-8000-000000000001"

struct bench {
	const char *dir;
	struct store *store;
	struct loop *loop;
	struct worker *worker;
	struct world *world;
	struct engine *engine;
	struct sensors *sensors;
	struct recovery *recovery;
	struct orphans *orphans;
	struct loop_timer *timer;
	bool open;
	bool (*until)(struct bench *b); /* looked at before each turn: the loop ends */
	int64_t longest;                /* turn of the loop since it was set to 0 */
	/* Of the pod that dies. */
	struct pod *pod;
	int probe_fd;
	bool released;
	int64_t released_at, released_commits, released_syncs;
	uint64_t next;
};

static int64_t syncs;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	syncs++;
	return __real_fsync(fd);
}

static void die(const struct err *err)
{
	fprintf(stderr, "bench: %s\n", err_msg(err));
	exit(1);
}

/* The journal's own time is not ours, but the line is made. */
static void nowhere(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	(void)msg;
	(void)fields;
	(void)n;
	if (level <= LOG_LVL_ERR)
		fprintf(stderr, "bench: %s\n", msg);
}

/* ---- the supervisor --------------------------------------------------------------------------- */

static int64_t boot_ns(void *clock)
{
	(void)clock;
	return clock_boot_ns();
}

static int64_t wall_ns(void *clock)
{
	(void)clock;
	return clock_wall_ns();
}

static void on_watch_frame(void *ctx, const json_t *frame)
{
	struct bench *b = ctx;
	sensors_frame(b->sensors, frame);
}

static void on_act_frame(void *ctx, int64_t op, const json_t *frame)
{
	struct bench *b = ctx;
	engine_act_frame(b->engine, op, frame);
}

static void on_act_exit(void *ctx, int64_t op, int status)
{
	struct bench *b = ctx;
	engine_act_exit(b->engine, op, status);
}

static void on_qemu_exit(void *ctx, const char *uuid, int64_t pid)
{
	struct bench *b = ctx;
	engine_qemu_exit(b->engine, uuid, pid);
}

static void on_hello(void *ctx, const json_t *frame)
{
	struct bench *b = ctx;
	(void)frame;
	recovery_world_up(b->recovery);
}

static void on_listed(void *ctx)
{
	struct bench *b = ctx;
	recovery_listed(b->recovery);
	orphans_listed(b->orphans);
}

static void on_finished(void *ctx)
{
	struct bench *b = ctx;
	b->open = true;
}

static void on_turn(void *ctx, const struct turn_record *t)
{
	(void)ctx;
	trace_turn(t);
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static bool done(struct bench *b)
{
	bool over = b->until && b->until(b);
	if (over)
		loop_stop(b->loop);
	return over;
}

static void turn(void *ctx)
{
	struct bench *b = ctx;
	if (done(b))
		return;
	int64_t began = clock_boot_ns();
	int64_t next = engine_run(b->engine);
	next = sooner(next, recovery_run(b->recovery));
	next = sooner(next, orphans_run(b->orphans));
	int64_t took = clock_boot_ns() - began;
	if (took > b->longest)
		b->longest = took;
	loop_timer_set(b->timer, next);
	done(b);
}

static void run_until(struct bench *b, bool (*until)(struct bench *b))
{
	b->until = until;
	loop_run(b->loop);
	b->until = NULL;
}

static void give_domain(void *ctx, struct pod *p)
{
	const struct bench *b = ctx;
	if (p->core.domid >= 0)
		bench_world_put(b->world, p->uuid, p->core.domid);
}

static void make_engine(struct bench *b)
{
	_cleanup_err_ struct err err = {0};
	struct world_events ev = {
		.ctx = b,
		.watch_frame = on_watch_frame,
		.act_frame = on_act_frame,
		.act_exit = on_act_exit,
		.qemu_exit = on_qemu_exit,
	};
	b->world = bench_world_new(b->loop, store_id(b->store), &ev);
	struct engine_config ec = {
		.store = b->store,
		.world = b->world,
		.worker = b->worker,
		.boot_ns = boot_ns,
		.wall_ns = wall_ns,
		.boot_id = BOOT_ID,
		.run_dir = b->dir,
		.max_starts = 4,
		.max_helpers = 16,
	};
	struct engine_hooks hooks = {.ctx = b, .turn = on_turn};
	b->engine = engine_new(&ec);
	engine_set_hooks(b->engine, &hooks);
	struct sensors_config sc = {
		.engine = b->engine,
		.world = b->world,
		.store_id = store_id(b->store),
		.hello = on_hello,
		.listed = on_listed,
		.ctx = b,
	};
	b->sensors = sensors_new(&sc);
	struct recovery_config rc = {
		.engine = b->engine, .sensors = b->sensors, .finished = on_finished, .ctx = b};
	b->recovery = recovery_new(&rc);
	struct orphans_config oc = {.engine = b->engine,
		.sensors = b->sensors,
		.grace_ns = ORPHANS_GRACE_S * INT64_C(1000000000)};
	b->orphans = orphans_new(&oc);
	if (recovery_load(&ec, b->engine, &err) < 0 || orphans_load(b->orphans, &err) < 0)
		die(&err);
	pods_each(engine_pods(b->engine), give_domain, b);
}

static bool is_open(struct bench *b)
{
	return b->open;
}

static void start(struct bench *b, const char *dir)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *path = xasprintf("%s/store.db", dir);
	*b = (struct bench){.dir = dir, .probe_fd = -1};
	if (store_open(path, STORE_RW_CREATE, &b->store, &err) < 0)
		die(&err);
	b->loop = loop_new();
	b->worker = worker_new(b->loop);
	b->timer = loop_timer_new(b->loop, turn, b);
	make_engine(b);
	loop_on_idle(b->loop, turn, b);
	run_until(b, is_open);
	b->next = pods_count(engine_pods(b->engine));
}

static void stop(struct bench *b)
{
	worker_free(b->worker);
	b->world->ops->free(b->world);
	recovery_free(b->recovery);
	orphans_free(b->orphans);
	sensors_free(b->sensors);
	engine_free(b->engine);
	loop_timer_free(b->timer);
	loop_free(b->loop);
	store_close(b->store);
}

/* ---- fill, start -------------------------------------------------------------------------------- */

static void fill(const char *dir, uint64_t n, const char *state)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *path = xasprintf("%s/store.db", dir);
	_cleanup_store_ struct store *s = NULL;
	if (store_open(path, STORE_RW_CREATE, &s, &err) < 0 || store_begin(s, &err) < 0)
		die(&err);
	for (uint64_t i = 0; i < n; i++)
		if (bench_rows(s, dir, i, state, BOOT_ID, &err) < 0)
			die(&err);
	if (store_commit(s, &err) < 0)
		die(&err);
}

static long resident_kib(void)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, "/proc/self/status", 65536, &text, NULL, NULL) < 0)
		return -1;
	const char *at = strstr(text, "VmRSS:");
	return at ? strtol(at + 6, NULL, 10) : -1;
}

static void measure_start(const char *dir)
{
	struct bench b;
	int64_t began = clock_boot_ns();
	start(&b, dir);
	printf("{\"ns\": %lld, \"world_ns\": %lld, \"rss_kib\": %ld, \"pods\": %zu}\n",
		(long long)(clock_boot_ns() - began), (long long)bench_world_cost(b.world),
		resident_kib(), pods_count(engine_pods(b.engine)));
	stop(&b);
}

/* ---- one death ------------------------------------------------------------------------------------ */

/* A running pod out of nothing: its rows and directory, and its lock in our hands. */
static struct pod *fresh_pod(struct bench *b)
{
	_cleanup_err_ struct err err = {0};
	char uuid[UUID_TEXT_SIZE];
	uint64_t n = b->next++;
	bench_uuid(n, uuid);
	if (store_begin(b->store, &err) < 0 ||
		bench_rows(b->store, b->dir, n, "running", BOOT_ID, &err) < 0 ||
		store_commit(b->store, &err) < 0 || bench_dir(b->dir, uuid, &err) < 0)
		die(&err);
	_cleanup_free_ char *dir = bench_pod_dir(b->dir, uuid);
	_cleanup_free_ char *rkt = xasprintf("%s/stage1/rootfs/rkt", dir);
	struct pod *p = pod_new(uuid);
	_cleanup_json_ json_t *request =
		json_pack("{s:s, s:{s:[{s:s}]}}", "dir", dir, "guest", "apps", "name", "web");
	pod_set_request(p, request);
	p->core = (struct pod_core){.state = POD_RUNNING,
		.seq = 8,
		.generation = 1,
		.domid = (int64_t)n + 1,
		.qemu_pid = (int64_t)n + 1 + BENCH_QEMU,
		.qemu_start = 1,
		.started_at = 1,
		.code = -1};
	p->app[0].kind = GSTATE_EXITED; /* its guest has said so; the domain's end is what comes */
	p->app[0].seq = 3;
	p->app[0].code = 0;
	p->qemu_alive = true;
	p->qemu_watched = p->core.qemu_pid;
	p->lock_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->status_fd = open(rkt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	b->probe_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) < 0)
		exit(1);
	engine_coldplug(b->engine, p);
	bench_world_put(b->world, uuid, p->core.domid);
	return p;
}

static bool is_over(struct bench *b)
{
	struct engine_stats st;
	if (!b->released && b->pod->lock_fd < 0 && flock(b->probe_fd, LOCK_EX | LOCK_NB) == 0) {
		b->released = true;
		b->released_at = clock_boot_ns();
		engine_stats_get(b->engine, &st);
		b->released_commits = st.commits;
		b->released_syncs = syncs;
	}
	return b->pod->core.state == POD_EXITED;
}

static bool forgotten(struct bench *b)
{
	char uuid[UUID_TEXT_SIZE];
	bench_uuid(b->next - 1, uuid);
	return !pods_find(engine_pods(b->engine), uuid);
}

static void one_death(struct bench *b)
{
	struct engine_stats before;
	struct engine_stats after;
	b->pod = fresh_pod(b);
	b->released = false;
	engine_stats_get(b->engine, &before);
	int64_t had = syncs;
	int64_t began = clock_boot_ns();
	bench_world_kill(b->world, b->pod->uuid);
	run_until(b, is_over);
	engine_stats_get(b->engine, &after);
	printf("{\"ns\": %lld, \"commits\": %lld, \"commits_in_all\": %lld, \"fsyncs\": %lld}\n",
		(long long)(b->released_at - began),
		(long long)(b->released_commits - before.commits),
		(long long)(after.commits - before.commits), (long long)(b->released_syncs - had));
	close(b->probe_fd);
	/* Not measured: it makes room for the next, so that there are as many as before. */
	engine_post(b->engine, b->pod, EV_GC, NULL);
	b->pod = NULL;
	run_until(b, forgotten);
}

/* ---- many at once ------------------------------------------------------------------------------- */

struct burst {
	struct engine *engine;
	enum pod_event event;
	uint64_t left;
};

static void post_one(void *ctx, struct pod *p)
{
	struct burst *s = ctx;
	if (!s->left || p->core.domid < 0)
		return;
	s->left--;
	engine_post(s->engine, p, s->event, NULL);
}

/* Paused and running again by turns: real transitions, which ask nothing of the world. */
static void burst(struct bench *b, uint64_t n)
{
	static bool paused;
	struct engine_stats st;
	struct burst s = {b->engine, paused ? EV_DOMAIN_RUNS : EV_DOMAIN_PAUSED, n};
	paused = !paused;
	pods_each(engine_pods(b->engine), post_one, &s);
	int64_t longest = 0;
	int64_t began = clock_boot_ns();
	int64_t at = began;
	do {
		engine_run(b->engine);
		int64_t now = clock_boot_ns();
		longest = now - at > longest ? now - at : longest;
		at = now;
		engine_stats_get(b->engine, &st);
	} while (st.queue);
	printf("{\"ns\": %lld, \"turns\": %llu, \"longest\": %lld}\n", (long long)(at - began),
		(unsigned long long)(n - s.left), (long long)longest);
}

static void serve(const char *dir)
{
	char line[64];
	struct bench b;
	start(&b, dir);
	puts("{\"ready\": true}");
	while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4)) {
		if (!strncmp(line, "die", 3))
			one_death(&b);
		else if (!strncmp(line, "burst ", 6))
			burst(&b, strtoull(line + 6, NULL, 10));
	}
	stop(&b);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_sink(nowhere);
	if (argc == 5 && !strcmp(argv[1], "fill"))
		fill(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
	else if (argc == 3 && !strcmp(argv[1], "start"))
		measure_start(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	else
		return 2;
	return 0;
}
