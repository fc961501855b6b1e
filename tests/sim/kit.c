/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor in virtual time: putting it together, its loop, its deaths. See kit.h. */
#include "kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit_int.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/custody.h"
#include "daemon/world_sim.h"
#include "daemon/worker.h"

#define MS           INT64_C(1000000)
#define RESTART_MS   200
#define WALL_AT_BOOT (INT64_C(1700000000) * KIT_S)

/* The one that lives: what the linker catches has no other way to know. */
static struct kit *current;

/* ---- dying at a point ------------------------------------------------------------------------ */

static bool reached(struct kit *k, enum kit_point point, int64_t n)
{
	return !k->dead && k->point == point && k->at == n;
}

int __real_store_begin(struct store *s, struct err *err);
int __wrap_store_begin(struct store *s, struct err *err);
int __wrap_store_begin(struct store *s, struct err *err)
{
	int r = __real_store_begin(s, err);
	if (current)
		current->in_commit = r == 0;
	return r;
}

void __real_store_rollback(struct store *s);
void __wrap_store_rollback(struct store *s);
void __wrap_store_rollback(struct store *s)
{
	if (current)
		current->in_commit = false;
	__real_store_rollback(s);
}

int __real_store_commit(struct store *s, struct err *err);
int __wrap_store_commit(struct store *s, struct err *err);
int __wrap_store_commit(struct store *s, struct err *err)
{
	struct kit *k = current;
	if (k)
		k->in_commit = false;
	if (!k || !k->engine)
		return __real_store_commit(s, err);
	if (!k->dead)
		k->commits++;
	if (reached(k, KIT_BEFORE_COMMIT, k->commits))
		k->dead = true;
	if (k->dead || k->fail_commits > 0) {
		store_rollback(s);
		k->fail_commits -= !k->dead;
		return err_set(err, ERR_FULL, "disk full (by the test)");
	}
	int r = __real_store_commit(s, err);
	if (r == 0 && reached(k, KIT_AFTER_COMMIT, k->commits))
		k->dead = true;
	return r;
}

/* A dead supervisor writes no files, closes its descriptors, and posts to nobody. */
void __real_worker_submit(struct worker *w, struct worker_job *job);
void __wrap_worker_submit(struct worker *w, struct worker_job *job);
void __wrap_worker_submit(struct worker *w, struct worker_job *job)
{
	if (!kit_effect_begins(current)) {
		job->done(job);
		return;
	}
	__real_worker_submit(w, job);
	kit_effect_ends(current);
}

bool kit_effect_begins(struct kit *k)
{
	if (k->in_commit)
		fail_msg("an effect before its commit");
	if (!k->dead)
		k->effects++;
	return !k->dead;
}

void kit_effect_ends(struct kit *k)
{
	if (reached(k, KIT_AFTER_EFFECT, k->effects))
		k->dead = true;
}

void kit_crash_at(struct kit *k, enum kit_point point, int64_t n)
{
	k->point = point;
	k->at = n;
	k->commits = k->effects = 0;
}

/* ---- the world's and the engine's callbacks ---------------------------------------------------
 */

static void on_watch_frame(void *ctx, const json_t *frame)
{
	struct kit *k = ctx;
	if (!k->dead)
		sensors_frame(k->sensors, frame);
}

static void on_watch_lost(void *ctx, const char *why)
{
	struct kit *k = ctx;
	(void)why;
	k->world_up = false;
	if (k->engine)
		engine_host_set(k->engine, NULL);
}

static void on_hello(void *ctx, const json_t *frame)
{
	struct kit *k = ctx;
	(void)frame;
	k->world_up = true;
	recovery_world_up(k->recovery);
}

static void on_listed(void *ctx)
{
	struct kit *k = ctx;
	recovery_listed(k->recovery);
	orphans_listed(k->orphans);
}

static void on_finished(void *ctx)
{
	struct kit *k = ctx;
	k->open = true;
}

static void on_act_frame(void *ctx, int64_t op, const json_t *frame)
{
	struct kit *k = ctx;
	if (!k->dead)
		engine_act_frame(k->engine, op, frame);
}

static void on_act_exit(void *ctx, int64_t op, int status)
{
	struct kit *k = ctx;
	if (!k->dead)
		engine_act_exit(k->engine, op, status);
}

static void on_qemu_exit(void *ctx, const char *uuid, int64_t pid)
{
	struct kit *k = ctx;
	if (!k->dead)
		engine_qemu_exit(k->engine, uuid, pid);
}

struct kit_pod *kit_of(struct kit *k, const struct pod *p)
{
	for (size_t i = 0; i < k->npods; i++)
		if (!strcmp(k->pod[i].uuid, p->uuid))
			return &k->pod[i];
	fail_msg("pod %s is not of this test", p->uuid);
	abort(); /* cmocka has left by longjmp, which the compiler is not told */
}

