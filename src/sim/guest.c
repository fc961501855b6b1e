/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-init's part: boot, apps, stop, end, told through the guest's nodes in the grammar of
 * proto/gstate.h. Everything here needs a CPU: while the domain is paused it waits; when it is
 * frozen, has stopped or lost its QEMU it does not happen at all.
 */
#include <signal.h>
#include <string.h>

#include "sim/sim_int.h"

#define NODE_POD    0
#define NODE_APP(i) (1 + (i))
#define FLOOD_QUIET (10000 * MS) /* until the sensors try to watch again */

void guest_init(struct guest *g, const json_t *spec)
{
	const json_t *apps = json_object_get(spec, "apps");
	g->grace_ns = json_int_opt(spec, "grace_ms", SPEC_GRACE_MS) * MS;
	for (size_t i = 0; i < json_array_size(apps) && i < SPEC_MAX_APPS; i++)
		behaviour_parse(
			&g->app[g->napps++], json_object_get(json_array_get(apps, i), "exec"));
}

static bool has(const struct guest *g, enum behaviour b)
{
	for (size_t i = 0; i < g->napps; i++)
		if (g->app[i].behaviour == b)
			return true;
	return false;
}

/* The domain of an event, when it can still do something. */
static struct dom *able(struct sim *sim, const struct event *ev)
{
	struct dom *d = dom_by_serial(sim, ev->id);
	if (!d || d->frozen || d->state != DOM_RUNNING || !sim_qemu_alive(sim, d->qemu))
		return NULL;
	return d;
}

static void guest_later(
	struct sim *sim, const struct dom *d, int64_t in_ns, event_fn fn, size_t app)
{
	later(sim, in_ns, NEED_CPU | NEED_XENSTORE, fn, d->serial, (int64_t)app, NULL);
}

/* ---- reports ----------------------------------------------------------------------------------
 */

static void say_pod(struct sim *sim, struct dom *d, enum gstate_kind kind, int code)
{
	char text[GSTATE_VALUE_MAX];
	struct gstate s = {.seq = ++d->guest.seq, .kind = kind, .code = code};
	if (kind == GSTATE_FAILED)
		strcpy(s.text, "cannot mount the root of app 0: simulated");
	gstate_format(&s, text);
	dom_set_node(sim, d, NODE_POD, text);
}

static void say_app(struct sim *sim, struct dom *d, size_t i)
{
	static const char nonsense[] = "4294967296 \x01\xff exited -1 exited";
	char text[GSTATE_VALUE_MAX];
	struct sim_app *a = &d->guest.app[i];
	struct gstate s = {.seq = ++a->seq, .kind = a->kind, .code = a->code};
	if (a->kind == GSTATE_FAILED)
		strcpy(s.text, "/no/such: not found: simulated");
	gstate_format(&s, text);
	dom_set_node(sim, d, NODE_APP(i), a->behaviour == BE_GARBAGE ? nonsense : text);
}

static bool app_over(const struct sim_app *a)
{
	return a->kind == GSTATE_EXITED || a->kind == GSTATE_KILLED || a->kind == GSTATE_OOM ||
	       a->kind == GSTATE_FAILED;
}

