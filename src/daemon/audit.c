/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what only lists have found: see audit.h. */
#include "daemon/audit.h"

#include "base/log.h"
#include "daemon/messages.h"

static void hear(void *ctx, struct pod *p)
{
	(void)ctx;
	p->unheard = false;
}

void audit_catch_up(struct audit *a, struct pods *pods, int64_t n)
{
	a->catch_up = n;
	a->catching_up = true;
	a->list_now = a->unheard_in_ping = 0;
	if (a->unheard)
		pods_each(pods, hear, NULL);
	a->unheard = false;
}

void audit_heard(const struct audit *a, struct pod *p)
{
	if (!a->list_now)
		p->unheard = false;
}

void audit_listed(struct audit *a, int64_t n)
{
	a->catching_up = a->catching_up && n < a->catch_up;
}

/* What was told is in the queue already when its turn was not made yet. */
static bool changes(const struct pod *p, enum pod_event event)
{
	struct pod_update u;
	struct pod_facts facts = {.want = p->core.want, .started = p->core.started_at != 0};
	pod_step(p->core.state, event, &facts, &u);
	return u.listed && u.next != p->core.state && p->told != p->core.seq + 1;
}

/* Of a pause or its end Xen tells nobody: to find those is an audit's work. */
static bool is_told(enum pod_event event)
{
	return event != EV_DOMAIN_PAUSED && event != EV_DOMAIN_RUNS;
}

void audit_event(struct audit *a, struct pod *p, enum pod_event event)
{
	bool counts = (a->list_now || a->catching_up) && changes(p, event);
	a->corrections += counts;
	if (!a->list_now)
		p->told = p->core.seq + 1;
	if (!counts || a->catching_up || !is_told(event))
		return;
	p->unheard = a->unheard = true;
	a->unheard_in_ping = 0;
}

void audit_ping(struct audit *a, int64_t n)
{
	if (a->unheard && !a->unheard_in_ping)
		a->unheard_in_ping = n;
}

static void judge(void *ctx, struct pod *p)
{
	struct audit *a = ctx;
	if (!p->unheard)
		return;
	p->unheard = false;
	a->events_missed++;
	log_about(LOG_LVL_WARNING, MSG_MISSED_EVENT, p->uuid,
		"pod %s: its domain has changed and no event told of it, an audit found it",
		p->uuid);
}

void audit_pong(struct audit *a, struct pods *pods, int64_t n)
{
	if (!a->unheard_in_ping || n < a->unheard_in_ping)
		return;
	pods_each(pods, judge, a);
	a->unheard_in_ping = 0;
	a->unheard = false;
}
