/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the supervisor together and keeping it turning: see daemon.h. */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/api.h"
#include "daemon/cgroup.h"
#include "daemon/custody.h"
#include "daemon/engine.h"
#include "daemon/gone.h"
#include "daemon/inherit.h"
#include "daemon/logs.h"
#include "daemon/loop.h"
#include "daemon/messages.h"
#include "daemon/metrics.h"
#include "daemon/orphans.h"
#include "daemon/records.h"
#include "daemon/recover.h"
#include "daemon/reload.h"
#include "daemon/runner.h"
#include "daemon/sensors.h"
#include "daemon/setup.h"
#include "daemon/storecare.h"
#include "daemon/trace.h"
#include "daemon/worker.h"
#include "daemon/world_sim.h"
#include "daemon/world_xen.h"

#define SECOND       INT64_C(1000000000)
#define PING_NS      (10 * SECOND)
#define AUDIT_PINGS  6             /* a full list every minute */
#define GONE_PINGS   6             /* and as often for pods whose directory is gone */
#define BLIND_PINGS  3             /* for the sensors' hello; they start after at most 10 s */
#define RUN_GRACE_NS (30 * SECOND) /* for `run` processes to come back after our start */
#define PRUNE_BEATS  360           /* once an hour */

struct daemon {
	struct daemon_config cfg;
	struct loop *loop;
	struct store *store;
	struct worker *worker;
	struct sim *sim;
	struct world *world;
	struct engine *engine;
	struct sensors *sensors;
	struct recovery *recovery;
	struct orphans *orphans;
	struct runners *runners;
	struct api *api;
	struct loop_timer *turn_timer, *beat_timer, *watchdog_timer;
	char boot_id[40];
	char *cgroup_root;
	int64_t beats, prune_beats;
	int gone_beats;
	int blind_beats;   /* since the sensors were last lost or last said hello */
	int64_t opened_at; /* when the barrier opened; 0: not yet */
	bool world_up;
	char world_why[160]; /* why it is not */
	int64_t sensor_restarts;
	int64_t watchdog_ns;
	struct metrics_watch metrics;
	char *records_dir;
	int exit_status;
};

/* ---- turning ------------------------------------------------------------------------------ */

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static void turn(void *ctx)
{
	struct daemon *d = ctx;
	int64_t next = engine_run(d->engine);
	next = sooner(next, recovery_run(d->recovery));
	next = sooner(next, orphans_run(d->orphans));
	loop_timer_set(d->turn_timer, next);
	/* Nothing can be stored any more, and nothing was done without: the next one sees to it. */
	if (storecare_damaged(d->store)) {
		d->exit_status = DAEMON_EXIT_DAMAGED;
		loop_stop(d->loop);
	}
}

static void status_line(struct daemon *d)
{
	(void)sd_notifyf(0, "STATUS=%zu pods, %s%s%s", pods_count(engine_pods(d->engine)),
		engine_recovering(d->engine) ? "recovering" : "running",
		d->world_up ? "" : ", degraded: ", d->world_up ? "" : d->world_why);
}

/* ---- the world's events ------------------------------------------------------------------- */

static void on_watch_frame(void *ctx, const json_t *frame)
{
	struct daemon *d = ctx;
	sensors_frame(d->sensors, frame);
}

static void on_watch_lost(void *ctx, const char *why)
{
	struct daemon *d = ctx;
	if (d->world_up || !d->world_why[0])
		log_about(LOG_LVL_WARNING, MSG_WORLD_LOST, NULL,
			"Xen cannot be seen (%s); trying again", why);
	d->world_up = false;
	d->blind_beats = 0;
	d->sensor_restarts++;
	engine_host_set(d->engine, NULL);
	snprintf(d->world_why, sizeof d->world_why, "%s", why);
	status_line(d);
}

static void on_hello(void *ctx, const json_t *frame)
{
	struct daemon *d = ctx;
	d->world_up = true;
	d->blind_beats = 0;
	log_about(LOG_LVL_INFO, MSG_WORLD_SEEN, NULL, "Xen %s is seen",
		json_str_opt(frame, "xen", ""));
	recovery_world_up(d->recovery);
	status_line(d);
}

