/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-watch's part: answers frames in their order, and looks at the watched domains whenever the
 * list of domains changed, as the real one does at @releaseDomain. Like that one it tells changes
 * only, and a pause is none that wakes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/sim_int.h"

#define XEN_VERSION "4.17.5-sim"
#define CPU_SHARE   8 /* of the time a domain has run, as its CPU time */

/* ---- telling ----------------------------------------------------------------------------------
 */

static void deliver(struct sim *sim, const struct event *ev)
{
	if (!sim->sensor.alive || ev->id != sim->sensor.life)
		return;
	if (sim->events.watch)
		sim->events.watch(sim->events.ctx, ev->data);
}

/* Through the queue, so that a callback never finds itself inside of a look. Takes `frame`. */
static void tell(struct sim *sim, json_t *frame)
{
	later(sim, 0, NEED_NOTHING, deliver, sim->sensor.life, 0, frame);
}

/* A report of a change: may be lost, doubled or late. Takes `frame`. */
static void tell_change(struct sim *sim, enum sim_point point, json_t *frame)
{
	switch ((int)fault_strikes(sim, point, NULL)) {
	case SIM_KIND_LOST:
		json_decref(frame);
		return;
	case SIM_KIND_DOUBLE:
		tell(sim, json_incref(frame));
		break;
	case SIM_KIND_SLOW:
		later(sim, SLOW_FACTOR * latency(sim, SIM_LAT_SENSE), NEED_NOTHING, deliver,
			sim->sensor.life, 0, frame);
		return;
	default:
		break;
	}
	tell(sim, frame);
}

static json_t *domain_frame(const struct sim *sim, const struct dom *d)
{
	int64_t ran = d->started ? (sim->now - d->started_ns) / CPU_SHARE : 0;
	json_t *f = json_make("{s:s, s:I, s:s, s:s, s:s*, s:I, s:I}", "t", "domain", "domid",
		(json_int_t)d->domid, "uuid", d->uuid, "state", dom_state_name(d->state), "reason",
		dom_reason_name(d->reason), "cpu_time_ns", (json_int_t)ran, "memory_kib",
		(json_int_t)d->memory_kib);
	if (!d->records)
		return f;
	_cleanup_free_ char *name = xasprintf("%s%s", d->renamed ? "renamed-" : "", d->uuid);
	json_object_set_new(f, "name", json_string(name));
	json_object_set_new(f, "target_kib", json_integer(d->memory_kib));
	if (d->store) {
		json_object_set_new(f, "store", json_string(d->store));
		json_object_set_new(f, "generation", json_integer(d->generation));
	}
	if (d->built)
		json_object_set_new(f, "built", json_integer(d->built));
	return f;
}

/* Bytes of the guest as the real sensors pass them on: bounded, and nothing but printable ASCII. */
static void clean(const char *value, char ret[GSTATE_VALUE_MAX + 1])
{
	size_t n = 0;
	for (; n < GSTATE_VALUE_MAX && value[n]; n++)
		ret[n] = value[n] >= 0x20 && value[n] < 0x7f ? value[n] : '?';
	ret[n] = '\0';
}

static void tell_node(struct sim *sim, struct dom *d, size_t node)
{
	char text[GSTATE_VALUE_MAX + 1];
	char key[32] = "pod";
	struct told *t = &d->told;
	if (!d->node[node] || node > (size_t)t->apps)
		return;
	clean(d->node[node], text);
	if (t->node[node] && !strcmp(t->node[node], text))
		return;
	free(t->node[node]);
	t->node[node] = xstrdup(text);
	if (node)
		snprintf(key, sizeof(key), "app/%zu", node - 1);
	tell_change(sim, SIM_AT_GUEST,
		json_make("{s:s, s:I, s:s, s:s, s:s}", "t", "guest", "domid", (json_int_t)d->domid,
			"uuid", d->uuid, "key", key, "value", text));
}

static void tell_nodes(struct sim *sim, struct dom *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->node); i++)
		tell_node(sim, d, i);
}

static void tell_gone(struct sim *sim, int64_t domid, const char *uuid)
{
	tell_change(sim, SIM_AT_EVENT,
		json_make(
			"{s:s, s:I, s:s}", "t", "gone", "domid", (json_int_t)domid, "uuid", uuid));
}

static void tell_fault(struct sim *sim, const char *fmt, const char *arg)
{
	_cleanup_free_ char *text = xasprintf("%s%s", fmt, arg);
	tell(sim, json_make("{s:s, s:s}", "t", "fault", "message", text));
}

