/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "enter" kind of session: one command in an app's root as root, with pipes or a terminal. A
 * command outlives its session only as long as it takes to kill it; a session outlives its command
 * until the client was given all output and the exit code.
 */
#include "guest/enter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "guest/cgroup.h"
#include "guest/session.h"
#include "guest/terminal.h"

#define OUTPUT_MAX 16384
#define HANGUP_MS  2000 /* from SIGHUP, the client being gone, to SIGKILL */
/* The command has ended, but something it started holds its output open: after such a silence
 * that is left alone, as a remote shell would not end otherwise. */
#define QUIET_MS 200
#define CGROUP   CGROUP_ENTER

struct enter {
	struct session *session; /* NULL: the client is gone */
	char cgroup_name[32];
	int cgroup;
	struct child child;
	struct launch launch;
	struct output out[2];
	struct input in;
	bool told_eof[2];
	bool ended;
	enum gstate_kind kind;
	int code;
	struct loop_timer timer; /* HANGUP_MS or QUIET_MS */
};

/* What HELLO asks for. */
struct request {
	const struct app *app; /* NULL: the ramdisk's own root */
	char **argv;
	char **env;
	bool tty;
	struct winsize size;
};

static void request_done(struct request *r)
{
	podspec_free_strings(r->argv);
	podspec_free_strings(r->env);
}