static void on_turn(void *ctx, const struct turn_record *t)
{
	struct kit *k = ctx;
	if (k->dead)
		return;
	struct kit_pod *kp = kit_of(k, t->pod);
	kit_trace_turn(k, kp, t);
	if (k->told)
		k->told(t);
	if (k->opt.fd_store && !strcmp(t->event_name, "accept"))
		kp->stored_fd = fcntl(t->pod->lock_fd, F_DUPFD_CLOEXEC, 3);
}

/* `run` gives up its copy of the lock when it is told that the pod runs. */
static void on_ready(void *ctx, struct pod *p)
{
	struct kit *k = ctx;
	struct kit_pod *kp = kit_of(k, p);
	if (k->dead)
		return;
	kit_trace_note(k, kp, "ready");
	fd_close(&kp->lock_fd);
}

static void on_unmap(void *ctx, struct pod *p)
{
	struct kit *k = ctx;
	if (!k->dead)
		kit_trace_note(k, kit_of(k, p), "unmap");
}

static void on_evict(void *ctx, struct pod *p)
{
	struct kit *k = ctx;
	if (!k->dead)
		kit_trace_note(k, kit_of(k, p), "evict");
}

/* `run` is told of the end, and ends. */
void kit_told(struct kit_pod *kp)
{
	kp->told_end = true;
	kp->run_alive = false;
	fd_close(&kp->lock_fd);
}

static void on_tell(void *ctx, struct pod *p)
{
	struct kit *k = ctx;
	if (k->dead)
		return;
	kit_told(kit_of(k, p));
}

