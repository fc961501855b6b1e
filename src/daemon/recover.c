/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: see recover.h. Everything it does about a pod is an event or a stored effect again. */
#include "daemon/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/custody.h"
#include "daemon/messages.h"
#include "daemon/rebuild.h"
#include "daemon/records.h"

#define SECOND         INT64_C(1000000000)
#define HELPER_POLL_NS (SECOND / 5)
#define HELPER_WAIT_NS (15 * SECOND) /* a create under way may still succeed; then it is killed */

enum phase {
	PHASE_WORLD,   /* for the sensors' hello */
	PHASE_HELPERS, /* for the helpers of the supervisor before us */
	PHASE_LIST,    /* for the list of domains */
	PHASE_REBUILD, /* the database was lost: for the commit of the pods that are found */
	PHASE_SETTLE,  /* for the commit of the differences */
	PHASE_OPEN,
};

struct recovery {
	struct recovery_config cfg;
	enum phase phase;
	int64_t helpers_until;
	bool helpers_busy;
	struct rebuild *rebuild; /* NULL: the database was not lost */
};

/* ---- coldplug ----------------------------------------------------------------------------- */

struct loading {
	const struct engine_config *cfg;
	struct engine *e;
	struct pods *apps; /* pods of which only these are known yet; NULL: each has to ask */
	size_t n;
};

static int load_app(void *ctx, const struct app_row *a)
{
	struct pod *p = ctx;
	/* They come in their order. */
	if (a->idx != (int64_t)p->napps || p->napps == SPEC_MAX_APPS)
		return 0;
	struct pod_app *to = pod_add_app(p, a->name);
	for (int k = 0; k < GSTATE_MAX_; k++)
		if (!strcmp(gstate_kind_name((enum gstate_kind)k), a->state))
			to->kind = (enum gstate_kind)k;
	to->seq = (uint32_t)a->seq;
	to->code = (int)(pod_app_by_signal(to) ? a->signal : a->code);
	to->started_at = a->started_at;
	to->ended_at = a->ended_at;
	snprintf(to->message, sizeof to->message, "%s", a->message);
	return 0;
}

static int note_app(void *ctx, const struct app_row *a)
{
	struct pods *t = ctx;
	struct pod *p = pods_find(t, a->uuid);
	if (!p) {
		p = pod_new(a->uuid);
		pods_add(t, p);
	}
	return load_app(p, a);
}

/* All in one pass. With a bad row among them each pod asks for its own: only that one is hurt. */
static void load_apps(struct loading *l)
{
	l->apps = pods_new();
	if (store_apps(l->cfg->store, NULL, note_app, l->apps, NULL) == 0)
		return;
	pods_free(l->apps);
	l->apps = NULL;
}

static struct pod *begin_pod(struct loading *l, const char *uuid)
{
	struct pod *p = l->apps ? pods_find(l->apps, uuid) : NULL;
	if (!p)
		return pod_new(uuid);
	pods_remove(l->apps, p);
	return p;
}

/* Without them a pod can still end and give its network back: plugins do not insist on results. */
static void load_nets(struct store *s, struct pod *p)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *text = NULL;
	if (!pod_has_network(p))
		return;
	if (store_networks(s, p->uuid, &text, &err) < 0) {
		log_pod(LOG_LVL_WARNING, p->uuid, "pod %s: %s", p->uuid, err_msg(&err));
		return;
	}
	_cleanup_json_ json_t *nets = text ? json_loads(text, 0, NULL) : NULL;
	if (nets)
		pod_set_nets(p, nets);
}

/* Another boot: no domain, process or deadline of before exists any more. */
static void void_boot(struct engine *e, struct pod *p)
{
	p->core.domid = -1;
	p->core.qemu_pid = 0;
	int64_t ms = pod_state_deadline_ms(p->core.state);
	p->core.deadline_ns = ms ? engine_now(e) + ms * (SECOND / 1000) : 0;
	if (!pod_state_ended(p->core.state))
		engine_post(e, p, EV_HOST_REBOOT, NULL);
}

static int load_pod(void *ctx, const struct pod_row *r)
{
	struct loading *l = ctx;
	_cleanup_err_ struct err err = {0};
	struct pod *p = begin_pod(l, r->uuid);
	if (pod_from_row(p, r, &err) < 0 ||
		(!l->apps && store_apps(l->cfg->store, p->uuid, load_app, p, &err) < 0)) {
		log_about(LOG_LVL_ERR, MSG_POD_ASIDE, NULL, "a stored pod is left alone: %s",
			err_msg(&err));
		pod_free(p);
		return 0;
	}
	load_nets(l->cfg->store, p);
	bool same_boot = !strcmp(r->boot_id, l->cfg->boot_id);
	if (!same_boot)
		void_boot(l->e, p);
	engine_coldplug(l->e, p);
	/* No start time: it was dead already when we looked, and its pid may be another's now. */
	if (same_boot && p->core.qemu_pid > 0 && p->core.qemu_start > 0)
		p->qemu_alive = l->cfg->world->ops->qemu_watch(l->cfg->world, p->uuid,
					p->core.qemu_pid, p->core.qemu_start, NULL) == 0;
	p->qemu_watched = p->core.qemu_pid;
	l->n++;
	return 0;
}

int recovery_load(const struct engine_config *cfg, struct engine *e, struct err *err)
{
	struct loading l = {.cfg = cfg, .e = e};
	load_apps(&l);
	int r = store_pods(cfg->store, load_pod, &l, err);
	pods_free(l.apps);
	if (r < 0) {
		if (!l.n)
			return err_wrap(err, "load the pods");
		log_about(LOG_LVL_ERR, MSG_POD_ASIDE, NULL, "some stored pods are left alone: %s",
			err_msg(err));
		err_done(err);
	}
	if (l.n)
		log_info("%zu pods loaded from the store", l.n);
	return 0;
}

