/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's life: see pod.h. Functions stand in the order in which a pod's life calls them. */
#include "guest/pod.h"

#include <signal.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "guest/cgroup.h"
#include "guest/enter.h"
#include "guest/mounts.h"
#include "guest/session.h"
#include "guest/unread.h"

/* A streams client that never comes is given up after so long; and in a stop one that takes nothing. */
#define STALL_MS 5000
/* Behind the grace of a stop that was asked for. With POD_SYNC_MS it is inside the 7 s that the
 * supervisor allows a guest beyond its grace (fsm/pod.h, STOPPING). */
#define GIVE_UP_MS 3000

static void drain_start(struct pod *pod);
static void drain_check(struct pod *pod);
static void sync_start(struct pod *pod);
static void pod_done(struct pod *pod);

int pod_prepare(struct pod *pod, struct loop *loop, const struct podspec *spec, struct state *state,
	struct err *err)
{
	pod->loop = loop;
	pod->spec = spec;
	pod->state = state;
	pod->apps = xcalloc(spec->n_apps, sizeof(*pod->apps));
	pod->n_apps = spec->n_apps;
	pod->tasks = cgroup_tasks_share(spec->n_apps + 1); /* one share for entered commands */
	cgroup_setup(pod->tasks);
	for (size_t i = 0; i < pod->n_apps; i++) {
		struct app *app = &pod->apps[i];
		app_init(app, pod, i);
		state_app(state, i, GSTATE_STARTING, 0, "");
		if (mounts_app(app->spec, &app->root, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- running --------------------------------------------------------------------------------- */

static bool all_ended(const struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		if (!app_ended(&pod->apps[i]))
			return false;
	}
	return true;
}

static void running_check(struct pod *pod)
{
	if (pod->phase != POD_STARTING)
		return;
	for (size_t i = 0; i < pod->n_apps; i++) {
		if (pod->apps[i].kind == GSTATE_STARTING)
			return;
	}
	pod->phase = POD_RUNNING;
	state_pod(pod->state, GSTATE_RUNNING, 0, NULL);
}

void pod_start(struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++)
		app_start(&pod->apps[i]);
}

void pod_app_started(struct app *app)
{
	log_debug("app %s runs as process %d", app->spec->name, (int)app->child.pid);
	state_app(app->pod->state, app->index, GSTATE_RUNNING, 0, "");
	running_check(app->pod);
}

void pod_app_output(struct app *app)
{
	if (app->pod->streams)
		session_kick(app->pod->streams);
	else if (app->pod->phase == POD_DRAINING)
		drain_check(app->pod);
}

void pod_app_input(struct app *app)
{
	if (app->pod->streams)
		session_kick(app->pod->streams);
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void grace_over(struct loop_timer *t)
{
	struct pod *pod = container_of(t, struct pod, timer);
	for (size_t i = 0; i < pod->n_apps; i++) {
		/* Post-stop has its own bound: app.c. */
		if (app_ended(&pod->apps[i]) || pod->apps[i].stage == APP_POST_STOP)
			continue;
		log_warning("app %s did not end within %lld ms of SIGTERM: killed",
			pod->apps[i].spec->name, (long long)pod->spec->grace_ms);
		app_kill(&pod->apps[i]);
	}
}

/* How long output may stand still: who has asked for the end does not wait for a slow reader. */
static int64_t stall_ms(const struct pod *pod)
{
	int64_t left = pod->give_up_ms - loop_now_ms();
	if (!pod->asked || left > STALL_MS)
		return STALL_MS;
	return left > 0 ? left : 0;
}

static void stop_start(struct pod *pod, enum gstate_kind why)
{
	if (pod->phase >= POD_STOPPING)
		return;
	pod->phase = POD_STOPPING;
	/* An app that blocks in a write would not hear TERM. */
	if (!pod->streams)
		unread_now(pod);
	state_pod(pod->state, why, 0, NULL);
	pod->ending_told = true;
	for (size_t i = 0; i < pod->n_apps; i++)
		app_term(&pod->apps[i]);
	pod->timer.fn = grace_over;
	loop_timer_set(pod->loop, &pod->timer, pod->spec->grace_ms);
}

void pod_stop(struct pod *pod, bool reboot)
{
	log_info("asked to %s", reboot ? "reboot" : "power off");
	pod->asked = true;
	pod->reboot = reboot;
	pod->give_up_ms = loop_now_ms() + pod->spec->grace_ms + GIVE_UP_MS;
	if (pod->phase == POD_DRAINING)
		loop_timer_set(pod->loop, &pod->timer, stall_ms(pod));
	stop_start(pod, GSTATE_STOPPING);
}

void pod_app_ended(struct app *app)
{
	struct pod *pod = app->pod;
	int code = app_exit_code(app);
	log_info("app %s: %s %d %s", app->spec->name, gstate_kind_name(app->kind), app->code,
		app->end.why);
	state_app(pod->state, app->index, app->kind, app->code, app->end.why);
	if (code && !pod->code)
		pod->code = code;
	if (all_ended(pod)) {
		drain_start(pod);
		return;
	}
	if (code)
		stop_start(pod, GSTATE_ENDING);
	running_check(pod);
}

/* ---- draining -------------------------------------------------------------------------------- */

/* Is there output, or its end, that a streams client should be given still? */
static bool output_left(const struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		for (int k = 0; k < 2; k++) {
			const struct output *out = &pod->apps[i].out[k];
			if (out->buf && !output_drained(out))
				return true;
		}
	}
	return false;
}

/* The apps are dead: what still holds their pipes open is another app's, or was handed around. */
static void cut_outputs(struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		for (int k = 0; k < 2; k++) {
			if (pod->apps[i].out[k].buf)
				output_cut(&pod->apps[i].out[k]);
		}
	}
}

/* Nothing goes uncounted: a client that reads again is told how much is missing, and then the end. */
static void give_up_output(struct pod *pod)
{
	uint64_t n = pod->streams ? session_unsent(pod->streams) : 0;
	for (size_t i = 0; i < pod->n_apps; i++) {
		for (int k = 0; k < 2; k++) {
			struct output *out = &pod->apps[i].out[k];
			if (out->buf)
				output_discard(out);
			n += out->lost;
		}
	}
	if (n)
		log_warning("output is lost, %llu bytes: %s", (unsigned long long)n,
			pod->streams ? "its reader takes nothing" : "nobody came to read it");
}

static void stalled(struct loop_timer *t)
{
	struct pod *pod = container_of(t, struct pod, timer);
	int64_t more = stall_ms(pod);
	/* Whoever has it paged reads on tomorrow: only who asked for the end has to see it. */
	bool patient = pod->streams && !pod->asked;
	if (more > 0 && (patient || pod->sent != pod->sent_seen)) {
		pod->sent_seen = pod->sent;
		loop_timer_set(pod->loop, t, more);
		return;
	}
	give_up_output(pod);
	sync_start(pod);
	if (pod->streams)
		session_kick(pod->streams);
}

/* Once told, the supervisor waits for so long only: not before nobody has to be waited for. */
static void tell_ending(struct pod *pod)
{
	if (!pod->ending_told)
		state_pod(pod->state, GSTATE_ENDING, 0, NULL);
	pod->ending_told = true;
}

static void drain_start(struct pod *pod)
{
	loop_timer_stop(&pod->timer);
	if (!pod->streams)
		tell_ending(pod);
	pod->phase = POD_DRAINING;
	enter_kill_all();
	cut_outputs(pod);
	pod->sent_seen = pod->sent;
	pod->timer.fn = stalled;
	loop_timer_set(pod->loop, &pod->timer, stall_ms(pod));
	if (pod->streams)
		session_kick(pod->streams);
	drain_check(pod);
}

/* With a client attached, streams.c says when it was told the last of it: pod_streams_changed(). */
static void drain_check(struct pod *pod)
{
	if (pod->phase != POD_DRAINING || pod->streams)
		return;
	if (!pod->spec->streams || !output_left(pod))
		sync_start(pod);
}

void pod_streams_changed(struct pod *pod)
{
	if (pod->phase != POD_DRAINING)
		return;
	if (pod->streams && session_finished(pod->streams))
		sync_start(pod);
	else
		drain_check(pod);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void synced(struct child *child, int status)
{
	(void)status;
	struct pod *pod = container_of(child, struct pod, sync);
	if (pod->phase == POD_SYNCING)
		pod_done(pod);
}

static void sync_late(struct loop_timer *t)
{
	log_warning("the exports could not be synced within %d ms", POD_SYNC_MS);
	pod_done(container_of(t, struct pod, timer));
}

/* sync(2) waits for Dom-0 for as long as it likes, so another process does it. */
static void sync_start(struct pod *pod)
{
	tell_ending(pod);
	pod->phase = POD_SYNCING;
	pid_t pid = fork();
	if (pid == 0) {
		sync();
		_exit(0);
	}
	if (pid < 0) {
		pod_done(pod);
		return;
	}
	pod->sync.fn = synced;
	child_add(&pod->sync, pid);
	pod->timer.fn = sync_late;
	loop_timer_set(pod->loop, &pod->timer, POD_SYNC_MS);
}

static void power_off_now(struct loop_timer *t)
{
	pod_power_off(container_of(t, struct pod, timer)->reboot);
}

static void pod_done(struct pod *pod)
{
	pod->phase = POD_DONE;
	log_info("pod done, code %d", pod->code);
	state_pod(pod->state, GSTATE_DONE, pod->code, NULL);
	pod->timer.fn = power_off_now;
	loop_timer_set(pod->loop, &pod->timer, pod->asked ? POD_ASKED_MS : POD_POWEROFF_MS);
}

void pod_power_off(bool to_reboot)
{
	reboot(to_reboot ? RB_AUTOBOOT : RB_POWER_OFF);
	/* Not reached where the kernel can do it; PID 1 must never return. */
	for (;;)
		pause();
}
