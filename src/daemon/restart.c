/* SPDX-License-Identifier: Apache-2.0 */
/* The lives of a pod: see restart.h. */
#include "daemon/restart.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/messages.h"

#define MS INT64_C(1000000)

/* By the clock of this boot: running_ns is another's when the host was rebooted, and void then. */
static bool has_lasted(const struct engine *e, const struct pod *p)
{
	int64_t since = p->core.running_ns;
	return since > 0 && engine_now(e) - since >= RESTART_LONG_MS * MS;
}

static void judge(const struct engine *e, const struct pod *p, struct restart_verdict *ret)
{
	const struct pod_core *c = &p->core;
	struct restart_end end = {
		.policy = p->policy,
		.limit = p->burst,
		.want = c->want,
		.cause = c->cause,
		.code = c->code,
		.ran = c->lives > 0,
		.lasted = has_lasted(e, p),
		.closing = e->closing,
		.tries = c->tries,
	};
	restart_judge(&end, ret);
}

void restart_facts(const struct engine *e, struct turn *t, struct pod_facts *facts)
{
	const struct pod *p = t->ev->pod;
	facts->closing = e->closing;
	if (p->core.state != POD_COLLECTING)
		return;
	judge(e, p, &t->verdict);
	facts->again = t->verdict.again;
	facts->backoff_ms = t->verdict.backoff_ms;
}

enum pod_want restart_want(const struct pod *p, enum pod_cause why)
{
	bool user = why == CAUSE_NONE || pod_cause_again(why) == AGAIN_ASKED;
	bool comes_back = p->policy != POLICY_NEVER && p->core.want != WANT_DOWN;
	return comes_back && !user ? WANT_AGAIN : WANT_DOWN;
}

static void on_collected(struct pod_core *c, const struct restart_verdict *v)
{
	c->tries = v->tries;
	c->given_up = v->given_up;
	c->running_ns = 0;
	if (v->again)
		c->want = WANT_UP;
}

static void on_handed_over(struct pod_core *c)
{
	c->want = WANT_UP;
	c->cause = CAUSE_NONE;
	c->message[0] = '\0';
	c->code = -1;
	c->forced = false;
	c->started_at = c->ended_at = 0;
}

static bool spawns(const struct pod_update *u)
{
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		if (u->effects[i] == FX_SPAWN)
			return true;
	return false;
}

void restart_apply(const struct engine *e, const struct turn *t)
{
	struct pod *p = t->ev->pod;
	struct pod_core *c = &p->core;
	if (p->policy == POLICY_NEVER)
		return;
	switch (t->update.event) {
	case EV_GUEST_RUNNING:
		c->lives += c->running_ns == 0;
		if (!c->running_ns)
			c->running_ns = engine_now(e);
		break;
	case EV_HOST_REBOOT:
		c->running_ns = 0;
		break;
	case EV_COLLECTED:
	case EV_COLLECTED_FAILED:
	case EV_COLLECTED_AGAIN:
		on_collected(c, &t->verdict);
		break;
	case EV_HANDED_OVER:
		on_handed_over(c);
		break;
	default:
		break;
	}
	if (!spawns(&t->update))
		return;
	c->starts++;
	if (c->cause == CAUSE_RESTART_FAILED) /* what is said of the next try counts then */
		c->message[0] = '\0';
}

/* ---- another request ------------------------------------------------------------------------- */

struct restart_before *restart_renew(struct pod *p, json_t *request)
{
	struct restart_before *b = xcalloc(1, sizeof *b);
	b->request = TAKE_PTR(p->request);
	b->app = TAKE_PTR(p->app);
	b->napps = p->napps;
	pod_set_request(p, request);
	return b;
}

void restart_undo(struct pod *p, struct restart_before *before)
{
	request_free(p->request);
	free(p->app);
	p->request = TAKE_PTR(before->request);
	p->app = TAKE_PTR(before->app);
	p->napps = before->napps;
	p->policy = p->request->policy;
	p->burst = p->request->burst;
	restart_done(before);
}

void restart_done(struct restart_before *before)
{
	if (!before)
		return;
	request_free(before->request);
	free(before->app);
	free(before);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int write_new_life(struct engine *e, const struct pod *p, struct err *err)
{
	_cleanup_free_ char *request = json_text(pod_request(p));
	if (store_request_set(e->cfg.store, p->uuid, request, err) < 0 ||
		store_outbox_clear(e->cfg.store, p->uuid, err) < 0)
		return -1;
	return store_ledger_new_life(e->cfg.store, p->uuid, err);
}

static bool changed(const struct pod_core *a, const struct pod_core *b)
{
	return a->lives != b->lives || a->starts != b->starts || a->tries != b->tries ||
	       a->given_up != b->given_up || a->running_ns != b->running_ns;
}

int restart_write(struct engine *e, const struct turn *t, struct err *err)
{
	const struct pod *p = t->ev->pod;
	struct pod_row row;
	if (p->policy == POLICY_NEVER)
		return 0;
	if (t->update.event == EV_HANDED_OVER && write_new_life(e, p, err) < 0)
		return -1;
	if (!t->ev->accept && !changed(&t->before, &p->core))
		return 0;
	pod_restart_to_row(p, &row);
	return store_restart_put(e->cfg.store, &row, err);
}

/* ---- the host's shutdown --------------------------------------------------------------------- */

static bool is_alive(const struct pod *p)
{
	return p->core.state != POD_BACKOFF && !pod_state_ended(p->core.state);
}

static void stop_one(void *ctx, struct pod *p)
{
	struct event_args args = {.domid = -1, .cause = CAUSE_HOST_SHUTDOWN};
	if (is_alive(p))
		engine_post(ctx, p, EV_STOP, &args);
}

/* Those that were held back for it. */
static void start_one(void *ctx, struct pod *p)
{
	if (p->core.state == POD_BACKOFF && !p->core.deadline_ns)
		engine_post(ctx, p, EV_START, NULL);
}

void engine_close(struct engine *e, bool closing)
{
	if (e->closing != closing)
		log_about(LOG_LVL_NOTICE, MSG_HOST_SHUTDOWN, NULL,
			closing ? "the host shuts down: stopping all pods, starting none"
				: "the host's shutdown is called off: pods are started again");
	e->closing = closing;
	pods_each(e->pods, closing ? stop_one : start_one, e);
}

bool engine_closing(const struct engine *e)
{
	return e->closing;
}

static void count_alive(void *ctx, struct pod *p)
{
	size_t *n = ctx;
	*n += is_alive(p);
}

size_t engine_alive(struct engine *e)
{
	size_t n = 0;
	pods_each(e->pods, count_alive, &n);
	return n;
}
