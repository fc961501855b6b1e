/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains: numbers, states, the way out of the list; and what operators do to them. A domain that
 * was destroyed loses its xenstore records at once and is listed as dying for a while.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

static int64_t free_domid(struct sim *sim)
{
	int64_t id = sim->cfg.reuse_domids ? 1 : sim->next_domid;
	while (sim->dom[id])
		id = id + 1 < DOMIDS ? id + 1 : 1;
	sim->next_domid = id + 1 < DOMIDS ? id + 1 : 1;
	return id;
}

struct dom *dom_new(struct sim *sim, const char *uuid)
{
	struct dom *d = xcalloc(1, sizeof(*d));
	d->domid = free_domid(sim);
	d->serial = sim->next_serial++ * DOMIDS + d->domid;
	memcpy(d->uuid, uuid, sizeof(d->uuid));
	d->records = true;
	d->state = DOM_PAUSED;
	d->reason = REASON_NONE;
	sim->dom[d->domid] = d;
	if (d->domid >= sim->dom_top)
		sim->dom_top = d->domid + 1;
	sim->ndoms++;
	sensor_wake(sim);
	return d;
}

void dom_free(struct dom *d)
{
	if (!d)
		return;
	sensor_forget(d);
	for (size_t i = 0; i < ARRAY_SIZE(d->node); i++)
		free(d->node[i]);
	free(d->store);
	free(d);
}

struct dom *dom_by_serial(struct sim *sim, int64_t serial)
{
	struct dom *d = sim->dom[serial % DOMIDS];
	return d && d->serial == serial ? d : NULL;
}

struct dom *dom_by_uuid(struct sim *sim, const char *uuid)
{
	struct dom *best = NULL;
	for (int64_t i = 0; i < sim->dom_top; i++) {
		struct dom *d = sim->dom[i];
		if (!d || strcmp(d->uuid, uuid) != 0)
			continue;
		bool lives = d->state != DOM_DYING;
		bool best_lives = best && best->state != DOM_DYING;
		if (!best || lives > best_lives ||
			(lives == best_lives && d->serial > best->serial))
			best = d;
	}
	return best;
}

size_t sim_domains(const struct sim *sim)
{
	return sim->ndoms;
}

void dom_set_node(struct sim *sim, struct dom *d, size_t node, const char *value)
{
	if (!d->records && value)
		return;
	free(d->node[node]);
	d->node[node] = value ? xstrdup(value) : NULL;
	if (value)
		sensor_node(sim, d, node);
}

/* ---- states -----------------------------------------------------------------------------------
 */

static void remove_dom(struct sim *sim, struct dom *d)
{
	sensor_gone(sim, d);
	sim->dom[d->domid] = NULL;
	sim->ndoms--;
	dom_free(d);
	sensor_wake(sim);
}

static void leaves_list(struct sim *sim, const struct event *ev)
{
	struct dom *d = dom_by_serial(sim, ev->id);
	if (!d)
		return;
	d->lingers = true;
	if (!d->held)
		remove_dom(sim, d);
	else if (sim->memory_kib)
		sensor_wake(sim);
}

void dom_unhold(struct sim *sim, struct dom *d)
{
	d->held = false;
	if (d->lingers)
		remove_dom(sim, d);
}

void dom_destroy(struct sim *sim, struct dom *d)
{
	if (d->state == DOM_DYING)
		return;
	d->state = DOM_DYING;
	d->records = false;
	for (size_t i = 0; i < ARRAY_SIZE(d->node); i++)
		dom_set_node(sim, d, i, NULL);
	if (d->qemu)
		qemu_hup(sim, d->qemu);
	int64_t in = latency(sim, SIM_LAT_DYING);
	enum sim_kind fault = fault_strikes(sim, SIM_AT_DYING, NULL);
	if (fault == SIM_KIND_HANG)
		d->held = true;
	if (fault == SIM_KIND_SLOW)
		in *= SLOW_FACTOR;
	later(sim, in, NEED_NOTHING, leaves_list, d->serial, 0, NULL);
	sensor_wake(sim);
	unpark(sim);
}

