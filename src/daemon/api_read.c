/* SPDX-License-Identifier: Apache-2.0 */
/* The read verbs: List, Show, History, Watch, Health. Answered at once, also while recovering. */
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/api_int.h"
#include "daemon/console.h"
#include "daemon/metrics.h"
#include "daemon/podjson.h"
#include "daemon/storecare.h"
#include "proto/volinfo.h"

#define LIST_WHOLE 1000 /* pods in one answer: a message is bounded (varlink.h) */
#define LIST_PART  64   /* of many answers: one each turn of the loop */
/* Rows of one answer, which is bounded (varlink.h) also when each has the longest message. */
#define HISTORY_LIMIT 500

struct listing {
	json_t *pods;
	unsigned members;
};

static void add_pod(void *ctx, struct pod *p)
{
	const struct listing *l = ctx;
	json_array_append_new(l->pods, podjson_some(p, l->members));
}

static json_t *supervisor_json(struct api *a)
{
	const struct engine_config *cfg = engine_cfg(a->cfg.engine);
	struct engine_stats st;
	engine_stats_get(a->cfg.engine, &st);
	json_t *j = json_make("{s:s, s:s, s:s, s:b}", "version", XENPOD_VERSION, "world",
		cfg->world->ops->name, "state",
		engine_recovering(a->cfg.engine) ? "recovering" : "running", "store_failing",
		(int)st.store_failing);
	return j;
}

void list_continue(struct conn *c)
{
	struct listing l = {json_array(), c->members};
	bool more = pods_some(engine_pods(c->api->cfg.engine), &c->listed, LIST_PART, add_pod, &l);
	conn_reply(c,
		json_make("{s:o, s:o}", "pods", l.pods, "supervisor", supervisor_json(c->api)),
		more);
}

void api_verb_list(struct conn *c, json_t *params)
{
	const struct pods *all = engine_pods(c->api->cfg.engine);
	c->members = podjson_members(json_object_get(params, "members"));
	if (c->more) {
		c->role = CONN_LIST;
		c->listed = (struct pods_cursor){0};
		list_continue(c);
		return;
	}
	if (pods_count(all) > LIST_WHOLE) {
		conn_fail(c, ERR_FULL, "%zu pods do not fit into one answer: call it with \"more\"",
			pods_count(all));
		return;
	}
	struct listing l = {json_array(), c->members};
	pods_each(all, add_pod, &l);
	conn_reply(c,
		json_make("{s:o, s:o}", "pods", l.pods, "supervisor", supervisor_json(c->api)),
		false);
}

static int add_history(void *ctx, const struct history_row *h)
{
	json_array_append_new(ctx, podjson_history(h));
	return 0;
}

static int add_ledger(void *ctx, const struct ledger_row *l)
{
	json_array_append_new(ctx, podjson_ledger(l));
	return 0;
}

void api_verb_show(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (!p)
		return;
	struct store *store = engine_cfg(c->api->cfg.engine)->store;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *history = json_array();
	_cleanup_json_ json_t *ledger = json_array();
	_cleanup_free_ char *console = NULL;
	if (store_history(store, p->uuid, 0, HISTORY_LIMIT, add_history, history, &err) < 0 ||
		store_ledger(store, p->uuid, add_ledger, ledger, &err) < 0 ||
		store_console(store, p->uuid, &console, &err) < 0) {
		conn_error(c, &err);
		return;
	}
	/* Of one that lives, what its console has said by now. */
	const char *logs = engine_cfg(c->api->cfg.engine)->console_dir;
	if (!console && logs && p->core.domid >= 0)
		console = console_tail(logs, p->uuid);
	conn_reply(c,
		json_make("{s:o, s:O, s:O, s:o, s:s?}", "pod", podjson_pod(p), "history", history,
			"ledger", ledger, "volumes", volinfo_of(pod_request(p)), "console",
			console),
		false);
	pod_rest(p);
}

/* History outlives its pod: no pod by that name is no error here. */
void api_verb_history(struct conn *c, json_t *params)
{
	const char *uuid = json_str_opt(params, "uuid", NULL);
	if (uuid && !uuid_valid(uuid)) {
		conn_fail(c, ERR_INVALID, "\"uuid\" must be a whole pod UUID");
		return;
	}
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *rows = json_array();
	if (store_history(engine_cfg(c->api->cfg.engine)->store, uuid,
		    json_int_opt(params, "since", 0), HISTORY_LIMIT, add_history, rows, &err) < 0) {
		conn_error(c, &err);
		return;
	}
	conn_reply(c, json_make("{s:O}", "history", rows), false);
}

