/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying out the effects of committed turns. Helper commands go to ops.c; file work goes to the
 * worker; what only tells somebody is done here. Every asynchronous effect ends in an event.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/console.h"
#include "daemon/engine_int.h"
#include "daemon/messages.h"
#include "daemon/rktfiles.h"
#include "daemon/worker.h"

/* A file job owns copies of what it needs: the pod may change or go while the thread works. */
struct file_job {
	struct worker_job job;
	struct engine *e;
	char uuid[UUID_TEXT_SIZE];
	enum pod_effect fx;
	int64_t outbox;
	int rkt_fd; /* dup; -1: nothing can be written */
	struct pod_app *app;
	size_t napps;
	const char *console_dir; /* NULL: its last lines are not wanted */
	char *console;
	struct err err;
};

static void files_work(struct worker_job *wj)
{
	struct file_job *j = (struct file_job *)wj;
	if (j->console_dir)
		j->console = console_tail(j->console_dir, j->uuid);
	if (j->rkt_fd < 0)
		return;
	if (j->fx == FX_READY)
		rktfiles_ready(j->rkt_fd, &j->err);
	else if (rktfiles_codes(j->rkt_fd, j->app, j->napps, &j->err) == 0)
		rktfiles_unready(j->rkt_fd, &j->err);
}

static void ready_done(struct engine *e, struct pod *p, const struct err *err)
{
	if (err->msg)
		log_pod(LOG_LVL_WARNING, p->uuid, "pod %s: readiness cannot be shown to rkt: %s",
			p->uuid, err_msg(err));
	if (e->hooks.ready)
		e->hooks.ready(e->hooks.ctx, p);
}

static void unlock(struct engine *e, struct pod *p)
{
	crash_point("custody");
	if (e->hooks.custody)
		e->hooks.custody(e->hooks.ctx, p, false);
	fd_close(&p->status_fd);
	fd_close(&p->lock_fd);
	crash_point("unlocked");
}

/* Codes and readiness are on disk: the last copy of the lock may go (design, "The lock"). Who
 * may come back keeps it until that is decided. */
static void collect_done(struct engine *e, struct pod *p, const struct file_job *j)
{
	const struct err *err = &j->err;
	bool crashed = j->console && p->core.cause == CAUSE_CRASHED;
	_cleanup_free_ char *panic = crashed ? console_panic(j->console) : NULL;
	struct event_args args = {.domid = -1,
		.outbox = j->outbox,
		.message = err->msg ? err->msg : panic,
		.console = j->console};
	if (err->msg) {
		log_about(LOG_LVL_ERR, MSG_CODES_UNWRITTEN, p->uuid,
			"pod %s: exit codes cannot be written, trying again: %s", p->uuid,
			err_msg(err));
		engine_post(e, p, EV_COLLECT_FAILED, &args);
		return;
	}
	pod_close_start_fds(p);
	if (p->policy == POLICY_NEVER)
		unlock(e, p);
	engine_post(e, p, EV_COLLECTED, &args);
}

static void files_done(struct worker_job *wj)
{
	struct file_job *j = (struct file_job *)wj;
	struct pod *p = pods_find(j->e->pods, j->uuid);
	if (p && j->fx == FX_READY)
		ready_done(j->e, p, &j->err);
	else if (p)
		collect_done(j->e, p, j);
	fd_close(&j->rkt_fd);
	free(j->console);
	free(j->app);
	err_done(&j->err);
	free(j);
}

