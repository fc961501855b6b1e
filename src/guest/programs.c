/* SPDX-License-Identifier: Apache-2.0 */
/* The programs of an app: see programs.h. */
#include "guest/programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "guest/cgroup.h"
#include "guest/pod.h"

#define FAULT_MAX (LAUNCH_TEXT_MAX + 32)

static void main_runs(struct app *app);
static void main_ended(struct app *app, int status);
static void pre_start_ended(struct app *app, int status);
static void post_stop_start(struct app *app);
static void post_stop_ended(struct app *app, int status);

/* ---- the end --------------------------------------------------------------------------------- */

static void app_end(struct app *app)
{
	loop_timer_stop(&app->timer);
	app_stdio_close(&app->stdio);
	cgroup_kill(app->cgroup); /* what its last program has left behind */
	app->stage = APP_ENDED;
	app->kind = app->end.kind;
	app->code = app->end.code;
	pod_app_ended(app);
}

/* The main process has ended, or never came: the rest of it is killed, post-stop has its turn. */
static void app_settle(struct app *app, enum gstate_kind kind, int code, const char *why)
{
	bool begun = app->stage != APP_IDLE;
	app->end = (struct app_end){.kind = kind, .code = code};
	snprintf(app->end.why, sizeof(app->end.why), "%s", why);
	notify_close(&app->notify);
	cgroup_kill(app->cgroup);
	if (begun && app->spec->post_stop)
		post_stop_start(app);
	else
		app_end(app);
}

void programs_failed(struct app *app, const char *why)
{
	log_err("app %s cannot start: %s", app->spec->name, why);
	app_settle(app, GSTATE_FAILED, GSTATE_EXEC_FAIL, why);
}

/* Has the OOM killer ended the program that has just ended so? */
static bool was_oom(const struct app *app, int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !app->killed &&
	       cgroup_oom_kills(app->cgroup) > app->oom_seen;
}

/* ---- programs -------------------------------------------------------------------------------- */

static void app_launched(struct launch *launch)
{
	struct app *app = container_of(launch, struct app, launch);
	/* Why it does not run comes again with its exit code, in app_reaped(). */
	if (!launch->text[0] && app->stage == APP_MAIN && !app->spec->notify)
		main_runs(app);
}

static void app_reaped(struct child *child, int status)
{
	struct app *app = container_of(child, struct app, child);
	launch_settle(&app->launch);
	if (app->stage == APP_PRE_START)
		pre_start_ended(app, status);
	else if (app->stage == APP_MAIN)
		main_ended(app, status);
	else
		post_stop_ended(app, status);
}

/* Fills in what all programs of the app share, and starts it as stage `stage`. */
static int program_start(
	struct app *app, enum app_stage stage, struct launch_plan *plan, struct err *err)
{
	const struct podspec_app *spec = app->spec;
	plan->root = app->root;
	plan->cwd = spec->cwd;
	plan->default_path = spec->default_path;
	plan->path_as_argv0 = true;
	plan->cgroup = app->cgroup;
	plan->confine = stage == APP_MAIN ? &app->confine : &app->handlers;
	app->stage = stage;
	app->oom_seen = cgroup_oom_kills(app->cgroup);
	app->launch.done = app_launched;
	app->child.fn = app_reaped;
	return launch_start(app->pod->loop, &app->launch, &app->child, plan, err);
}

/* Root in the app's root and environment, its stdin is nobody's: PermissionsStartOnly of rkt's
 * units (contract 3.2, eventHandlers). */
static int handler_start(struct app *app, enum app_stage stage, char *const *argv, struct err *err)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0)
		return err_sys(err, "open /dev/null");
	struct launch_plan plan = {
		.argv = argv,
		.env = app->spec->env,
		.fd = {null, app->stdio.fd[1], app->stdio.fd[2]},
	};
	return program_start(app, stage, &plan, err);
}

/* What is wrong with how a handler ended; "" when nothing is. */
static void handler_fault(
	const struct app *app, const char *handler, int status, char ret[FAULT_MAX])
{
	ret[0] = '\0';
	if (app->launch.text[0])
		snprintf(ret, FAULT_MAX, "%s: %s", handler, app->launch.text);
	else if (was_oom(app, status))
		snprintf(ret, FAULT_MAX, "%s: out of memory", handler);
	else if (WIFSIGNALED(status))
		snprintf(ret, FAULT_MAX, "%s: signal %d", handler, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(ret, FAULT_MAX, "%s: exit code %d", handler, WEXITSTATUS(status));
}

/* ---- the main process ------------------------------------------------------------------------ */

static void main_runs(struct app *app)
{
	app->kind = GSTATE_RUNNING;
	pod_app_started(app);
}

static void main_ready(struct notify *n)
{
	struct app *app = container_of(n, struct app, notify);
	if (app->stage == APP_MAIN && app->kind == GSTATE_STARTING)
		main_runs(app);
}

/* The app's environment, with a NOTIFY_SOCKET that is ours. The strings are borrowed. */
static char **notify_env(char *const *env, char *assignment)
{
	static const char name[] = "NOTIFY_SOCKET=";
	size_t n = 0;
	while (env[n])
		n++;
	char **ret = xcalloc(n + 2, sizeof(*ret));
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(env[i], name, strlen(name)) != 0)
			ret[k++] = env[i];
	}
	ret[k] = assignment;
	return ret;
}