static int send_row(void *ctx, const struct history_row *h)
{
	struct conn *c = ctx;
	conn_reply(c, json_make("{s:o}", "event", podjson_history(h)), true);
	return conn_behind(c); /* history has no end; it resumes from the last it got */
}

/* First what is stored since then, then every committed turn: no gap, because commits run on this
 * thread. */
void api_verb_watch(struct conn *c, json_t *params)
{
	if (!c->more) {
		conn_fail(c, ERR_INVALID, "Watch answers many times: call it with \"more\"");
		return;
	}
	int64_t since = json_int_opt(params, "since", -1);
	_cleanup_err_ struct err err = {0};
	c->role = CONN_WATCH;
	if (since >= 0 && store_history(engine_cfg(c->api->cfg.engine)->store, NULL, since, 0,
				  send_row, c, &err) < 0)
		conn_error(c, &err);
}

static json_t *orphans_json(struct api *a)
{
	const struct orphan *o = NULL;
	size_t n = sensors_orphans(a->cfg.sensors, &o);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_make("{s:I, s:s, s:I, s:s}", "domid", (json_int_t)o[i].domid,
				      "uuid", o[i].uuid, "generation", (json_int_t)o[i].generation,
				      "state", o[i].state));
	return list;
}

static json_t *host_json(const struct engine *e)
{
	const struct engine_host *h = engine_host(e);
	if (!h)
		return json_null();
	return json_make("{s:I, s:I, s:I, s:I}", "free_kib", (json_int_t)h->free_kib, "dying_kib",
		(json_int_t)h->dying_kib, "total_kib", (json_int_t)h->total_kib, "cpus",
		(json_int_t)h->cpus);
}

void api_verb_health(struct conn *c, json_t *params)
{
	(void)params;
	struct api *a = c->api;
	struct engine_stats st;
	engine_stats_get(a->cfg.engine, &st);
	json_t *j = json_make("{s:o, s:I, s:I, s:s, s:o, s:o}", "supervisor", supervisor_json(a),
		"pods", (json_int_t)pods_count(engine_pods(a->cfg.engine)), "connections",
		(json_int_t)api_connections(a), "store_error",
		st.store_failing ? st.store_error : "", "unaccounted_domains", orphans_json(a),
		"host", host_json(a->cfg.engine));
	struct metrics_sources from = {a->cfg.engine, a->cfg.sensors, a->cfg.orphans, a->cfg.loop};
	metrics_json(&from, j);
	json_object_set_new(j, "history", storecare_history(engine_cfg(a->cfg.engine)->store));
	json_object_set_new(j, "rebuilt", storecare_loss(engine_cfg(a->cfg.engine)->store));
	if (a->cfg.health)
		a->cfg.health(a->cfg.ctx, j);
	conn_reply(c, j, false);
}

void api_verb_metrics(struct conn *c, json_t *params)
{
	(void)params;
	const struct api_config *cfg = &c->api->cfg;
	const struct orphan *o = NULL;
	_cleanup_json_ json_t *health = json_object();
	if (cfg->health)
		cfg->health(cfg->ctx, health);
	struct telemetry_now now = {
		.from = {cfg->engine, cfg->sensors, cfg->orphans, cfg->loop},
		.pods = engine_pods(cfg->engine),
		.xen_seen = json_bool_opt(health, "xen_seen", false),
		.recovering = engine_recovering(cfg->engine),
		.sensor_restarts = json_int_opt(health, "sensor_restarts", 0),
		.unaccounted = sensors_orphans(cfg->sensors, &o),
	};
	conn_reply(
		c, json_make("{s:o}", "families", telemetry_json(c->api->telemetry, &now)), false);
}

void api_verb_info(struct conn *c, json_t *params)
{
	(void)params;
	conn_reply(c,
		json_make("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "xenpod", "product",
			"xenpodd", "version", XENPOD_VERSION, "url", "", "interfaces", "io.xenpod",
			"org.varlink.service"),
		false);
}