static void on_listed(void *ctx)
{
	struct daemon *d = ctx;
	recovery_listed(d->recovery);
	orphans_listed(d->orphans);
}

static void on_act_frame(void *ctx, int64_t op, const json_t *frame)
{
	struct daemon *d = ctx;
	engine_act_frame(d->engine, op, frame);
}

static void on_act_exit(void *ctx, int64_t op, int status)
{
	struct daemon *d = ctx;
	engine_act_exit(d->engine, op, status);
}

static void on_qemu_exit(void *ctx, const char *uuid, int64_t pid)
{
	struct daemon *d = ctx;
	engine_qemu_exit(d->engine, uuid, pid);
}

/* ---- the engine's hooks ------------------------------------------------------------------- */

static void hook_turn(void *ctx, const struct turn_record *t)
{
	struct daemon *d = ctx;
	trace_turn(t);
	if (t->from != t->to || !strcmp(t->event_name, "accept")) {
		if (!strcmp(t->event_name, "accept"))
			custody_store(t->pod);
		else if (t->event == EV_HANDED_OVER)
			custody_renew(t->pod);
		status_line(d);
	}
	api_on_turn(d->api, t);
}

#define HOOK(name, whose, fn)                                                                      \
	static void hook_##name(void *ctx, struct pod *p)                                          \
	{                                                                                          \
		struct daemon *d = ctx;                                                            \
		fn(d->whose, p);                                                                   \
	}
HOOK(unmap, api, api_on_unmap)
HOOK(evict, api, api_on_evict)
HOOK(tell, api, api_on_tell)
HOOK(spawn, runners, runners_spawn)
HOOK(dismiss, runners, runners_dismiss)
#undef HOOK

static void hook_forget(void *ctx, struct pod *p)
{
	struct daemon *d = ctx;
	api_on_forget(d->api, p);
	runners_tidy(d->runners, p->uuid);
}

static void hook_history(void *ctx, const struct history_row *h)
{
	struct daemon *d = ctx;
	api_on_history(d->api, h);
}

static void hook_custody(void *ctx, struct pod *p, bool held)
{
	(void)ctx;
	if (held)
		custody_store(p);
	else
		custody_remove(p);
}

/* ---- the beat: heartbeat of the sensors, audit, lost `run` processes ----------------------- */

static void check_run(void *ctx, struct pod *p)
{
	struct daemon *d = ctx;
	bool live = p->core.state < POD_DESTROYING && p->core.want == WANT_UP;
	if (!live || api_has_run(d->api, p) || custody_run_alive(p))
		return;
	log_about(LOG_LVL_WARNING, MSG_RUN_GONE, p->uuid,
		"pod %s: its run process is gone, stopping it", p->uuid);
	struct event_args args = {.domid = -1, .cause = CAUSE_RUN_LOST};
	engine_post(d->engine, p, EV_STOP, &args);
}

/* Opening Xen can hang as well as asking it: who has never said hello is late, too. */
static bool sensors_hang(struct daemon *d)
{
	if (d->world_up)
		return !sensors_ping(d->sensors);
	return ++d->blind_beats > BLIND_PINGS;
}

static void beat(void *ctx)
{
	struct daemon *d = ctx;
	loop_timer_set(d->beat_timer, PING_NS);
	if (sensors_hang(d))
		d->world->ops->watch_restart(
			d->world, "no answer in time: xenstored or libxl hangs");
	else if (d->world_up && ++d->beats % AUDIT_PINGS == 0)
		sensors_list(d->sensors);
	if (!d->cfg.simulated)
		logs_trim_all(d->worker, engine_pods(d->engine), LOGS_DIR);
	if (d->opened_at && clock_boot_ns() - d->opened_at > RUN_GRACE_NS)
		pods_each(engine_pods(d->engine), check_run, d);
	if (d->opened_at && ++d->gone_beats % GONE_PINGS == 0)
		gone_look(d->engine);
	if (++d->prune_beats % PRUNE_BEATS == 0)
		storecare_prune(d->store);
	(void)metrics_look(&d->metrics);
}

