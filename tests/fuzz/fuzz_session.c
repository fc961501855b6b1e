/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's bytes to xenpod-init: HELLO's JSON and the frames behind it. Whatever comes, what init
 * answers is whole frames in their order, and nothing of the session stays when the client has gone.
 *
 * An input is one byte of choices, the text of HELLO, a NUL, and what follows as it is; with
 * RAW_HELLO no frame is made of the text. No program is started: it is as if it ran until the end.
 */
/* LINK: guest proto base */
/* WITH: ../unit/ringkit.c */
#include "fuzz.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../unit/ringkit.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "guest/appio.h"
#include "guest/cgroup.h"
#include "guest/session.h"
#include "guest/unread.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

enum choice {
	RAW_HELLO = 1,   /* the input is all the bytes of the ring */
	SMALL = 2,       /* HELLO comes in small pieces */
	COMMAND_END = 4, /* the entered command ends while the client is there */
	APPS_END = 8,    /* the apps, and the pod, as well */
	KILLED = 16,     /* by a signal */
	TERMINAL = 32,   /* the second app has one, which takes its time to be made */
};

static struct loop loop;
static struct podspec_app specs[2];
static struct podspec podspec = {
	.uuid = UUID, .generation = 3, .streams = true, .apps = specs, .n_apps = 2};
static struct app apps[2];
static struct pod pod = {.loop = &loop, .spec = &podspec, .apps = apps, .n_apps = 2};
static bool ended;
static struct child *command; /* the entered command */
static int cgroups;           /* how many there are */

/* ---- what pod.c, app.c, launch.c, cgroup.c and state.c do in xenpod-init ----------------------- */

int launch_start(struct loop *l, struct launch *launch, struct child *child,
	const struct launch_plan *plan, struct err *err)
{
	(void)l;
	(void)launch;
	must(plan->argv[0] && plan->argv[0][0]);
	for (char *const *e = plan->env; *e; e++)
		must(strlen(*e) < STREAM_HELLO_MAX);
	if (plan->argv[0][0] == '!')
		return err_set(err, ERR_SYSTEM, "fork: %s", plan->argv[0]);
	command = child;
	return 0;
}

void launch_settle(struct launch *launch)
{
	(void)launch;
}

int cgroup_make(const char *name, struct err *err)
{
	must(strstr(name, "enter") != NULL);
	cgroups += strchr(name, '/') ? 1 : 0;
	int fd = dup(STDERR_FILENO);
	return fd < 0 ? err_sys(err, "dup") : fd;
}

void cgroup_remove(const char *name)
{
	must(strchr(name, '/') != NULL);
	cgroups--;
}

void cgroup_kill(int cgroup)
{
	(void)cgroup;
}

void state_next(struct state *state, uint32_t ring)
{
	(void)state;
	(void)ring;
}

void state_forget_ring(struct state *state, uint32_t ring)
{
	(void)state;
	(void)ring;
}

bool app_ended(const struct app *app)
{
	(void)app;
	return ended;
}

void pod_app_output(struct app *app)
{
	if (app->pod->streams)
		session_kick(app->pod->streams);
}

void pod_app_input(struct app *app)
{
	pod_app_output(app);
}