void enter_kill_all(void)
{
	_cleanup_fd_ int all = open(CGROUP_MOUNT "/" CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cgroup_kill(all);
}

/* ---- HELLO ----------------------------------------------------------------------------------- */

static int request_strings(const json_t *hello, const char *key, char ***ret, struct err *err)
{
	json_t *array = NULL;
	size_t i = 0;
	json_t *v = NULL;
	if (json_get_array(hello, key, &array, err) < 0)
		return -1;
	json_array_foreach (array, i, v) {
		if (!json_is_string(v))
			return err_set(err, ERR_INVALID, "\"%s\" must be an array of strings", key);
	}
	*ret = podspec_strings(array);
	return 0;
}

static int request_app(
	const struct pod *pod, const json_t *hello, const struct app **ret, struct err *err)
{
	const char *name = json_str_opt(hello, "app", NULL);
	if (!name)
		return 0;
	for (size_t i = 0; i < pod->n_apps; i++) {
		if (strcmp(pod->apps[i].spec->name, name) == 0) {
			*ret = &pod->apps[i];
			return 0;
		}
	}
	return err_set(err, ERR_NOTFOUND, "the pod has no app \"%.64s\"", name);
}

static int request_tty(const json_t *hello, struct request *r, struct err *err)
{
	int64_t rows = 0;
	int64_t cols = 0;
	const json_t *tty = json_object_get(hello, "tty");
	if (!tty || json_is_null(tty))
		return 0;
	if (json_get_int(tty, "rows", &rows, err) < 0 || json_get_int(tty, "cols", &cols, err) < 0)
		return err_wrap(err, "\"tty\"");
	if (rows < 0 || rows > UINT16_MAX || cols < 0 || cols > UINT16_MAX)
		return err_set(err, ERR_INVALID, "\"tty\": %lld rows, %lld columns",
			(long long)rows, (long long)cols);
	r->tty = true;
	r->size.ws_row = (unsigned short)rows;
	r->size.ws_col = (unsigned short)cols;
	return 0;
}

static int request_parse(
	const struct pod *pod, const json_t *hello, struct request *r, struct err *err)
{
	if (request_app(pod, hello, &r->app, err) < 0 ||
		request_strings(hello, "argv", &r->argv, err) < 0 ||
		request_strings(hello, "env", &r->env, err) < 0)
		return -1;
	if (!r->argv[0] || !r->argv[0][0])
		return err_set(err, ERR_INVALID, "\"argv\" names no command");
	return request_tty(hello, r, err);
}

/* ---- the command's standard streams ---------------------------------------------------------- */

struct stdio {
	int fd[3]; /* the command's ends */
};

static void stdio_close(struct stdio *stdio)
{
	for (int i = 0; i < 3; i++)
		fd_close(&stdio->fd[i]);
}

static void output_changed(struct output *out)
{
	const struct enter *e = out->owner;
	if (e->session)
		session_kick(e->session);
}

static void input_changed(struct input *in)
{
	const struct enter *e = in->owner;
	if (e->session)
		session_kick(e->session);
}

static void attach_output(struct enter *e, int k, int fd)
{
	output_init(&e->out[k], e->session->pod->loop, fd, OUTPUT_MAX);
	e->out[k].changed = output_changed;
	e->out[k].owner = e;
}

static void attach_input(struct enter *e, int fd, bool terminal)
{
	input_init(&e->in, e->session->pod->loop, fd, STREAM_CREDIT);
	e->in.changed = input_changed;
	e->in.owner = e;
	e->in.terminal = terminal;
}

static int open_pipes(struct enter *e, struct stdio *stdio, struct err *err)
{
	int fds[2];
	if (pipe_make(fds, 1, err) < 0)
		return -1;
	stdio->fd[0] = fds[0];
	attach_input(e, fds[1], /*terminal*/ false);
	for (int k = 0; k < 2; k++) {
		if (pipe_make(fds, 0, err) < 0)
			return -1;
		stdio->fd[k + 1] = fds[1];
		attach_output(e, k, fds[0]);
	}
	return 0;
}

static int open_terminal(
	struct enter *e, const struct winsize *size, struct stdio *stdio, struct err *err)
{
	struct terminal t;
	if (terminal_open(&t, size, err) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		stdio->fd[i] = t.slave[i];
	attach_input(e, t.in, /*terminal*/ true);
	attach_output(e, 0, t.out);
	return 0;
}

/* ---- the command's life ---------------------------------------------------------------------- */

static void enter_free(struct enter *e)
{
	loop_timer_stop(&e->timer);
	output_done(&e->out[0]);
	output_done(&e->out[1]);
	input_done(&e->in);
	if (e->cgroup_name[0])
		cgroup_remove(e->cgroup_name);
	fd_close(&e->cgroup);
	free(e);
}

static void enter_launched(struct launch *launch)
{
	if (launch->text[0])
		log_debug("enter: %s", launch->text);
}

static void enter_quiet(struct loop_timer *t)
{
	struct enter *e = container_of(t, struct enter, timer);
	for (int k = 0; k < 2; k++) {
		if (e->out[k].buf && !e->out[k].eof && output_quiet(&e->out[k]))
			output_cut(&e->out[k]);
	}
	if (e->session)
		session_kick(e->session);
}

static void enter_reaped(struct child *child, int status)
{
	struct enter *e = container_of(child, struct enter, child);
	launch_settle(&e->launch);
	e->ended = true;
	e->kind = WIFSIGNALED(status) ? GSTATE_KILLED : GSTATE_EXITED;
	e->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	if (!e->session) {
		cgroup_kill(e->cgroup);
		enter_free(e);
		return;
	}
	e->timer.fn = enter_quiet;
	loop_timer_set(e->session->pod->loop, &e->timer, QUIET_MS);
	session_kick(e->session);
}

static int enter_launch(struct enter *e, const struct request *r, struct err *err)
{
	_cleanup_(stdio_close) struct stdio stdio = {{-1, -1, -1}};
	int made = r->tty ? open_terminal(e, &r->size, &stdio, err) : open_pipes(e, &stdio, err);
	if (made < 0)
		return -1;
	struct launch_plan plan = {
		.root = r->app ? r->app->root : -1,
		.cwd = "/",
		.argv = r->argv,
		.env = r->env,
		.fd = {stdio.fd[0], stdio.fd[1], stdio.fd[2]},
		.tty = r->tty,
		.shell_codes = true,
		.cgroup = e->cgroup,
	};
	e->launch.done = enter_launched;
	e->child.fn = enter_reaped;
	return launch_start(e->session->pod->loop, &e->launch, &e->child, &plan, err);
}

static int enter_cgroup(struct enter *e, struct err *err)
{
	_cleanup_fd_ int parent = cgroup_make(CGROUP, err);
	if (parent < 0)
		return -1;
	snprintf(e->cgroup_name, sizeof(e->cgroup_name), CGROUP "/%u", e->session->ring);
	e->cgroup = cgroup_make(e->cgroup_name, err);
	return e->cgroup < 0 ? -1 : 0;
}

/* ---- the session ----------------------------------------------------------------------------- */

static int enter_start(struct session *s, const json_t *hello, struct err *err)
{
	_cleanup_(request_done) struct request r = {0};
	if (s->pod->phase >= POD_DRAINING)
		return err_set(err, ERR_STATE, "the pod is ending");
	if (request_parse(s->pod, hello, &r, err) < 0)
		return -1;
	struct enter *e = xcalloc(1, sizeof(*e));
	e->session = s;
	e->cgroup = -1;
	if (enter_cgroup(e, err) < 0 || enter_launch(e, &r, err) < 0) {
		enter_free(e);
		return -1;
	}
	s->data = e;
	return 0;
}

static void enter_signal(const struct enter *e, int signo)
{
	/* A group of its own, as under a shell; before its setsid() there is only the process. */
	if (e->child.pid > 0 && kill(-e->child.pid, signo) < 0)
		child_signal(&e->child, signo);
}

static int enter_frame(
	struct session *s, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	struct enter *e = s->data;
	uint32_t number = h->length == 4 ? stream_get_u32(payload) : 0;
	bool is_stdin = h->stream == STREAM_STDIN && h->app == 0;
	if (h->type == STREAM_DATA && is_stdin)
		return input_put(&e->in, payload, h->length, err);
	if (h->type == STREAM_EOF && is_stdin) {
		input_end(&e->in);
		return 0;
	}
	if (h->type == STREAM_SIGNAL && number >= 1 && number <= 64) {
		enter_signal(e, (int)number);
		return 0;
	}
	if (h->type == STREAM_WINCH && h->length == 4) {
		if (e->in.fd >= 0)
			terminal_resize_frame(e->in.fd, payload);
		return 0;
	}
	return err_set(err, ERR_INVALID, "a frame of type %d that is none of a client's", h->type);
}

/* False: no room, the rest has to wait. */
static bool pump_output(struct session *s, struct enter *e, int k)
{
	struct output *out = &e->out[k];
	struct stream_header h = {.type = STREAM_EOF, .stream = (uint8_t)(STREAM_STDOUT + k)};
	const uint8_t *data = NULL;
	if (e->told_eof[k] || (out->buf && !out->eof && !out->len))
		return true;
	if (out->len) {
		size_t len = output_peek(out, &data);
		h.type = STREAM_DATA;
		h.length = (uint32_t)(len < STREAM_PAYLOAD_MAX ? len : STREAM_PAYLOAD_MAX);
	}
	if (!session_room(s, h.length))
		return false;
	session_send(s, &h, data);
	if (h.type == STREAM_DATA)
		output_consume(out, h.length);
	else
		e->told_eof[k] = true;
	return true;
}

static bool pump_ack(struct session *s, struct enter *e)
{
	struct stream_header h = {.type = STREAM_ACK, .length = 4};
	uint8_t payload[4];
	if (!e->in.taken)
		return true;
	if (!session_room(s, sizeof(payload)))
		return false;
	stream_put_u32(payload, (uint32_t)e->in.taken);
	e->in.taken = 0;
	session_send(s, &h, payload);
	return true;
}

static void pump_exit(struct session *s, struct enter *e)
{
	struct stream_header h = {.type = STREAM_EXIT, .length = 8};
	uint8_t payload[8];
	if (!e->ended || !session_room(s, sizeof(payload)))
		return;
	if (!e->told_eof[0] || !e->told_eof[1]) {
		/* Somebody else writes: look again when it has been quiet for a while. */
		if (!e->timer.armed)
			loop_timer_set(s->pod->loop, &e->timer, QUIET_MS);
		return;
	}
	stream_put_u32(payload, (uint32_t)e->kind);
	stream_put_u32(payload + 4, (uint32_t)e->code);
	session_send(s, &h, payload);
	session_finish(s);
}

static void enter_pump(struct session *s)
{
	struct enter *e = s->data;
	if (pump_ack(s, e) && pump_output(s, e, 0) && pump_output(s, e, 1))
		pump_exit(s, e);
}

static void enter_hangup(struct loop_timer *t)
{
	struct enter *e = container_of(t, struct enter, timer);
	cgroup_kill(e->cgroup);
}

static void enter_end(struct session *s)
{
	struct enter *e = s->data;
	e->session = NULL;
	if (e->ended) {
		enter_free(e);
		return;
	}
	enter_signal(e, SIGHUP);
	output_done(&e->out[0]);
	output_done(&e->out[1]);
	input_done(&e->in);
	e->timer.fn = enter_hangup;
	loop_timer_set(s->pod->loop, &e->timer, HANGUP_MS);
}

const struct session_kind enter_kind = {
	.name = "enter",
	.start = enter_start,
	.frame = enter_frame,
	.pump = enter_pump,
	.end = enter_end,
};
