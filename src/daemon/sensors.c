/* SPDX-License-Identifier: Apache-2.0 */
/* Sensor frames to events: see sensors.h. */
#include "daemon/sensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/audit.h"
#include "daemon/messages.h"
#include "daemon/seen.h"
#include "fsm/pod.h"

#define EXTERNAL "external" /* in the history: neither our doing nor the guest's */

struct sensors {
	struct sensors_config cfg;
	int64_t list_n;    /* of the list asked for last */
	int64_t list_open; /* of the list being received; 0: none */
	int64_t list_now;  /* of the list that has just ended */
	int64_t ping_n, pong_n;
	struct audit audit;
	struct orphan *orphans;
	size_t n_orphans, cap_orphans;
};

struct sensors *sensors_new(const struct sensors_config *cfg)
{
	struct sensors *s = xcalloc(1, sizeof *s);
	s->cfg = *cfg;
	return s;
}

void sensors_free(struct sensors *s)
{
	if (!s)
		return;
	free(s->orphans);
	free(s);
}

static void send(struct sensors *s, json_t *frame /* stolen */)
{
	s->cfg.world->ops->watch_send(s->cfg.world, frame);
	json_decref(frame);
}

/* Only a domain that was known when the list was asked for can be missing from it. */
static void mark_asked(void *ctx, struct pod *p)
{
	const struct sensors *s = ctx;
	p->asked_list = p->core.domid >= 0 ? s->list_n + 1 : 0;
}

void sensors_list(struct sensors *s)
{
	pods_each(engine_pods(s->cfg.engine), mark_asked, s);
	send(s, json_make("{s:s, s:I}", "t", "list", "n", (json_int_t)++s->list_n));
}

bool sensors_ping(struct sensors *s)
{
	if (s->ping_n != s->pong_n)
		return false;
	send(s, json_make("{s:s, s:I}", "t", "ping", "n", (json_int_t)++s->ping_n));
	audit_ping(&s->audit, s->ping_n);
	return true;
}

static void watch_again(void *ctx, struct pod *p)
{
	struct sensors *s = ctx;
	if (pod_state_owns(p->core.state) & POD_OWNS_DOMAIN && p->core.domid >= 0)
		engine_watch(s->cfg.engine, p);
}

void sensors_restarted(struct sensors *s)
{
	s->ping_n = s->pong_n;
	s->list_open = 0;
	audit_catch_up(&s->audit, engine_pods(s->cfg.engine), s->list_n + 1);
	pods_each(engine_pods(s->cfg.engine), watch_again, s);
	sensors_list(s);
}

/* ---- domains ------------------------------------------------------------------------------ */

static void post(struct sensors *s, struct pod *p, enum pod_event ev, enum pod_cause cause,
	const char *message)
{
	struct event_args args = {.domid = -1, .cause = cause, .message = message};
	audit_event(&s->audit, p, ev);
	engine_post(s->cfg.engine, p, ev, &args);
}

static void domain_stopped(struct sensors *s, struct pod *p, const char *reason)
{
	if (!strcmp(reason, "crash"))
		post(s, p, EV_DOMAIN_CRASHED, CAUSE_NONE, NULL); /* the console may say why */
	else if (!strcmp(reason, "watchdog"))
		post(s, p, EV_DOMAIN_CRASHED, CAUSE_NONE, reason);
	else if (!strcmp(reason, "reboot"))
		post(s, p, EV_DOMAIN_STOPPED, CAUSE_GUEST_REBOOT, NULL);
	else if (strcmp(reason, "suspend"))
		post(s, p, EV_DOMAIN_STOPPED, CAUSE_NONE, NULL);
}

/*
 * libxl pauses a domain before it ends its device model (xen-pitfalls 6.5, 33): a running domain
 * without one has lost it, a paused one is being destroyed and its death will be seen.
 */
static bool lost_qemu(const struct pod *p)
{
	return p->core.qemu_pid > 0 && !p->qemu_alive && p->core.state >= POD_UNPAUSING &&
	       p->core.state <= POD_STOPPING;
}