/* xenpod-init's rule: ended by the TERM it sent is a clean stop (contract 1.3, item 9). */
static int pod_code_of(const struct sim_app *a)
{
	if (a->kind == GSTATE_KILLED)
		return a->termed && a->code == SIGTERM ? 0 : 128 + a->code;
	return a->kind == GSTATE_OOM ? 128 + a->code : a->code;
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void powered_off(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	if (d)
		dom_stop(sim, d, REASON_POWEROFF);
}

static void pod_done(struct sim *sim, struct dom *d)
{
	struct guest *g = &d->guest;
	if (!g->stopping)
		say_pod(sim, d, GSTATE_ENDING, 0);
	g->stopping = g->over = true;
	say_pod(sim, d, GSTATE_DONE, g->code);
	if (sim->cfg.powers_off)
		guest_later(sim, d, latency(sim, SIM_LAT_POWEROFF), powered_off, 0);
}

static void app_ends(struct sim *sim, struct dom *d, size_t i, enum gstate_kind kind, int code);

static void app_after_term(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	size_t i = (size_t)ev->arg;
	if (!d)
		return;
	/* A timed app has no handler for TERM; the others leave in peace. */
	enum behaviour b = d->guest.app[i].behaviour;
	if (b == BE_EXIT || b == BE_KILLED || b == BE_OOM)
		app_ends(sim, d, i, GSTATE_KILLED, SIGTERM);
	else
		app_ends(sim, d, i, GSTATE_EXITED, 0);
}

static void grace_over(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	if (d)
		app_ends(sim, d, (size_t)ev->arg, GSTATE_KILLED, SIGKILL);
}

static void stop_apps(struct sim *sim, struct dom *d, enum gstate_kind why)
{
	struct guest *g = &d->guest;
	if (g->stopping)
		return;
	g->stopping = true;
	say_pod(sim, d, why, 0);
	for (size_t i = 0; i < g->napps; i++) {
		struct sim_app *a = &g->app[i];
		a->termed = true;
		if (a->behaviour != BE_STUBBORN)
			guest_later(sim, d, latency(sim, SIM_LAT_TERM), app_after_term, i);
		guest_later(sim, d, g->grace_ns, grace_over, i);
	}
}

static bool all(const struct guest *g, bool (*is)(const struct sim_app *a))
{
	for (size_t i = 0; i < g->napps; i++)
		if (!is(&g->app[i]))
			return false;
	return true;
}

static bool app_begun(const struct sim_app *a)
{
	return a->kind == GSTATE_RUNNING || app_over(a);
}

static void running_check(struct sim *sim, struct dom *d)
{
	if (!d->guest.stopping && all(&d->guest, app_begun))
		say_pod(sim, d, GSTATE_RUNNING, 0);
}

static void app_ends(struct sim *sim, struct dom *d, size_t i, enum gstate_kind kind, int code)
{
	struct guest *g = &d->guest;
	struct sim_app *a = &g->app[i];
	if (app_over(a) || g->over)
		return;
	bool was_running = a->kind == GSTATE_RUNNING;
	a->kind = kind;
	a->code = code;
	say_app(sim, d, i);
	int pod_code = pod_code_of(a);
	if (!g->code)
		g->code = pod_code;
	if (all(g, app_over)) {
		pod_done(sim, d);
		return;
	}
	if (pod_code)
		stop_apps(sim, d, GSTATE_ENDING);
	if (!was_running)
		running_check(sim, d);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static void flood_ends(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	if (d)
		sensor_noisy(sim, d, false);
}

static void app_acts(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	size_t i = (size_t)ev->arg;
	if (!d || app_over(&d->guest.app[i]))
		return;
	const struct sim_app *a = &d->guest.app[i];
	switch ((int)a->behaviour) {
	case BE_EXIT:
		app_ends(sim, d, i, GSTATE_EXITED, a->value);
		break;
	case BE_KILLED:
		app_ends(sim, d, i, GSTATE_KILLED, a->value);
		break;
	case BE_OOM:
		app_ends(sim, d, i, GSTATE_OOM, SIGKILL);
		break;
	case BE_PANIC:
		dom_stop(sim, d, REASON_CRASH);
		break;
	case BE_REBOOT:
		dom_stop(sim, d, REASON_REBOOT);
		break;
	case BE_FLOOD:
		sensor_noisy(sim, d, true);
		guest_later(sim, d, FLOOD_QUIET, flood_ends, i);
		break;
	default:
		break;
	}
}

static void app_starts(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	size_t i = (size_t)ev->arg;
	if (!d || app_over(&d->guest.app[i]))
		return;
	struct sim_app *a = &d->guest.app[i];
	if (a->behaviour == BE_EXEC_FAILS) {
		app_ends(sim, d, i, GSTATE_FAILED, GSTATE_EXEC_FAIL);
		return;
	}
	a->kind = GSTATE_RUNNING;
	say_app(sim, d, i);
	guest_later(sim, d, a->after_ns, app_acts, i);
	running_check(sim, d);
}

static void init_speaks(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	if (!d)
		return;
	struct guest *g = &d->guest;
	if (has(g, BE_GARBAGE))
		dom_set_node(sim, d, NODE_POD, "1 done 0 1 done 999\n%s%n");
	say_pod(sim, d, GSTATE_BOOTING, 0);
	if (has(g, BE_INIT_FAILS)) {
		g->over = true;
		say_pod(sim, d, GSTATE_FAILED, 0);
		return;
	}
	g->up = true;
	for (size_t i = 0; i < g->napps; i++) {
		g->app[i].kind = GSTATE_STARTING;
		say_app(sim, d, i);
		guest_later(sim, d, latency(sim, SIM_LAT_APP), app_starts, i);
	}
	if (g->stop_asked)
		stop_apps(sim, d, GSTATE_STOPPING);
}

void guest_boot(struct sim *sim, struct dom *d)
{
	if (!has(&d->guest, BE_NEVER_BOOTS))
		guest_later(sim, d, latency(sim, SIM_LAT_BOOT), init_speaks, 0);
}

static void poweroff_runs(struct sim *sim, const struct event *ev)
{
	struct dom *d = able(sim, ev);
	if (!d)
		return;
	d->guest.stop_asked = true; /* before init is up, the kernel remembers */
	if (d->guest.up)
		stop_apps(sim, d, GSTATE_STOPPING);
}

void guest_shutdown(struct sim *sim, struct dom *d)
{
	guest_later(sim, d, latency(sim, SIM_LAT_SENSE), poweroff_runs, 0);
}
