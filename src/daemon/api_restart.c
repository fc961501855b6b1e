/* SPDX-License-Identifier: Apache-2.0 */
/* Pods that come back, and the host that goes down: Accept for a next life, Start, Shutdown. */
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/api_int.h"
#include "daemon/podjson.h"

/* ---- a next life ------------------------------------------------------------------------------ */

int restart_start(const json_t *params)
{
	return (int)json_int_opt(json_object_get(params, "restart"), "start", 0);
}

static void try_failed(struct engine *e, struct pod *p, const struct err *err)
{
	struct event_args args = {.domid = -1, .outbox = p->spawn_outbox, .message = err_msg(err)};
	engine_post(e, p, EV_SPAWN_FAILED, &args);
}

static void handed_over(void *ctx, const struct err *err)
{
	struct conn *c = ctx;
	struct engine *e = c->api->cfg.engine;
	struct pod *p = pods_find(engine_pods(e), c->uuid);
	c->holds--;
	if (err && p)
		try_failed(e, p, err);
	if (c->dead) {
		struct event_args args = {.domid = -1, .cause = CAUSE_RUN_LOST};
		if (!err && p)
			engine_post(e, p, EV_STOP, &args);
		return;
	}
	if (err)
		conn_error(c, err);
	else if (p)
		run_become(c, p);
}

static int check(struct pod *p, struct pod *sent, const json_t *params, struct err *err)
{
	if (spec_check_request(params, err) < 0 || run_check_new(sent, params, err) < 0)
		return -1;
	if (sent->lock_dev != p->lock_dev || sent->lock_ino != p->lock_ino)
		return err_set(err, ERR_EXISTS, "pod %s has another directory", p->uuid);
	return 0;
}

static void hand_over(struct conn *c, struct pod *p, struct pod *sent, const json_t *params)
{
	_cleanup_json_ json_t *request = run_request(c, params);
	struct event_args args = {.domid = -1,
		.outbox = p->spawn_outbox,
		.request = request,
		.done = handed_over,
		.done_ctx = c};
	if (p->lock_fd < 0)
		p->lock_fd = TAKE_FD(sent->lock_fd);
	pod_take_start_fds(p, sent);
	memcpy(c->uuid, p->uuid, sizeof c->uuid);
	c->role = CONN_ACCEPTING;
	c->holds++;
	engine_post(c->api->cfg.engine, p, EV_HANDED_OVER, &args);
}

/* One of a life that is over learns how it ended, as long as that is known. */
static void tell_the_past(struct conn *c, struct pod *p)
{
	if (p->core.state < POD_BACKOFF) {
		conn_fail(c, ERR_NOTFOUND, "this life of pod %s is over, another one has begun",
			p->uuid);
		return;
	}
	memcpy(c->uuid, p->uuid, sizeof c->uuid);
	conn_reply(c, json_make("{s:s}", "event", "accepted"), true);
	run_tell(c, p);
}

void restart_accept(struct conn *c, struct pod *p, struct pod *sent, const json_t *params)
{
	_cleanup_err_ struct err err = {0};
	if (p->core.state != POD_RESTARTING || restart_start(params) != p->core.starts) {
		tell_the_past(c, p);
		return;
	}
	if (check(p, sent, params, &err) == 0) {
		hand_over(c, p, sent, params);
		return;
	}
	try_failed(c->api->cfg.engine, p, &err);
	conn_error(c, &err);
}

void api_verb_start(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (!p)
		return;
	if (engine_closing(c->api->cfg.engine))
		conn_fail(c, ERR_STATE,
			"the host is being shut down (xenpod start --all calls that off)");
	else
		conn_change(c, p, EV_START);
}

/* ---- the host's shutdown ----------------------------------------------------------------------- */

static void send_left(struct conn *c, const struct turn_record *t)
{
	json_t *j = json_make("{s:I}", "left", (json_int_t)c->left);
	if (t) {
		json_object_set_new(j, "uuid", json_string(t->pod->uuid));
		json_object_set_new(j, "state", json_string(pod_state_name(t->to)));
	}
	if (!c->left || c->more)
		conn_reply(c, j, c->left > 0);
	else
		json_decref(j);
}

void shutdown_update(struct conn *c, const struct turn_record *t)
{
	bool was = t->from != POD_BACKOFF && !pod_state_ended(t->from);
	bool is = t->to != POD_BACKOFF && !pod_state_ended(t->to);
	if (was == is)
		return;
	c->left = engine_alive(c->api->cfg.engine);
	send_left(c, t);
}

void api_verb_shutdown(struct conn *c, json_t *params)
{
	struct engine *e = c->api->cfg.engine;
	bool cancel = json_bool_opt(params, "cancel", false);
	engine_close(e, !cancel);
	if (cancel) {
		conn_reply(c, NULL, false);
		return;
	}
	c->role = CONN_SHUTDOWN;
	c->left = engine_alive(e);
	send_left(c, NULL);
}