/*
 * A report of "paused" may be older than what we know: it was read before our own unpause, or while
 * somebody's destroy has just begun. What a second look confirms is so.
 */
static bool pause_confirmed(struct sensors *s, struct pod *p)
{
	p->pause_doubted = !p->pause_doubted;
	if (p->pause_doubted)
		engine_watch(s->cfg.engine, p);
	return !p->pause_doubted;
}

static bool may_be_paused(enum pod_state st)
{
	return st == POD_RUNNING || st == POD_BOOTING;
}

static void domain_lives(struct sensors *s, struct pod *p, const json_t *frame)
{
	bool paused = !strcmp(json_str_opt(frame, "state", ""), "paused");
	enum pod_state st = p->core.state;
	p->pause_doubted = p->pause_doubted && paused;
	if (!paused && lost_qemu(p))
		post(s, p, EV_QEMU_GONE, CAUSE_NONE, NULL);
	else if (paused && st == POD_PAUSING)
		post(s, p, EV_DOMAIN_PAUSED, CAUSE_NONE, NULL);
	else if (paused && may_be_paused(st) && pause_confirmed(s, p))
		post(s, p, EV_DOMAIN_PAUSED, CAUSE_NONE, EXTERNAL);
	else if (!paused && (st == POD_RESUMING || st == POD_UNPAUSING))
		post(s, p, EV_DOMAIN_RUNS, CAUSE_NONE, NULL);
	else if (!paused && st == POD_PAUSED)
		post(s, p, EV_DOMAIN_RUNS, CAUSE_NONE, EXTERNAL);
}

/* A create whose helper is no more, but which had succeeded: its marker says so. */
static void domain_of_lost_create(struct sensors *s, struct pod *p, const json_t *frame)
{
	int64_t built = json_int_opt(frame, "built", 0);
	if (p->op || built <= 0 || strcmp(json_str_opt(frame, "state", ""), "paused"))
		return;
	struct event_args args = {
		.domid = json_int_opt(frame, "domid", -1),
		.qemu_pid = built,
	};
	p->qemu_alive = s->cfg.world->ops->qemu_watch(
				s->cfg.world, p->uuid, built, 0, &args.qemu_start) == 0;
	p->qemu_watched = built;
	audit_event(&s->audit, p, EV_CREATED);
	engine_post(s->cfg.engine, p, EV_CREATED, &args);
}

static bool ours(const struct sensors *s, const struct pod *p, const json_t *frame)
{
	const char *store = json_str_opt(frame, "store", "");
	if (store[0] && strcmp(store, s->cfg.store_id))
		return false;
	int64_t domid = json_int_opt(frame, "domid", -1);
	if (p->core.domid >= 0)
		return domid == p->core.domid;
	return json_int_opt(frame, "generation", -1) == p->core.generation;
}

static void note_orphan(struct sensors *s, const json_t *frame, bool marked)
{
	if (s->n_orphans == s->cap_orphans) {
		s->cap_orphans = s->cap_orphans ? s->cap_orphans * 2 : 16;
		s->orphans = xreallocarray(s->orphans, s->cap_orphans, sizeof *s->orphans);
	}
	struct orphan *o = &s->orphans[s->n_orphans++];
	*o = (struct orphan){
		.domid = json_int_opt(frame, "domid", -1),
		.generation = json_int_opt(frame, "generation", -1),
		.marked = marked,
		.built = json_int_opt(frame, "built", 0),
		.cpu_ns = json_int_opt(frame, "cpu_time_ns", 0),
		.memory_kib = json_int_opt(frame, "memory_kib", 0),
	};
	snprintf(o->uuid, sizeof o->uuid, "%s", json_str_opt(frame, "uuid", ""));
	snprintf(o->state, sizeof o->state, "%s", json_str_opt(frame, "state", ""));
}

static bool owns_domain(const struct pod *p)
{
	return pod_state_owns(p->core.state) & POD_OWNS_DOMAIN;
}