/* `force`: also when nothing has changed. */
static void tell_host(struct sim *sim, bool force)
{
	struct sensor *s = &sim->sensor;
	int64_t left = memory_free(sim);
	int64_t dying = memory_dying(sim);
	bool same = left == s->told_free_kib && dying == s->told_dying_kib;
	if (!sim->memory_kib || (!force && same))
		return;
	s->told_free_kib = left;
	s->told_dying_kib = dying;
	tell(sim, json_make("{s:s, s:I, s:I, s:I, s:i}", "t", "host", "free_kib", (json_int_t)left,
			  "dying_kib", (json_int_t)dying, "total_kib", (json_int_t)sim->memory_kib,
			  "cpus", sim->cpus));
}

/* ---- looking ----------------------------------------------------------------------------------
 */

void sensor_forget(struct dom *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->told.node); i++)
		free(d->told.node[i]);
	d->told = (struct told){0};
}

static void look_at(struct sim *sim, struct dom *d, bool force)
{
	struct told *t = &d->told;
	if (!force && t->any && t->state == d->state && t->reason == d->reason)
		return;
	bool change = t->any;
	t->any = true;
	t->state = d->state;
	t->reason = d->reason;
	if (d->state == DOM_STOPPED || d->state == DOM_DYING)
		tell_nodes(sim, d);
	if (change && !force)
		tell_change(sim, SIM_AT_EVENT, domain_frame(sim, d));
	else
		tell(sim, domain_frame(sim, d));
	tell_nodes(sim, d);
}

static void look(struct sim *sim, const struct event *ev)
{
	if (!sim->sensor.alive || ev->id != sim->sensor.life)
		return;
	sim->sensor.look_due = false;
	for (int64_t i = 0; i < sim->dom_top; i++)
		if (sim->dom[i] && sim->dom[i]->told.watched)
			look_at(sim, sim->dom[i], false);
	tell_host(sim, false);
}

void sensor_wake(struct sim *sim)
{
	if (!sim->sensor.alive || sim->sensor.look_due)
		return;
	sim->sensor.look_due = true;
	later(sim, latency(sim, SIM_LAT_SENSE), NEED_XENSTORE, look, sim->sensor.life, 0, NULL);
}

static void look_gone(struct sim *sim, const struct event *ev)
{
	if (sim->sensor.alive && ev->id == sim->sensor.life)
		tell_gone(sim, json_int_opt(ev->data, "domid", 0),
			json_str_opt(ev->data, "uuid", ""));
}

void sensor_gone(struct sim *sim, struct dom *d)
{
	if (!sim->sensor.alive || !d->told.watched)
		return;
	later(sim, latency(sim, SIM_LAT_SENSE), NEED_XENSTORE, look_gone, sim->sensor.life, 0,
		json_make("{s:I, s:s}", "domid", (json_int_t)d->domid, "uuid", d->uuid));
}

static void look_node(struct sim *sim, const struct event *ev)
{
	struct dom *d = dom_by_serial(sim, ev->id);
	if (d && sim->sensor.alive && d->told.watched)
		tell_node(sim, d, (size_t)ev->arg);
}

void sensor_node(struct sim *sim, struct dom *d, size_t node)
{
	if (sim->sensor.alive && d->told.watched)
		later(sim, latency(sim, SIM_LAT_SENSE), NEED_XENSTORE, look_node, d->serial,
			(int64_t)node, NULL);
}

void sensor_noisy(struct sim *sim, struct dom *d, bool on)
{
	if (sim->sensor.alive && d->told.watched)
		tell(sim, json_make("{s:s, s:I, s:s, s:b}", "t", "noisy", "domid",
				  (json_int_t)d->domid, "uuid", d->uuid, "on", (int)on));
}

/* ---- frames in --------------------------------------------------------------------------------
 */

static void on_ping(struct sim *sim, const json_t *frame)
{
	if (fault_strikes(sim, SIM_AT_PONG, NULL) == SIM_KIND_MAX_)
		tell(sim, json_make("{s:s, s:I}", "t", "pong", "n",
				  (json_int_t)json_int_opt(frame, "n", 0)));
}

static void on_list(struct sim *sim, const json_t *frame)
{
	json_int_t n = json_int_opt(frame, "n", 0);
	tell(sim, json_make("{s:s, s:I}", "t", "list-begin", "n", n));
	for (int64_t i = 0; i < sim->dom_top; i++) {
		if (!sim->dom[i])
			continue;
		json_t *f = domain_frame(sim, sim->dom[i]);
		json_object_set_new(f, "n", json_integer(n));
		tell(sim, f);
	}
	tell_host(sim, true);
	tell(sim, json_make("{s:s, s:I}", "t", "list-end", "n", n));
}