/* ---- the world ---------------------------------------------------------------------------- */

struct recovery *recovery_new(const struct recovery_config *cfg)
{
	struct recovery *r = xcalloc(1, sizeof *r);
	r->cfg = *cfg;
	r->rebuild = rebuild_new(cfg->engine, cfg->sensors);
	return r;
}

void recovery_free(struct recovery *r)
{
	if (r)
		rebuild_free(r->rebuild);
	free(r);
}

static void take_custody(void *ctx, struct pod *p)
{
	(void)ctx;
	if (pod_state_ended(p->core.state) || !(pod_state_owns(p->core.state) & POD_OWNS_LOCK))
		return;
	if (!custody_recover(p) && !custody_retake(p) && p->core.domid >= 0)
		log_pod(LOG_LVL_WARNING, p->uuid,
			"pod %s: its lock is held by nobody that could be asked", p->uuid);
}

static void probe_helper(void *ctx, struct pod *p)
{
	struct recovery *r = ctx;
	struct world *w = engine_cfg(r->cfg.engine)->world;
	if (p->core.state == POD_EXITED || p->core.state == POD_FAILED ||
		!w->ops->helper_alive(w, p->uuid))
		return;
	r->helpers_busy = true;
	if (engine_now(r->cfg.engine) < r->helpers_until)
		return;
	log_pod(LOG_LVL_WARNING, p->uuid, "pod %s: a helper of before is killed, it took too long",
		p->uuid);
	w->ops->helper_kill(w, p->uuid);
}

static bool helpers_done(struct recovery *r)
{
	r->helpers_busy = false;
	pods_each(engine_pods(r->cfg.engine), probe_helper, r);
	bool late = engine_now(r->cfg.engine) >= r->helpers_until;
	r->helpers_busy |= rebuild_helpers(r->rebuild, late);
	return !r->helpers_busy;
}

void recovery_world_up(struct recovery *r)
{
	if (r->phase != PHASE_WORLD) {
		sensors_restarted(r->cfg.sensors);
		return;
	}
	pods_each(engine_pods(r->cfg.engine), take_custody, r);
	r->phase = PHASE_HELPERS;
	r->helpers_until = engine_now(r->cfg.engine) + HELPER_WAIT_NS;
}

void recovery_listed(struct recovery *r)
{
	if (r->phase == PHASE_LIST)
		r->phase = r->rebuild ? PHASE_REBUILD : PHASE_SETTLE;
}

/* Pods that were found are then looked at like any others: their domains are listed once more. */
static int64_t rebuild(struct recovery *r)
{
	_cleanup_err_ struct err err = {0};
	if (rebuild_run(r->rebuild, &err) < 0) {
		log_err("the pods that were found cannot be stored, trying again: %s",
			err_msg(&err));
		return SECOND;
	}
	rebuild_free(r->rebuild);
	r->rebuild = NULL;
	pods_each(engine_pods(r->cfg.engine), take_custody, r);
	r->phase = PHASE_LIST;
	sensors_restarted(r->cfg.sensors);
	return -1;
}

/* ---- replay ------------------------------------------------------------------------------- */

struct replay {
	struct recovery *r;
	const char *only; /* this pod's rows; NULL: all */
};

static int replay_row(void *ctx, const struct outbox_row *o)
{
	const struct replay *re = ctx;
	struct engine *e = re->r->cfg.engine;
	struct pod *p = pods_find(engine_pods(e), o->uuid);
	int fx = pod_effect_from_name(o->effect);
	if (!p || fx <= FX_NONE || (re->only && strcmp(re->only, o->uuid)) || p->op)
		return 0;
	engine_replay(e, p, (enum pod_effect)fx, o->id);
	return 0;
}

static void replay(struct recovery *r, const char *only)
{
	struct replay re = {r, only};
	_cleanup_err_ struct err err = {0};
	if (store_outbox(engine_cfg(r->cfg.engine)->store, replay_row, &re, &err) < 0)
		log_err("what was under way cannot be read: %s", err_msg(&err));
}

/* Synchronous effects have no row: they follow from the state. */
static void repeat_synchronous(void *ctx, struct pod *p)
{
	struct recovery *r = ctx;
	if (p->core.state == POD_RUNNING)
		engine_replay(r->cfg.engine, p, FX_READY, 0);
	else if (p->core.state == POD_DYING)
		engine_check_quiet(r->cfg.engine, p);
}

void recovery_reconnected(struct recovery *r, struct pod *p)
{
	custody_store(p);
	if (r->phase == PHASE_OPEN && !p->op)
		replay(r, p->uuid);
}

static void open_barrier(struct recovery *r)
{
	r->phase = PHASE_OPEN;
	replay(r, NULL);
	pods_each(engine_pods(r->cfg.engine), repeat_synchronous, r);
	engine_release_barrier(r->cfg.engine);
	records_settle(r->cfg.engine);
	r->cfg.finished(r->cfg.ctx);
}

int64_t recovery_run(struct recovery *r)
{
	struct engine_stats st;
	switch (r->phase) {
	case PHASE_HELPERS:
		if (!helpers_done(r))
			return HELPER_POLL_NS;
		r->phase = PHASE_LIST;
		sensors_restarted(r->cfg.sensors);
		return -1;
	case PHASE_REBUILD:
		return rebuild(r);
	case PHASE_SETTLE:
		engine_stats_get(r->cfg.engine, &st);
		if (st.queue)
			return -1; /* the engine says when: the store may not be writable now */
		open_barrier(r);
		return 0;
	default:
		return -1;
	}
}