static int main_launch(struct app *app, struct err *err)
{
	const struct podspec_app *spec = app->spec;
	const struct app_stdio *stdio = &app->stdio;
	_cleanup_free_ char *assignment = NULL;
	_cleanup_free_ char **env = NULL;
	if (spec->notify) {
		app->notify.ready = main_ready;
		if (notify_open(&app->notify, app->pod->loop, spec->name, err) < 0)
			return -1;
		assignment = xasprintf("NOTIFY_SOCKET=%s", app->notify.address);
		env = notify_env(spec->env, assignment);
	}
	struct launch_plan plan = {
		.user = spec->user,
		.group = spec->group,
		.gids = spec->gids,
		.n_gids = spec->n_gids,
		.docker = spec->docker,
		.argv = spec->exec,
		.env = env ? env : spec->env,
		.fd = {stdio->fd[0], stdio->fd[1], stdio->fd[2]},
		.tty = spec->tty,
	};
	return program_start(app, APP_MAIN, &plan, err);
}

static void main_start(struct app *app)
{
	_cleanup_err_ struct err err = {0};
	if (main_launch(app, &err) < 0) {
		programs_failed(app, err_msg(&err));
		return;
	}
	/* While we hold an end of a stream, its other end cannot see that the app has closed it. */
	fd_close(&app->stdio.fd[0]);
	if (!app->spec->post_stop)
		app_stdio_close(&app->stdio);
}

static void main_ended(struct app *app, int status)
{
	if (WIFSIGNALED(status))
		app_settle(app, was_oom(app, status) ? GSTATE_OOM : GSTATE_KILLED, WTERMSIG(status),
			"");
	else if (app->launch.text[0])
		programs_failed(app, app->launch.text);
	else
		app_settle(app, GSTATE_EXITED, WEXITSTATUS(status), "");
}

/* ---- handlers -------------------------------------------------------------------------------- */

/* A stop during pre-start: the main process is not started any more. */
static void pre_start_ended(struct app *app, int status)
{
	char fault[FAULT_MAX];
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	handler_fault(app, "pre-start", status, fault);
	cgroup_kill(app->cgroup); /* as systemd does: nothing of it lives beside the main process */
	if ((app->termed && signo == SIGTERM) || (app->killed && signo == SIGKILL))
		app_settle(app, GSTATE_KILLED, signo, "");
	else if (fault[0])
		programs_failed(app, fault);
	else if (app->termed)
		app_settle(app, GSTATE_EXITED, 0, "");
	else
		main_start(app);
}

static void post_stop_late(struct loop_timer *t)
{
	struct app *app = container_of(t, struct app, timer);
	log_warning("app %s: post-stop does not end: killed", app->spec->name);
	app_kill(app);
}

static int64_t post_stop_ms(const struct pod *pod)
{
	int64_t grace = pod->spec->grace_ms;
	if (pod->phase < POD_STOPPING)
		return grace;
	int64_t left = pod->timer.armed ? pod->timer.at_ms - loop_now_ms() : 0;
	if (left < APP_POST_STOP_MS)
		left = APP_POST_STOP_MS;
	return left < grace ? left : grace;
}

/* After every end of an app that had begun to start: systemd's ExecStopPost, and so rkt's. */
static void post_stop_start(struct app *app)
{
	_cleanup_err_ struct err err = {0};
	if (handler_start(app, APP_POST_STOP, app->spec->post_stop, &err) < 0) {
		log_err("app %s: post-stop: %s", app->spec->name, err_msg(&err));
		app_end(app);
		return;
	}
	app_stdio_close(&app->stdio);
	app->timer.fn = post_stop_late;
	loop_timer_set(app->pod->loop, &app->timer, post_stop_ms(app->pod));
}

static void post_stop_ended(struct app *app, int status)
{
	char fault[FAULT_MAX];
	handler_fault(app, "post-stop", status, fault);
	if (fault[0])
		log_warning("app %s: %s", app->spec->name, fault);
	app_end(app);
}

/* ---- start ----------------------------------------------------------------------------------- */

void programs_start(struct app *app)
{
	_cleanup_err_ struct err err = {0};
	if (!app->spec->pre_start)
		main_start(app);
	else if (handler_start(app, APP_PRE_START, app->spec->pre_start, &err) < 0)
		programs_failed(app, err_msg(&err));
}

/* Stopped before it began is a clean stop. */
void programs_forgone(struct app *app)
{
	app_settle(app, GSTATE_EXITED, 0, "");
}