static struct dom *dom_of(struct sim *sim, int64_t domid)
{
	return domid > 0 && domid < DOMIDS ? sim->dom[domid] : NULL;
}

static void on_watch(struct sim *sim, const json_t *frame)
{
	_cleanup_err_ struct err err = {0};
	int64_t domid;
	int64_t apps;
	const char *uuid;
	if (json_get_int(frame, "domid", &domid, &err) < 0 ||
		json_get_int(frame, "apps", &apps, &err) < 0 ||
		json_get_str(frame, "uuid", &uuid, &err) < 0) {
		tell_fault(sim, "watch: ", err_msg(&err));
		return;
	}
	if (domid < 1 || domid >= DOMIDS || apps < 0 || apps > SPEC_MAX_APPS) {
		tell_fault(sim, "watch: out of range", "");
		return;
	}
	struct dom *d = dom_of(sim, domid);
	if (!d || strcmp(d->uuid, uuid) != 0) {
		tell(sim, json_make("{s:s, s:I, s:s}", "t", "gone", "domid", (json_int_t)domid,
				  "uuid", uuid));
		return;
	}
	sensor_forget(d);
	d->told.watched = true;
	d->told.apps = (int)apps;
	look_at(sim, d, true);
	tell_host(sim, true);
}

static void on_unwatch(struct sim *sim, const json_t *frame)
{
	struct dom *d = dom_of(sim, json_int_opt(frame, "domid", -1));
	if (d)
		sensor_forget(d);
}

static void take_frame(struct sim *sim, const struct event *ev)
{
	static const struct {
		const char *t;
		void (*handle)(struct sim *sim, const json_t *frame);
	} handlers[] = {
		{"ping", on_ping}, {"list", on_list}, {"watch", on_watch}, {"unwatch", on_unwatch}};
	if (!sim->sensor.alive || ev->id != sim->sensor.life)
		return;
	const char *t = json_str_opt(ev->data, "t", "");
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (strcmp(t, handlers[i].t) != 0)
			continue;
		handlers[i].handle(sim, ev->data);
		return;
	}
	tell_fault(sim, "unknown frame ", t);
}

int sim_watch_send(struct sim *sim, const json_t *frame, struct err *err)
{
	if (!sim->sensor.alive)
		return err_set(err, ERR_UNAVAILABLE, "the sensors are not running");
	int64_t due = time_of(sim) + latency(sim, SIM_LAT_SENSE);
	if (due < sim->sensor.last_in)
		due = sim->sensor.last_in;
	sim->sensor.last_in = due;
	later_at(sim, due, NEED_XENSTORE, take_frame, sim->sensor.life, 0, json_deep_copy(frame));
	return 0;
}

/* ---- begin and end ----------------------------------------------------------------------------
 */

static void hello(struct sim *sim, const struct event *ev)
{
	if (!sim->sensor.alive || ev->id != sim->sensor.life)
		return;
	tell(sim, json_make("{s:s, s:i, s:s, s:b, s:b}", "t", "hello", "version", WORLD_VERSION,
			  "xen", XEN_VERSION, "pv", 1, "hvm", 1));
	tell_host(sim, true);
}

void sim_watch_start(struct sim *sim)
{
	if (sim->sensor.alive)
		return;
	int64_t life = sim->sensor.life + 1;
	int64_t due = time_of(sim) + latency(sim, SIM_LAT_HELLO);
	/* What is sent to it before its hello is read after. */
	sim->sensor = (struct sensor){.alive = true, .life = life, .last_in = due};
	later_at(sim, due, NEED_XENSTORE, hello, life, 0, NULL);
}

bool sim_watch_alive(const struct sim *sim)
{
	return sim->sensor.alive;
}

static void exited(struct sim *sim, const struct event *ev)
{
	if (ev->id == sim->epoch && sim->events.watch_exit)
		sim->events.watch_exit(sim->events.ctx);
}

static void end(struct sim *sim)
{
	sim->sensor.alive = false;
	for (int64_t i = 0; i < sim->dom_top; i++)
		if (sim->dom[i])
			sensor_forget(sim->dom[i]);
}

void sim_watch_kill(struct sim *sim)
{
	if (!sim->sensor.alive)
		return;
	end(sim);
	later(sim, latency(sim, SIM_LAT_KILL), NEED_NOTHING, exited, sim->epoch, 0, NULL);
}

void sim_adopt(struct sim *sim, const struct sim_events *events)
{
	end(sim);
	helpers_abandon(sim);
	sim->epoch++;
	sim->events = *events;
}