static void on_custody(void *ctx, struct pod *p, bool held)
{
	struct kit *k = ctx;
	if (k->dead)
		return;
	kit_trace_note(k, kit_of(k, p), held ? "lock kept" : "lock closed");
	fd_close(&kit_of(k, p)->stored_fd);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int64_t boot_ns(void *clock)
{
	const struct kit *k = clock;
	return sim_now(k->sim);
}

static int64_t wall_ns(void *clock)
{
	const struct kit *k = clock;
	return sim_now(k->sim) + k->wall_offset;
}

static void silent(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	if (getenv("KIT_VERBOSE"))
		log_stderr_sink(level, msg, fields, n);
}

static void make_engine(struct kit *k, const char *run_dir)
{
	struct engine_config ec = {
		.store = k->store,
		.world = k->world,
		.boot_ns = boot_ns,
		.wall_ns = wall_ns,
		.clock = k,
		.boot_id = k->boot_id,
		.run_dir = run_dir,
		.cgroup_root = "/sys/fs/cgroup/xenpod.slice",
		.console_dir = k->dir,
		.records_dir = k->records,
		.max_starts = k->opt.max_starts ? k->opt.max_starts : 4,
		.max_helpers = k->opt.max_helpers ? k->opt.max_helpers : 4,
	};
	struct engine_hooks hooks = {
		.ctx = k,
		.turn = on_turn,
		.ready = on_ready,
		.unmap = on_unmap,
		.evict = on_evict,
		.tell = on_tell,
		.custody = on_custody,
		.spawn = kit_spawn,
		.dismiss = kit_dismiss,
	};
	struct err err = {0};
	k->engine = engine_new(&ec);
	engine_set_hooks(k->engine, &hooks);
	struct sensors_config sc = {
		.engine = k->engine,
		.world = k->world,
		.store_id = store_id(k->store),
		.listed = on_listed,
		.hello = on_hello,
		.ctx = k,
	};
	k->sensors = sensors_new(&sc);
	struct recovery_config rc = {
		.engine = k->engine,
		.sensors = k->sensors,
		.finished = on_finished,
		.ctx = k,
	};
	k->recovery = recovery_new(&rc);
	assert_ok(recovery_load(&ec, k->engine, &err), &err);
	struct orphans_config oc = {
		.engine = k->engine, .sensors = k->sensors, .grace_ns = ORPHANS_GRACE_S * KIT_S};
	k->orphans = orphans_new(&oc);
	assert_ok(orphans_load(k->orphans, &err), &err);
}

/* As systemd does: whatever it keeps comes with a name. */
static void hand_over(struct kit *k)
{
	for (size_t i = 0; i < k->npods; i++) {
		if (k->pod[i].stored_fd < 0)
			continue;
		char text[16];
		snprintf(text, sizeof text, "l%.8s%.4s", k->pod[i].uuid, k->pod[i].uuid + 9);
		const char *name = text;
		int fd = fcntl(k->pod[i].stored_fd, F_DUPFD_CLOEXEC, 3);
		custody_adopt(engine_pods(k->engine), &name, &fd, 1);
		const struct pod *p = kit_find(&k->pod[i]);
		if (!p || p->lock_fd < 0)
			fd_close(&k->pod[i].stored_fd);
	}
}

void kit_mend(struct kit *k)
{
	if (!k->mend_at || sim_now(k->sim) < k->mend_at)
		return;
	k->mend_at = 0;
	k->mend(k);
}

/* As long as the disk is bad systemd starts it again and again. */
static void open_store(struct kit *k)
{
	struct err err = {0};
	_cleanup_free_ char *path = xasprintf("%s/store.db", k->dir);
	while (store_open(path, STORE_RW_CREATE, &k->store, &err) < 0) {
		if (!k->mend_at)
			fail_msg("the store cannot be opened: %s", err_msg(&err));
		err_done(&err);
		sim_advance(k->sim, sim_now(k->sim) + RESTART_MS * MS);
		kit_mend(k);
	}
}

void kit_start(struct kit *k)
{
	struct world_events ev = {
		.ctx = k,
		.watch_frame = on_watch_frame,
		.watch_lost = on_watch_lost,
		.act_frame = on_act_frame,
		.act_exit = on_act_exit,
		.qemu_exit = on_qemu_exit,
	};
	k->dead = k->open = k->world_up = k->in_commit = false;
	k->starts++;
	open_store(k);
	k->inner = world_sim_new(NULL, k->sim, &ev);
	k->world = kit_world_new(k, k->inner);
	make_engine(k, "/run/xenpod");
	hand_over(k);
	custody_retake_all(engine_pods(k->engine));
	k->next_beat = sim_now(k->sim) + KIT_BEAT;
	k->reconnect_at = sim_now(k->sim) + 100 * MS;
}

void kit_crash(struct kit *k)
{
	k->dead = true; /* nothing that is freed now may act */
	recovery_free(k->recovery);
	orphans_free(k->orphans);
	sensors_free(k->sensors);
	engine_free(k->engine);
	k->world->ops->free(k->world);
	store_close(k->store);
	k->recovery = NULL;
	k->orphans = NULL;
	k->sensors = NULL;
	k->engine = NULL;
	k->world = NULL;
	k->store = NULL;
	/* Whoever waits for an answer gets none: the socket is closed. */
	for (size_t i = 0; i < k->npods; i++) {
		struct kit_request *all[] = {&k->pod[i].accept, &k->pod[i].change, &k->pod[i].gc};
		for (size_t r = 0; r < ARRAY_SIZE(all); r++)
			all[r]->sent = false;
	}
	struct sim_events nobody = {0};
	sim_adopt(k->sim, &nobody);
}

void kit_lose(struct kit *k)
{
	_cleanup_free_ char *path = xasprintf("%s/store.db", k->dir);
	kit_crash(k);
	assert_int_equal(unlink(path), 0);
	sim_advance(k->sim, sim_now(k->sim) + RESTART_MS * MS);
	kit_start(k);
}

static void new_sim(struct kit *k)
{
	struct sim_config cfg = {
		.seed = k->opt.seed,
		.now_ns = 5 * KIT_S,
		.powers_off = k->opt.powers_off,
		.reuse_domids = k->opt.reuse_domids,
	};
	k->sim = sim_new(&cfg);
	sim_set_jitter(k->sim, k->opt.jitter);
}

static void next_boot(struct kit *k)
{
	snprintf(k->boot_id, sizeof k->boot_id, "%08d-0000-4000-8000-000000000001", ++k->boots);
}

void kit_reboot(struct kit *k)
{
	int64_t wall = wall_ns(k);
	int64_t since = sim_now(k->sim) - k->began;
	if (k->engine)
		kit_crash(k);
	struct sim *old = k->sim;
	new_sim(k);
	sim_keep_files(k->sim, old);
	sim_free(old);
	k->began = sim_now(k->sim) - since;
	k->wall_offset = wall + 30 * KIT_S - sim_now(k->sim);
	next_boot(k);
	for (size_t i = 0; i < k->npods; i++) {
		fd_close(&k->pod[i].lock_fd);
		fd_close(&k->pod[i].stored_fd);
		k->pod[i].run_alive = false;
		k->pod[i].spawn_at = 0;
	}
	kit_start(k);
}

void kit_init(struct kit *k, const struct kit_options *opt)
{
	static const struct kit_options usual = {.seed = 1};
	*k = (struct kit){.opt = opt ? *opt : usual};
	log_set_sink(silent);
	/* A file system in memory where there is one: durability is not what is tested here. */
	snprintf(k->dir, sizeof k->dir, "%s/xenpod-sim-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(k->dir));
	snprintf(k->records, sizeof k->records, "%s/records", k->dir);
	next_boot(k);
	k->trace = open_memstream(&k->trace_text, &k->trace_len);
	assert_non_null(k->trace);
	new_sim(k);
	k->began = sim_now(k->sim);
	k->wall_offset = WALL_AT_BOOT;
	current = k;
	kit_start(k);
}

void kit_done(struct kit *k)
{
	if (k->engine)
		kit_crash(k);
	current = NULL;
	sim_free(k->sim);
	for (size_t i = 0; i < k->npods; i++) {
		fd_close(&k->pod[i].lock_fd);
		fd_close(&k->pod[i].stored_fd);
		json_decref(k->pod[i].request);
		free(k->pod[i].dir);
	}
	fclose(k->trace);
	free(k->trace_text);
	assert_int_equal(kit_remove(k->dir), 0);
}
