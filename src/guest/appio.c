/* SPDX-License-Identifier: Apache-2.0 */
/* Standard streams of apps: see appio.h. */
#include "guest/appio.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guest/app.h"
#include "guest/pod.h"
#include "guest/terminal.h"
#include "guest/unread.h"
#include "proto/stream.h"

/* A client's whole credit fits in behind what the one before it has left. */
#define APP_INPUT_MAX (2 * STREAM_CREDIT)

void app_stdio_close(struct app_stdio *stdio)
{
	for (int i = 0; i < 3; i++)
		fd_close(&stdio->fd[i]);
}

bool app_has_output(const struct app *app, unsigned k)
{
	const struct podspec_app *spec = app->spec;
	if (spec->tty)
		return k == 0;
	return k == 0 ? spec->stdout_stream : spec->stderr_stream;
}

bool app_has_stdin(const struct app *app)
{
	return app->spec->tty || app->spec->stdin_stream;
}

static void output_changed(struct output *out)
{
	struct app *app = out->owner;
	unread_look(app, (unsigned)(out - app->out));
	pod_app_output(app);
}

static void input_changed(struct input *in)
{
	pod_app_input(in->owner);
}

static void attach_output(struct app *app, unsigned k, int fd)
{
	output_init(&app->out[k], app->pod->loop, fd, APP_OUTPUT_MAX);
	app->out[k].changed = output_changed;
	app->out[k].owner = app;
	output_drop_old(&app->out[k], app->pod->dropping);
}

static void attach_input(struct app *app, int fd, bool terminal)
{
	input_init(&app->in, app->pod->loop, fd, APP_INPUT_MAX);
	app->in.changed = input_changed;
	app->in.owner = app;
	app->in.terminal = terminal;
}

static int open_null(int flags, int *ret, struct err *err)
{
	*ret = open("/dev/null", flags | O_CLOEXEC);
	return *ret < 0 ? err_sys(err, "open /dev/null") : 0;
}

static int make_terminal(struct app *app, struct app_stdio *stdio, struct err *err)
{
	struct terminal t;
	if (terminal_open(&t, &app->spec->size, err) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		stdio->fd[i] = t.slave[i];
	attach_input(app, t.in, /*terminal*/ true);
	attach_output(app, 0, t.out);
	return 0;
}

static int make_stdin(struct app *app, struct app_stdio *stdio, struct err *err)
{
	int fds[2];
	if (!app->spec->stdin_stream)
		return open_null(O_RDONLY, &stdio->fd[0], err);
	if (pipe_make(fds, 1, err) < 0)
		return -1;
	stdio->fd[0] = fds[0];
	attach_input(app, fds[1], /*terminal*/ false);
	return 0;
}

static int make_output(struct app *app, unsigned k, struct app_stdio *stdio, struct err *err)
{
	int fds[2];
	if (!app_has_output(app, k))
		return open_null(O_WRONLY, &stdio->fd[k + 1], err);
	if (pipe_make(fds, 0, err) < 0)
		return -1;
	stdio->fd[k + 1] = fds[1];
	attach_output(app, k, fds[0]);
	return 0;
}

int app_stdio_make(struct app *app, struct app_stdio *stdio, struct err *err)
{
	if (app->spec->tty)
		return make_terminal(app, stdio, err);
	if (make_stdin(app, stdio, err) < 0)
		return -1;
	return make_output(app, 0, stdio, err) < 0 ? -1 : make_output(app, 1, stdio, err);
}
