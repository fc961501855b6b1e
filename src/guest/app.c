/* SPDX-License-Identifier: Apache-2.0 */
/* One app: see app.h. */
#include "guest/app.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "guest/cgroup.h"
#include "guest/pod.h"
#include "proto/stream.h"

bool app_ended(const struct app *app)
{
	return app->kind == GSTATE_EXITED || app->kind == GSTATE_KILLED ||
	       app->kind == GSTATE_FAILED;
}

int app_exit_code(const struct app *app)
{
	if (app->kind == GSTATE_KILLED)
		/* Ended by the TERM that we sent is a clean stop: systemd's rule, and so rkt's. */
		return app->termed && app->code == SIGTERM ? 0 : 128 + app->code;
	return app->code;
}

void app_term(struct app *app)
{
	app->termed = true;
	child_signal(&app->child, SIGTERM);
	/* A stopped process does not see TERM. */
	child_signal(&app->child, SIGCONT);
}

void app_kill(struct app *app)
{
	child_signal(&app->child, SIGKILL);
	cgroup_kill(app->cgroup);
}

/* ---- callbacks, in the order in which they come ---------------------------------------------- */

static void app_end(struct app *app, enum gstate_kind kind, int code)
{
	app->kind = kind;
	app->code = code;
	cgroup_kill(app->cgroup); /* what the main process has left behind */
	pod_app_ended(app);
}

static void app_launched(struct launch *launch)
{
	struct app *app = container_of(launch, struct app, launch);
	if (launch->text[0]) {
		log_err("app %s cannot start: %s", app->spec->name, launch->text);
		return; /* its exit code, 203, comes through app_reaped() */
	}
	app->kind = GSTATE_RUNNING;
	pod_app_started(app);
}

static void app_output(struct output *out)
{
	pod_app_output(out->owner);
}

static void app_input(struct input *in)
{
	pod_app_input(in->owner);
}

static void app_reaped(struct child *child, int status)
{
	struct app *app = container_of(child, struct app, child);
	launch_settle(&app->launch);
	if (WIFSIGNALED(status))
		app_end(app, GSTATE_KILLED, WTERMSIG(status));
	else if (app->launch.text[0])
		app_end(app, GSTATE_FAILED, GSTATE_EXEC_FAIL);
	else
		app_end(app, GSTATE_EXITED, WEXITSTATUS(status));
}

/* ---- start ----------------------------------------------------------------------------------- */

/* The app's ends of its standard streams; ours are closed on its exec. */
struct app_stdio {
	int fd[3];
};

static void stdio_close(struct app_stdio *stdio)
{
	for (int i = 0; i < 3; i++)
		fd_close(&stdio->fd[i]);
}

static int make_stdin(struct app *app, struct app_stdio *stdio, struct err *err)
{
	int fds[2];
	if (!app->spec->stdin_stream) {
		stdio->fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return stdio->fd[0] < 0 ? err_sys(err, "open /dev/null") : 0;
	}
	if (pipe_make(fds, 1, err) < 0)
		return -1;
	stdio->fd[0] = fds[0];
	input_init(&app->in, app->pod->loop, fds[1], STREAM_CREDIT);
	app->in.changed = app_input;
	app->in.owner = app;
	return 0;
}

static int make_stdio(struct app *app, struct app_stdio *stdio, struct err *err)
{
	if (make_stdin(app, stdio, err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		int fds[2];
		if (pipe_make(fds, 0, err) < 0)
			return -1;
		stdio->fd[i + 1] = fds[1];
		output_init(&app->out[i], app->pod->loop, fds[0], APP_OUTPUT_MAX);
		app->out[i].changed = app_output;
		app->out[i].owner = app;
		app->out[i].drop_old = !app->pod->spec->streams;
	}
	return 0;
}

static int launch_app(struct app *app, const struct app_stdio *stdio, struct err *err)
{
	const struct podspec_app *spec = app->spec;
	struct launch_plan plan = {
		.root = app->root,
		.cwd = spec->cwd,
		.user = spec->user,
		.group = spec->group,
		.gids = spec->gids,
		.n_gids = spec->n_gids,
		.docker = spec->docker,
		.path_as_argv0 = true,
		.argv = spec->exec,
		.env = spec->env,
		.fd = {stdio->fd[0], stdio->fd[1], stdio->fd[2]},
		.cgroup = app->cgroup,
	};
	app->launch.done = app_launched;
	app->child.fn = app_reaped;
	return launch_start(app->pod->loop, &app->launch, &app->child, &plan, err);
}

void app_start(struct app *app)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_(stdio_close) struct app_stdio stdio = {{-1, -1, -1}};
	_cleanup_free_ char *cgroup = xasprintf("app-%s", app->spec->name);
	app->cgroup = cgroup_make(cgroup, &err);
	if (app->cgroup < 0 || make_stdio(app, &stdio, &err) < 0 ||
		launch_app(app, &stdio, &err) < 0) {
		log_err("app %s cannot start: %s", app->spec->name, err_msg(&err));
		app_end(app, GSTATE_FAILED, GSTATE_EXEC_FAIL);
	}
}