static void watchdog(void *ctx)
{
	struct daemon *d = ctx;
	loop_timer_set(d->watchdog_timer, d->watchdog_ns);
	(void)sd_notify(0, "WATCHDOG=1");
}

static void health(void *ctx, json_t *ret)
{
	const struct daemon *d = ctx;
	json_object_set_new(ret, "xen_seen", json_boolean(d->world_up));
	json_object_set_new(ret, "degraded", json_string(d->world_up ? "" : d->world_why));
	json_object_set_new(ret, "sensor_restarts", json_integer(d->sensor_restarts));
	json_object_set_new(ret, "store_id", json_string(store_id(d->store)));
}

static void recovered(void *ctx)
{
	struct daemon *d = ctx;
	d->opened_at = clock_boot_ns();
	log_about(LOG_LVL_INFO, MSG_RECOVERED, NULL, "recovery is complete, %zu pods",
		pods_count(engine_pods(d->engine)));
	status_line(d);
}

static void reconnected(void *ctx, struct pod *p)
{
	struct daemon *d = ctx;
	recovery_reconnected(d->recovery, p);
}

static void quit(void *ctx)
{
	struct daemon *d = ctx;
	(void)sd_notify(0, "STOPPING=1");
	loop_stop(d->loop);
}

/* ---- putting together --------------------------------------------------------------------- */

static int open_store(struct daemon *d, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/store.db", d->cfg.state_dir);
	return store_open(path, STORE_RW_CREATE, &d->store, err);
}

static int make_world(struct daemon *d, struct err *err)
{
	struct world_events ev = {
		.ctx = d,
		.watch_frame = on_watch_frame,
		.watch_lost = on_watch_lost,
		.act_frame = on_act_frame,
		.act_exit = on_act_exit,
		.qemu_exit = on_qemu_exit,
	};
	if (!d->cfg.simulated) {
		d->world = world_xen_new(d->loop, d->cfg.libexec_dir, d->cfg.run_dir, &ev);
		return 0;
	}
	struct sim_config sc = {
		.seed = d->cfg.sim_seed, .now_ns = clock_boot_ns(), .store = store_id(d->store)};
	d->sim = sim_new(&sc);
	if (d->cfg.sim_script && sim_script(d->sim, d->cfg.sim_script, err) < 0)
		return err_wrap(err, "--sim-script");
	d->world = world_sim_new(d->loop, d->sim, &ev);
	return 0;
}

static int make_engine(struct daemon *d, struct err *err)
{
	struct engine_config ec = {
		.store = d->store,
		.world = d->world,
		.worker = d->worker,
		.boot_ns = setup_boot_ns,
		.wall_ns = setup_wall_ns,
		.boot_id = d->boot_id,
		.run_dir = d->cfg.run_dir,
		.cgroup_root = d->cgroup_root,
		.console_dir =
			*d->cfg.config->ConsoleDirectory ? d->cfg.config->ConsoleDirectory : NULL,
		.records_dir = d->records_dir,
		.max_starts = (int)d->cfg.config->MaxStarts,
		.max_helpers = (int)d->cfg.config->MaxHelpers,
	};
	struct engine_hooks hooks = {
		.ctx = d,
		.turn = hook_turn,
		.unmap = hook_unmap,
		.evict = hook_evict,
		.tell = hook_tell,
		.forget = hook_forget,
		.custody = hook_custody,
		.spawn = hook_spawn,
		.dismiss = hook_dismiss,
	};
	d->engine = engine_new(&ec);
	engine_set_hooks(d->engine, &hooks);
	struct runners_config nc = {.loop = d->loop,
		.program = d->cfg.xenpod,
		.run_dir = d->cfg.run_dir,
		.cgroup_root = d->cgroup_root};
	d->runners = runners_new(&nc);
	runners_set_engine(d->runners, d->engine);
	struct sensors_config sc = {
		.engine = d->engine,
		.world = d->world,
		.store_id = store_id(d->store),
		.listed = on_listed,
		.hello = on_hello,
		.ctx = d,
	};
	d->sensors = sensors_new(&sc);
	struct recovery_config rc = {
		.engine = d->engine,
		.sensors = d->sensors,
		.finished = recovered,
		.ctx = d,
	};
	d->recovery = recovery_new(&rc);
	struct orphans_config oc = {
		.engine = d->engine,
		.sensors = d->sensors,
		.grace_ns = d->cfg.config->OrphanGraceSec * SECOND,
		.history = hook_history,
		.ctx = d,
	};
	d->orphans = orphans_new(&oc);
	d->metrics.from = (struct metrics_sources){d->engine, d->sensors, d->orphans, d->loop};
	if (recovery_load(&ec, d->engine, err) < 0)
		return -1;
	return orphans_load(d->orphans, err);
}