void dom_stop(struct sim *sim, struct dom *d, enum dom_reason reason)
{
	if (d->state == DOM_DYING || d->state == DOM_STOPPED)
		return;
	d->state = DOM_STOPPED;
	d->reason = reason;
	sensor_wake(sim);
	unpark(sim);
}

/* Xen tells nobody of a pause: the sensors see it when they look for another reason. */
void dom_pause(struct sim *sim, struct dom *d)
{
	(void)sim;
	if (d->state == DOM_RUNNING)
		d->state = DOM_PAUSED;
}

void dom_unpause(struct sim *sim, struct dom *d)
{
	if (d->state != DOM_PAUSED)
		return;
	d->state = DOM_RUNNING;
	if (!d->started) {
		d->started = true;
		d->started_ns = sim->now;
		guest_boot(sim, d);
	}
	unpark(sim);
}

/* ---- operators --------------------------------------------------------------------------------
 */

static void do_qemu(struct sim *sim, struct dom *d)
{
	if (d->qemu)
		sim_qemu_kill(sim, d->qemu);
}

static int act_on(struct sim *sim, enum sim_verb verb, struct dom *d)
{
	switch (verb) {
	case SIM_DESTROY:
		dom_destroy(sim, d);
		return 0;
	case SIM_SHUTDOWN:
		guest_shutdown(sim, d);
		return 0;
	case SIM_POWEROFF:
		dom_stop(sim, d, REASON_POWEROFF);
		return 0;
	case SIM_REBOOT:
		dom_stop(sim, d, REASON_REBOOT);
		return 0;
	case SIM_PANIC:
		dom_stop(sim, d, REASON_CRASH);
		return 0;
	case SIM_PAUSE:
		dom_pause(sim, d);
		return 0;
	case SIM_UNPAUSE:
		dom_unpause(sim, d);
		return 0;
	case SIM_FREEZE:
		d->frozen = true;
		return 0;
	case SIM_HOLD:
		d->held = true;
		return 0;
	case SIM_UNHOLD:
		dom_unhold(sim, d);
		return 0;
	case SIM_KILL_QEMU:
		do_qemu(sim, d);
		return 0;
	case SIM_RENAME:
		d->renamed = true;
		return 0;
	case SIM_MEM_SET:
		d->memory_kib /= 2;
		return 0;
	case SIM_KILL_HELPER:
	case SIM_STRANGER:
	case SIM_ORPHAN:
	case SIM_VERB_MAX_:
		break;
	}
	return -1;
}

/* What they ask for happens at their next moment, so no callback can find itself inside. */
static void operator_acts(struct sim *sim, const struct event *ev)
{
	struct dom *d = dom_by_serial(sim, ev->id);
	if (d)
		(void)act_on(sim, (enum sim_verb)ev->arg, d);
}

int64_t sim_put_domain(struct sim *sim, const char *uuid, const char *store, int64_t generation)
{
	struct dom *d = dom_new(sim, uuid);
	struct host *host = host_get(sim, uuid);
	host->exports = host->cgroup = host->logs = true;
	d->store = xstrdup(store);
	d->generation = generation;
	d->qemu = d->built = qemu_new(sim, uuid, -1);
	d->started = true;
	d->state = DOM_RUNNING;
	return d->domid;
}

int sim_operator(struct sim *sim, enum sim_verb verb, const char *uuid, struct err *err)
{
	if (verb == SIM_ORPHAN) {
		if (!sim->cfg.store)
			return err_set(err, ERR_INVALID, "there is no store whose it could be");
		sim_put_domain(sim, uuid, sim->cfg.store, 1);
		return 0;
	}
	if (verb == SIM_STRANGER) {
		struct dom *d = dom_new(sim, uuid);
		d->started = true;
		d->state = DOM_RUNNING;
		return 0;
	}
	if (verb == SIM_KILL_HELPER) {
		if (!sim_helper_alive(sim, uuid))
			return err_set(err, ERR_NOTFOUND, "no helper of pod %s", uuid);
		sim_helper_kill(sim, uuid);
		return 0;
	}
	const struct dom *d = dom_by_uuid(sim, uuid);
	if (!d)
		return err_set(err, ERR_NOTFOUND, "no domain %s", uuid);
	later(sim, 0, NEED_NOTHING, operator_acts, d->serial, verb, NULL);
	return 0;
}
