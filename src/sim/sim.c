/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual time: events, what they must wait for, chance. Whatever happens in the simulated world
 * happens in sim_advance, one event after the other.
 */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

static const int64_t latency_ms[] = {
#define X(id, name, ms) [SIM_LAT_##id] = (ms),
	SIM_LATENCIES(X)
#undef X
};

struct sim *sim_new(const struct sim_config *cfg)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));
	sim->cfg = *cfg;
	sim->cfg.store = cfg->store ? xstrdup(cfg->store) : NULL;
	sim->events = cfg->events;
	sim->now = cfg->now_ns;
	sim->rng = cfg->seed;
	sim->jitter = 10;
	sim->next_domid = 1;
	sim->next_serial = 1;
	sim->next_pid = PID_FIRST;
	for (size_t i = 0; i < SIM_LAT_MAX_; i++)
		sim->latency[i] = latency_ms[i] * MS;
	return sim;
}

void sim_free(struct sim *sim)
{
	if (!sim)
		return;
	queue_free(&sim->queue);
	for (size_t i = 0; i < sim->nparked; i++)
		event_free(sim->parked[i]);
	free(sim->parked);
	for (int64_t i = 0; i < sim->dom_top; i++)
		dom_free(sim->dom[i]);
	helpers_free(sim);
	qemus_free(sim);
	hosts_free(sim);
	faults_free(sim);
	free((char *)(uintptr_t)sim->cfg.store);
	free(sim);
}

/* splitmix64 (Steele, Lea, Flood 2014): small, and good enough to draw latencies. */
static uint64_t draw(struct sim *sim)
{
	uint64_t z = sim->rng += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t latency(struct sim *sim, enum sim_lat what)
{
	int64_t mean = sim->latency[what];
	int64_t span = mean / 100 * (int64_t)sim->jitter;
	uint64_t r = draw(sim); /* drawn always: a latency of zero must not shift the others */
	return span ? mean - span + (int64_t)(r % (uint64_t)(2 * span + 1)) : mean;
}

void sim_set_latency(struct sim *sim, enum sim_lat what, int64_t ns)
{
	sim->latency[what] = ns;
}

void sim_set_jitter(struct sim *sim, unsigned percent)
{
	sim->jitter = percent > 100 ? 100 : percent;
}

int64_t sim_now(const struct sim *sim)
{
	return sim->now;
}

void sim_set_clock(struct sim *sim, int64_t (*now_ns)(void))
{
	sim->clock = now_ns;
}

int64_t time_of(const struct sim *sim)
{
	int64_t now = sim->clock && !sim->advancing ? sim->clock() : 0;
	return now > sim->now ? now : sim->now;
}

void note(struct sim *sim, const char *fmt, ...)
{
	if (!sim->events.note)
		return;
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *text = xvasprintf(fmt, ap);
	va_end(ap);
	sim->events.note(sim->events.ctx, text);
}

/* ---- events -----------------------------------------------------------------------------------
 */

void later_at(struct sim *sim, int64_t due, unsigned needs, event_fn fn, int64_t id, int64_t arg,
	json_t *data)
{
	struct event *ev = xcalloc(1, sizeof(*ev));
	*ev = (struct event){
		.due = due, .needs = needs, .fn = fn, .id = id, .arg = arg, .data = data};
	queue_push(&sim->queue, ev);
}

void later(struct sim *sim, int64_t in_ns, unsigned needs, event_fn fn, int64_t id, int64_t arg,
	json_t *data)
{
	later_at(sim, time_of(sim) + in_ns, needs, fn, id, arg, data);
}

/* Events that need a CPU are about the domain whose serial is their id. */
static bool possible(struct sim *sim, const struct event *ev)
{
	if (ev->needs & NEED_XENSTORE && sim->xenstored_down)
		return false;
	if (!(ev->needs & NEED_CPU))
		return true;
	const struct dom *d = dom_by_serial(sim, ev->id);
	return !d || d->state != DOM_PAUSED;
}

static void park(struct sim *sim, struct event *ev)
{
	sim->parked = xreallocarray(sim->parked, sim->nparked + 1, sizeof(*sim->parked));
	sim->parked[sim->nparked++] = ev;
}

void unpark(struct sim *sim)
{
	struct event **all = sim->parked;
	size_t n = sim->nparked;
	sim->parked = NULL;
	sim->nparked = 0;
	for (size_t i = 0; i < n; i++) {
		if (!possible(sim, all[i])) {
			park(sim, all[i]);
			continue;
		}
		all[i]->due = time_of(sim);
		queue_push(&sim->queue, all[i]);
	}
	free(all);
}

void sim_xenstored(struct sim *sim, bool up)
{
	sim->xenstored_down = !up;
	if (up)
		unpark(sim);
}

int64_t sim_next_due(const struct sim *sim)
{
	return sim->queue.n ? sim->queue.heap[0]->due : -1;
}

void sim_advance(struct sim *sim, int64_t now_ns)
{
	sim->advancing = true;
	while (sim->queue.n && sim->queue.heap[0]->due <= now_ns) {
		struct event *ev = queue_pop(&sim->queue);
		if (ev->due > sim->now)
			sim->now = ev->due;
		if (!possible(sim, ev)) {
			park(sim, ev);
			continue;
		}
		ev->fn(sim, ev);
		event_free(ev);
	}
	sim->advancing = false;
	if (now_ns > sim->now)
		sim->now = now_ns;
}