static void domain(struct sensors *s, const json_t *frame)
{
	const char *state = json_str_opt(frame, "state", "");
	struct pod *p = pods_find(engine_pods(s->cfg.engine), json_str_opt(frame, "uuid", ""));
	bool mine = !strcmp(json_str_opt(frame, "store", ""), s->cfg.store_id);
	if (p)
		audit_heard(&s->audit, p);
	if (!p || !owns_domain(p) || !ours(s, p, frame)) {
		/* A dying domain has lost its marker with its xenstore directory. */
		bool zombie = p && !strcmp(state, "dying");
		if ((mine || zombie) && s->list_open)
			note_orphan(s, frame, mine);
		return;
	}
	p->listed = true;
	const struct engine_config *c = engine_cfg(s->cfg.engine);
	seen_note(p, frame, c->wall_ns(c->clock));
	if (p->core.state == POD_CREATING)
		domain_of_lost_create(s, p, frame);
	else if (!strcmp(state, "dying"))
		post(s, p, EV_DOMAIN_DEAD, CAUSE_NONE, NULL);
	else if (!strcmp(state, "stopped"))
		domain_stopped(s, p, json_str_opt(frame, "reason", ""));
	else
		domain_lives(s, p, frame);
}

static void domain_gone(struct sensors *s, const json_t *frame)
{
	struct pod *p = pods_find(engine_pods(s->cfg.engine), json_str_opt(frame, "uuid", ""));
	if (p)
		audit_heard(&s->audit, p);
	if (!p || p->core.domid != json_int_opt(frame, "domid", -2))
		return;
	p->listed = false;
	post(s, p, EV_DOMAIN_DEAD, CAUSE_NONE, NULL);
}

/* ---- lists -------------------------------------------------------------------------------- */

static void unlist(void *ctx, struct pod *p)
{
	(void)ctx;
	p->listed = false;
}

static void missing(void *ctx, struct pod *p)
{
	struct sensors *s = ctx;
	bool awaited = owns_domain(p) && p->asked_list && p->asked_list <= s->list_now &&
		       p->core.state != POD_DYING;
	if (awaited && !p->listed)
		post(s, p, EV_DOMAIN_DEAD, CAUSE_NONE, NULL);
}

static void list_begin(struct sensors *s, int64_t n)
{
	s->list_open = n;
	s->n_orphans = 0;
	pods_each(engine_pods(s->cfg.engine), unlist, NULL);
}

static void list_end(struct sensors *s, int64_t n)
{
	if (s->list_open != n)
		return;
	s->list_open = 0;
	s->list_now = n;
	s->audit.list_now = n;
	pods_each(engine_pods(s->cfg.engine), missing, s);
	audit_listed(&s->audit, n);
	if (n == s->list_n && s->cfg.listed)
		s->cfg.listed(s->cfg.ctx);
}

size_t sensors_orphans(const struct sensors *s, const struct orphan **ret)
{
	*ret = s->orphans;
	return s->n_orphans;
}

/* ---- guests ------------------------------------------------------------------------------- */

static void guest_pod(struct sensors *s, struct pod *p, const struct gstate *g)
{
	static const enum pod_event events[GSTATE_MAX_] = {
		[GSTATE_RUNNING] = EV_GUEST_RUNNING,
		[GSTATE_STOPPING] = EV_GUEST_STOPPING,
		[GSTATE_ENDING] = EV_GUEST_STOPPING,
		[GSTATE_DONE] = EV_GUEST_DONE,
		[GSTATE_FAILED] = EV_GUEST_FAILED,
	};
	if (g->seq <= p->guest_seq || events[g->kind] == EV_NONE)
		return;
	p->guest_seq = g->seq;
	if (g->kind == GSTATE_RUNNING && p->core.started_at)
		return; /* read again after a restart of ours: no news, it may be paused by now */
	struct event_args args = {
		.domid = -1,
		.code = g->code,
		.cause = g->kind == GSTATE_ENDING ? CAUSE_FINISHED : CAUSE_NONE,
		.message = g->text[0] ? g->text : NULL,
	};
	engine_post(s->cfg.engine, p, events[g->kind], &args);
}