static int rkt_fd_of(const struct pod *p)
{
	if (p->status_fd >= 0)
		return fcntl(p->status_fd, F_DUPFD_CLOEXEC, 3);
	if (p->lock_fd >= 0)
		return rktfiles_open(p->lock_fd);
	_cleanup_fd_ int dir = open(pod_dir(p), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : rktfiles_open(dir);
}

static void files_start(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox)
{
	struct file_job *j = xcalloc(1, sizeof *j);
	j->job.work = files_work;
	j->job.done = files_done;
	j->e = e;
	memcpy(j->uuid, p->uuid, sizeof j->uuid);
	j->fx = fx;
	j->outbox = outbox;
	j->rkt_fd = rkt_fd_of(p);
	if (fx == FX_COLLECT && p->napps) {
		j->app = xcalloc(p->napps, sizeof *j->app);
		memcpy(j->app, p->app, p->napps * sizeof *j->app);
		j->napps = p->napps;
	}
	/* gc removes the log; whoever asks why the pod ended comes later. */
	if (fx == FX_COLLECT && !pod_cause_in_order(p->core.cause, p->core.code))
		j->console_dir = e->cfg.console_dir;
	if (j->rkt_fd < 0)
		log_about(LOG_LVL_WARNING, MSG_CODES_UNWRITTEN, p->uuid,
			"pod %s: its stage1 directory is gone, rkt will see no exit codes",
			p->uuid);
	worker_submit(e->cfg.worker, &j->job);
}

void engine_watch(struct engine *e, struct pod *p)
{
	if (p->core.domid < 0)
		return;
	_cleanup_json_ json_t *f = json_make("{s:s, s:s, s:I, s:i}", "t", "watch", "uuid", p->uuid,
		"domid", (json_int_t)p->core.domid, "apps", (int)p->napps);
	p->watched = p->core.domid;
	e->cfg.world->ops->watch_send(e->cfg.world, f);
}

/* Not core.domid: a later turn of the same commit may have forgotten it. */
static void unwatch(struct engine *e, struct pod *p)
{
	if (!p->watched)
		return;
	_cleanup_json_ json_t *f =
		json_make("{s:s, s:I}", "t", "unwatch", "domid", (json_int_t)p->watched);
	p->watched = 0;
	e->cfg.world->ops->watch_send(e->cfg.world, f);
}

/* Of the loopback interface alone nothing has to be made. */
static void network(struct engine *e, struct pod *p, int64_t outbox)
{
	if (pod_has_network(p)) {
		op_start(e, p, FX_NETWORK, outbox);
		return;
	}
	struct event_args args = {.domid = -1, .outbox = outbox};
	engine_post(e, p, EV_NETWORKED, &args);
}

static void call(void (*hook)(void *, struct pod *), struct engine *e, struct pod *p)
{
	if (hook)
		hook(e->hooks.ctx, p);
}

/* Kept for the next life: there is none. */
static void unlock_kept(struct engine *e, struct pod *p)
{
	if (p->policy != POLICY_NEVER)
		unlock(e, p);
}

static void spawn(struct engine *e, struct pod *p, int64_t outbox)
{
	p->spawn_outbox = outbox;
	call(e->hooks.spawn, e, p);
}

static void dismiss(struct engine *e, struct pod *p)
{
	p->spawn_outbox = 0;
	call(e->hooks.dismiss, e, p);
}

static void evict(struct engine *e, struct pod *p)
{
	if (p->qemu_alive)
		e->cfg.world->ops->qemu_kill(e->cfg.world, p->qemu_watched);
	if (e->hooks.evict)
		e->hooks.evict(e->hooks.ctx, p);
}

/*
 * Without its descriptors a start cannot go on after a restart of ours: its row stays in the outbox
 * until `run` connects again (recovery_reconnected), or the state's deadline comes.
 */
static bool waits_for_run(const struct pod *p, enum pod_effect fx)
{
	if (fx == FX_EXPORT)
		return !p->trees.n && p->request && p->request->trees;
	if (fx == FX_CREATE)
		return p->lock_fd < 0 || p->kernel_fd < 0 || p->ramdisk_fd < 0;
	return false;
}

void effect_run(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox)
{
	if (waits_for_run(p, fx)) {
		log_pod(LOG_LVL_INFO, p->uuid, "pod %s: %s waits for its run process", p->uuid,
			pod_effect_name(fx));
		return;
	}
	crash_point(pod_effect_name(fx));
	switch (fx) {
	case FX_NETWORK:
		network(e, p, outbox);
		break;
	case FX_WATCH:
		engine_watch(e, p);
		break;
	case FX_GO:
		op_go(e, p, outbox);
		break;
	case FX_READY:
	case FX_COLLECT:
		if (fx == FX_COLLECT)
			op_cancel(e, p);
		files_start(e, p, fx, outbox);
		break;
	case FX_UNMAP:
		unwatch(e, p);
		call(e->hooks.unmap, e, p);
		break;
	case FX_EVICT:
		evict(e, p);
		break;
	case FX_UNLOCK:
		unlock_kept(e, p);
		break;
	case FX_SPAWN:
		if (!e->barrier) /* as what helpers do; its opening repeats the row */
			spawn(e, p, outbox);
		break;
	case FX_DISMISS:
		dismiss(e, p);
		break;
	case FX_TELL:
		call(e->hooks.tell, e, p);
		break;
	case FX_NONE:
	case FX_FORGET:
	case FX_MAX_:
		break;
	default:
		op_start(e, p, fx, outbox);
		break;
	}
}

void engine_replay(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox)
{
	if (fx == FX_SPAWN)
		spawn(e, p, outbox);
	else
		effect_run(e, p, fx, outbox);
}

void engine_qemu_exit(struct engine *e, const char *uuid, int64_t pid)
{
	struct pod *p = pods_find(e->pods, uuid);
	if (!p || (p->core.qemu_pid && p->core.qemu_pid != pid))
		return;
	p->qemu_alive = false;
	/* A destroy under way pauses the domain first: the sensors' answer tells a fault from that.
	 */
	if (p->core.state != POD_DYING)
		engine_watch(e, p);
	engine_check_quiet(e, p);
}