static int make_api(struct daemon *d, struct err *err)
{
	struct api_config ac = {
		.loop = d->loop,
		.engine = d->engine,
		.sensors = d->sensors,
		.orphans = d->orphans,
		.run_dir = d->cfg.run_dir,
		.health = health,
		.reconnected = reconnected,
		.runners = d->runners,
		.ctx = d,
	};
	d->api = api_new(&ac);
	return inherit_all(d->api, engine_pods(d->engine), err);
}

static void reload(void *ctx)
{
	struct daemon *d = ctx;
	reload_config(&d->cfg, d->engine, d->orphans);
}

static void start_timers(struct daemon *d)
{
	uint64_t usec = 0;
	d->turn_timer = loop_timer_new(d->loop, turn, d);
	d->beat_timer = loop_timer_new(d->loop, beat, d);
	loop_timer_set(d->beat_timer, PING_NS);
	loop_on_idle(d->loop, turn, d);
	loop_signal(d->loop, SIGTERM, quit, d);
	loop_signal(d->loop, SIGINT, quit, d);
	loop_signal(d->loop, SIGHUP, reload, d);
	if (sd_watchdog_enabled(0, &usec) <= 0)
		return;
	d->watchdog_ns = (int64_t)usec * 1000 / 3;
	d->watchdog_timer = loop_timer_new(d->loop, watchdog, d);
	loop_timer_set(d->watchdog_timer, d->watchdog_ns);
}

static int build(struct daemon *d, struct err *err)
{
	/* The store has one owner: a second supervisor ends here, before it touches anything. */
	if (setup_boot_id(d->boot_id, sizeof d->boot_id, err) < 0 ||
		setup_dirs(d->cfg.state_dir, d->cfg.run_dir, err) < 0 || open_store(d, err) < 0)
		return -1;
	d->cgroup_root = cgroup_root(d->cfg.cgroup_root);
	d->records_dir = xasprintf("%s/" RECORDS_DIR, d->cfg.state_dir);
	d->loop = loop_new();
	d->worker = worker_new(d->loop);
	if (make_world(d, err) < 0 || make_engine(d, err) < 0 || make_api(d, err) < 0)
		return -1;
	start_timers(d);
	return 0;
}

int daemon_new(const struct daemon_config *cfg, struct daemon **ret, struct err *err)
{
	struct daemon *d = xcalloc(1, sizeof *d);
	d->cfg = *cfg;
	if (build(d, err) < 0) {
		daemon_free(d);
		return -1;
	}
	*ret = d;
	return 0;
}

int daemon_run(struct daemon *d)
{
	(void)sd_notify(0, "READY=1\nSTATUS=recovering");
	log_info("xenpodd %s, store %s, world %s", XENPOD_VERSION, store_id(d->store),
		d->world->ops->name);
	loop_run(d->loop);
	metrics_end(&d->metrics);
	return d->exit_status;
}

void daemon_free(struct daemon *d)
{
	if (!d)
		return;
	worker_free(d->worker); /* what it calls back may belong to a connection */
	api_free(d->api);
	if (d->world)
		d->world->ops->free(d->world);
	sim_free(d->sim);
	recovery_free(d->recovery);
	orphans_free(d->orphans);
	runners_free(d->runners);
	sensors_free(d->sensors);
	engine_free(d->engine);
	loop_timer_free(d->turn_timer);
	loop_timer_free(d->beat_timer);
	loop_timer_free(d->watchdog_timer);
	loop_free(d->loop);
	store_close(d->store);
	free(d->records_dir);
	free(d->cgroup_root);
	free(d);
}