static void guest_app(struct sensors *s, struct pod *p, const char *index, const struct gstate *g)
{
	char *end = NULL;
	unsigned long i = strtoul(index, &end, 10);
	if (*end || i >= p->napps || g->seq <= p->app[i].seq || pod_app_ended(&p->app[i]))
		return;
	struct event_args args = {.domid = -1, .app = (int)i, .gstate = *g};
	engine_post(s->cfg.engine, p, EV_GUEST_APP, &args);
}

static void guest(struct sensors *s, const json_t *frame)
{
	const char *key = json_str_opt(frame, "key", "");
	const char *value = json_str_opt(frame, "value", "");
	struct pod *p = pods_find(engine_pods(s->cfg.engine), json_str_opt(frame, "uuid", ""));
	if (!p || p->core.domid != json_int_opt(frame, "domid", -2))
		return;
	struct gstate g;
	bool is_app = !strncmp(key, "app/", 4);
	if (gstate_parse(is_app ? GSTATE_APP : GSTATE_POD, value, strlen(value), &g) < 0) {
		log_debug("pod %s: the guest wrote nonsense to %s", p->uuid, key);
		return;
	}
	if (is_app)
		guest_app(s, p, key + 4, &g);
	else if (!strcmp(key, "pod"))
		guest_pod(s, p, &g);
}

/* ---- the host ----------------------------------------------------------------------------- */

static void host(struct sensors *s, const json_t *frame)
{
	struct engine_host h = {
		.free_kib = json_int_opt(frame, "free_kib", -1),
		.total_kib = json_int_opt(frame, "total_kib", 0),
		.dying_kib = json_int_opt(frame, "dying_kib", 0),
		.cpus = json_int_opt(frame, "cpus", 0),
	};
	bool sane = h.free_kib >= 0 && h.total_kib > 0 && h.dying_kib >= 0;
	engine_host_set(s->cfg.engine, sane ? &h : NULL);
}

static void pong(struct sensors *s, int64_t n)
{
	s->pong_n = n;
	audit_pong(&s->audit, engine_pods(s->cfg.engine), n);
}

const struct audit *sensors_audit(const struct sensors *s)
{
	return &s->audit;
}

/* ---- all ---------------------------------------------------------------------------------- */

void sensors_frame(struct sensors *s, const json_t *frame)
{
	const char *t = json_str_opt(frame, "t", "");
	s->audit.list_now = strcmp(t, "domain") ? 0 : json_int_opt(frame, "n", 0);
	if (!strcmp(t, "domain"))
		domain(s, frame);
	else if (!strcmp(t, "gone"))
		domain_gone(s, frame);
	else if (!strcmp(t, "guest"))
		guest(s, frame);
	else if (!strcmp(t, "host"))
		host(s, frame);
	else if (!strcmp(t, "pong"))
		pong(s, json_int_opt(frame, "n", 0));
	else if (!strcmp(t, "list-begin"))
		list_begin(s, json_int_opt(frame, "n", 0));
	else if (!strcmp(t, "list-end"))
		list_end(s, json_int_opt(frame, "n", 0));
	else if (!strcmp(t, "hello") && s->cfg.hello)
		s->cfg.hello(s->cfg.ctx, frame);
	else if (!strcmp(t, "noisy"))
		log_about(LOG_LVL_WARNING, MSG_GUEST_FLOODS, json_str_opt(frame, "uuid", NULL),
			"pod %s: its guest floods xenstore%s", json_str_opt(frame, "uuid", "?"),
			json_bool_opt(frame, "on", true) ? ", it is polled from now on"
							 : " no more");
	else if (!strcmp(t, "fault"))
		log_warning("xenpod-watch: %s", json_str_opt(frame, "message", "?"));
}