void pod_streams_changed(struct pod *p)
{
	(void)p;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void quit(struct loop_timer *t)
{
	t->loop->quit = true;
}

static bool is_busy(void)
{
	struct pollfd p = {.fd = loop.epoll, .events = POLLIN};
	return poll(&p, 1, 0) > 0 || (loop.timers && loop.timers->at_ms <= loop_now_ms());
}

static void settle(void)
{
	while (is_busy()) {
		struct loop_timer t = {.fn = quit};
		loop.quit = false;
		loop_timer_set(&loop, &t, 0);
		loop_run(&loop);
	}
}

/* ---- the apps ---------------------------------------------------------------------------------- */

static void app_make(size_t i, const char *name, bool tty, struct app_stdio *stdio)
{
	specs[i] = (struct podspec_app){
		.name = xstrdup(name), .tty = tty, .stdin_stream = true, .stdout_stream = true};
	apps[i] = (struct app){
		.pod = &pod, .spec = &specs[i], .index = i, .kind = GSTATE_RUNNING, .root = -1};
	*stdio = APP_STDIO_NONE;
	must(app_stdio_make(&apps[i], stdio, NULL) == 0);
	must(fd_set_nonblock(stdio->fd[0], 1, NULL) == 0);
	must(write(stdio->fd[1], "hello\n", 6) == 6);
}

static void app_drop(size_t i, struct app_stdio *stdio)
{
	app_stdio_close(stdio);
	output_done(&apps[i].out[0]);
	output_done(&apps[i].out[1]);
	input_done(&apps[i].in);
	free(specs[i].name);
}

static void apps_read(const struct app_stdio stdio[2])
{
	char buf[4096];
	for (int i = 0; i < 2; i++) {
		while (read(stdio[i].fd[0], buf, sizeof buf) > 0)
			settle();
	}
}

static void apps_end(struct app_stdio stdio[2])
{
	for (int i = 0; i < 2; i++) {
		app_stdio_close(&stdio[i]);
		apps[i].kind = GSTATE_EXITED;
	}
	ended = true;
	pod.phase = POD_DRAINING;
	if (pod.streams)
		session_kick(pod.streams);
}

/* ---- the client -------------------------------------------------------------------------------- */

struct client {
	uint8_t *bytes;
	size_t len;
	bool done;    /* a last frame came */
	bool welcome; /* so it was taken */
};

static void put_frame(struct client *c, const uint8_t *data, size_t len, bool more)
{
	const struct stream_header h = {STREAM_HELLO, more ? 1 : 0, 0, (uint32_t)len};
	c->bytes = xreallocarray(c->bytes, c->len + STREAM_HEADER_SIZE + len, 1);
	stream_header_put(&h, c->bytes + c->len);
	if (len)
		memcpy(c->bytes + c->len + STREAM_HEADER_SIZE, data, len);
	c->len += STREAM_HEADER_SIZE + len;
}

static void put_hello(struct client *c, const uint8_t *text, size_t len, size_t piece)
{
	do {
		size_t n = len < piece ? len : piece;
		put_frame(c, text, n, n < len);
		text += n;
		len -= n;
	} while (len);
}

static void put_rest(struct client *c, const uint8_t *data, size_t len)
{
	c->bytes = xreallocarray(c->bytes, c->len + len + 1, 1);
	if (len)
		memcpy(c->bytes + c->len, data, len);
	c->len += len;
}

static struct client client_make(uint8_t choices, const uint8_t *data, size_t size)
{
	struct client c = {0};
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t hello = nul ? (size_t)(nul - data) : size;
	if (choices & RAW_HELLO) {
		put_rest(&c, data, size);
		return c;
	}
	put_hello(&c, data, hello, choices & SMALL ? 31 : STREAM_PAYLOAD_MAX);
	if (nul)
		put_rest(&c, nul + 1, size - hello - 1);
	return c;
}

static void check_error(const uint8_t *data, size_t len)
{
	_cleanup_json_ json_t *j = json_parse((const char *)data, len, "ERROR", NULL);
	must(json_str_opt(j, "message", NULL) != NULL);
}

static void check_frame(struct client *c, const struct stream_header *h, const uint8_t *data)
{
	must(!c->done);
	must(c->welcome || h->type == STREAM_WELCOME || h->type == STREAM_ERROR);
	must(h->type != STREAM_WELCOME || !c->welcome);
	must(h->type != STREAM_HELLO && h->type != STREAM_SIGNAL && h->type != STREAM_WINCH);
	must(h->app < 2);
	if (h->type == STREAM_ERROR)
		check_error(data, h->length);
	c->welcome = true;
	c->done = h->type == STREAM_ERROR || h->type == STREAM_EXIT || h->type == STREAM_END;
}

/* Reads and judges all that has come. */
static void client_read(struct client *c, struct ringkit *r)
{
	while (r->out_len >= STREAM_HEADER_SIZE) {
		struct stream_header h;
		must(stream_header_get(r->out, &h) == 0);
		if (r->out_len < STREAM_HEADER_SIZE + h.length)
			return;
		check_frame(c, &h, r->out + STREAM_HEADER_SIZE);
		ringkit_take(r, STREAM_HEADER_SIZE + h.length);
		settle();
	}
}

static void command_ends(uint8_t choices)
{
	struct child *child = command;
	command = NULL;
	if (child)
		child->fn(child, choices & KILLED ? SIGKILL : 3 << 8);
}

static void visit(uint8_t choices, struct client *c, struct app_stdio stdio[2])
{
	struct ringkit *r = ringkit_ring;
	must(r && r->open == 2);
	ringkit_put(r, c->bytes, c->len);
	settle();
	client_read(c, r);
	apps_read(stdio);
	if (choices & COMMAND_END)
		command_ends(choices);
	if (choices & APPS_END)
		apps_end(stdio);
	settle();
	client_read(c, r);
	must(r->out_len == 0);
	ringkit_hang_up(r);
	settle();
	command_ends(choices);
	settle();
}

static void once(void)
{
	if (loop.epoll)
		return;
	signal(SIGPIPE, SIG_IGN); /* as xenpod-init does */
	log_set_max(LOG_LVL_ERR);
	must(loop_init(&loop, NULL) == 0);
	sessions_start(&pod);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct app_stdio stdio[2];
	if (!size)
		return 0;
	once();
	struct client c = client_make(data[0], data + 1, size - 1);
	ended = false;
	pod.phase = POD_RUNNING;
	app_make(0, "web", false, &stdio[0]);
	app_make(1, "term", data[0] & TERMINAL, &stdio[1]);
	visit(data[0], &c, stdio);
	must(!pod.streams && !cgroups && !command);
	app_drop(0, &stdio[0]);
	app_drop(1, &stdio[1]);
	free(c.bytes);
	return 0;
}
