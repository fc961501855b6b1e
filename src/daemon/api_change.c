/* SPDX-License-Identifier: Apache-2.0 */
/* The change verbs without descriptors: Stop, Pause, Resume, Gc; and Wait. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/api_int.h"
#include "daemon/podjson.h"

/* The intent is on disk, or refused. */
static void change_done(void *ctx, const struct err *err)
{
	struct conn *c = ctx;
	c->holds--;
	if (c->dead)
		return;
	if (err)
		conn_error(c, err);
	else
		conn_reply(c, NULL, false);
}

void conn_change(struct conn *c, struct pod *p, enum pod_event event)
{
	struct event_args args = {.domid = -1, .done = change_done, .done_ctx = c};
	c->role = CONN_CHANGE;
	c->holds++;
	engine_post(c->api->cfg.engine, p, event, &args);
}

void api_verb_stop(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (p)
		conn_change(c, p, json_bool_opt(params, "force", false) ? EV_KILL : EV_STOP);
}

void api_verb_pause(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (p)
		conn_change(c, p, EV_PAUSE);
}

void api_verb_resume(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (p)
		conn_change(c, p, EV_RESUME);
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void remember(struct conn *c, enum conn_role role, const struct pod *p)
{
	c->role = role;
	memcpy(c->uuid, p->uuid, sizeof c->uuid);
}

static bool is_waited_for(const struct conn *c, enum pod_state s)
{
	return !strcmp(c->wait_state, pod_state_name(s)) ||
	       !strcmp(c->wait_state, pod_state_word(s));
}

/* Nothing comes after the end but its removal, for who waits for that. */
void wait_update(struct conn *c, const struct pod *p)
{
	enum pod_state s = p->core.state;
	bool removal = is_waited_for(c, POD_RELEASING) || is_waited_for(c, POD_GONE);
	if (is_waited_for(c, s) || (pod_state_ended(s) && !removal))
		conn_reply(c, json_make("{s:o}", "pod", podjson_pod(p)), false);
}

void api_verb_wait(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (!p)
		return;
	snprintf(c->wait_state, sizeof c->wait_state, "%s", json_str_opt(params, "state", ""));
	remember(c, CONN_WAIT, p);
	wait_update(c, p);
}

/* ---- gc ----------------------------------------------------------------------------------- */

/* Only the store's failures end the call: of a pod that is being removed already it waits for that. */
static void gc_done(void *ctx, const struct err *err)
{
	struct conn *c = ctx;
	c->holds--;
	if (!c->dead && c->role == CONN_GC && err && err->code != ERR_STATE &&
		err->code != ERR_NOTFOUND)
		conn_error(c, err);
}

/* rkt calls gc as soon as the lock is free, which is just before "exited" is on disk: wait for
 * that. */
void gc_update(struct conn *c, struct pod *p)
{
	struct event_args args = {.domid = -1, .done = gc_done, .done_ctx = c};
	enum pod_state st = p->core.state;
	if (st < POD_COLLECTING || st == POD_BACKOFF || st == POD_RESTARTING) {
		conn_fail(c, ERR_STATE, "pod %s is %s: stop it first", p->uuid, pod_state_word(st));
		return;
	}
	if (st != POD_EXITED && st != POD_FAILED)
		return;
	c->holds++;
	engine_post(c->api->cfg.engine, p, EV_GC, &args);
}

void api_verb_gc(struct conn *c, json_t *params)
{
	const char *uuid = json_str_opt(params, "uuid", "");
	const struct engine *e = c->api->cfg.engine;
	if (uuid_valid(uuid) && !pods_find(engine_pods(c->api->cfg.engine), uuid) &&
		!store_loss(engine_cfg(e)->store)->pending) {
		conn_reply(c, NULL, false); /* nothing of it is left: that is what gc is for */
		return;
	}
	struct pod *p = conn_pod(c, params);
	if (!p)
		return;
	remember(c, CONN_GC, p);
	gc_update(c, p);
}
