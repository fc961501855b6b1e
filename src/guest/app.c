/* SPDX-License-Identifier: Apache-2.0 */
/* One app: see app.h. */
#include "guest/app.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "guest/cgroup.h"
#include "guest/pod.h"
#include "guest/programs.h"
#include "proto/stream.h"

void app_init(struct app *app, struct pod *pod, size_t index)
{
	*app = (struct app){
		.pod = pod,
		.spec = &pod->spec->apps[index],
		.index = index,
		.root = -1,
		.cgroup = -1,
		.kind = GSTATE_STARTING,
		.stdio = {{-1, -1, -1}},
	};
}

bool app_ended(const struct app *app)
{
	return app->stage == APP_ENDED;
}

int app_exit_code(const struct app *app)
{
	if (app->kind == GSTATE_OOM)
		return 128 + app->code;
	if (app->kind == GSTATE_KILLED)
		/* Ended by the TERM that we sent is a clean stop: systemd's rule, and so rkt's. */
		return app->termed && app->code == SIGTERM ? 0 : 128 + app->code;
	return app->code;
}

void app_term(struct app *app)
{
	if (app->stage >= APP_POST_STOP)
		return;
	app->termed = true;
	child_signal(&app->child, SIGTERM);
	/* A stopped process does not see TERM. */
	child_signal(&app->child, SIGCONT);
}

void app_kill(struct app *app)
{
	app->killed = true;
	child_signal(&app->child, SIGKILL);
	cgroup_kill(app->cgroup);
}

/* ---- standard streams ------------------------------------------------------------------------ */

static void app_output(struct output *out)
{
	pod_app_output(out->owner);
}

static void app_input(struct input *in)
{
	pod_app_input(in->owner);
}

void app_stdio_close(struct app_stdio *stdio)
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

/* ---- start ----------------------------------------------------------------------------------- */

static int app_prepare(struct app *app, struct err *err)
{
	const struct podspec_app *spec = app->spec;
	const struct cgroup_limits limits = {
		.memory_bytes = spec->memory_bytes,
		.cpu_milli = spec->cpu_milli,
		.cpu_shares = spec->cpu_shares,
		.tasks = app->pod->tasks,
	};
	_cleanup_free_ char *cgroup = xasprintf("app-%s", spec->name);
	app->cgroup = cgroup_make(cgroup, err);
	if (app->cgroup < 0 || cgroup_limit(app->cgroup, &limits, err) < 0)
		return -1;
	return make_stdio(app, &app->stdio, err);
}

void app_start(struct app *app)
{
	_cleanup_err_ struct err err = {0};
	if (app->termed) {
		/* Another one has failed to start: stopped before it began is a clean stop. */
		programs_forgone(app);
		return;
	}
	if (app_prepare(app, &err) < 0) {
		programs_failed(app, err_msg(&err));
		return;
	}
	programs_start(app);
}
