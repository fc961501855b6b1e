/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One visit in a pod: see visit.h. A poll loop over the supervisor, the ring, stdin, signals and
 * slow outputs, where nothing may block: a visitor that hangs would keep a dead domain.
 */
#include "stage1/visit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "stage1/attach.h"
#include "stage1/hook.h"
#include "stage1/relay.h"
#include "stage1/tty.h"

#define READ_MAX 4096

struct visit {
	const struct visit_plan *plan;
	struct attach attach;
	struct relay relay;
	int sigfd;
	bool tty;
	bool stdin_open;
	uint32_t stdin_sent; /* bytes in all; relay.acked follows */
	bool told_away;
};

/* ---- the session --------------------------------------------------------------------------------
 */

static json_t *hello(void *user, int64_t generation)
{
	const struct visit *v = user;
	json_t *j = json_make("{s:i, s:s, s:I, s:s, s:O, s:O}", "version", STREAM_VERSION, "uuid",
		v->plan->uuid, "generation", (json_int_t)generation, "kind", "enter", "argv",
		v->plan->argv, "env", v->plan->env);
	if (v->plan->app)
		json_object_set_new(j, "app", json_string(v->plan->app));
	if (v->tty) {
		uint16_t rows;
		uint16_t cols;
		tty_size(&rows, &cols);
		json_object_set_new(
			j, "tty", json_make("{s:i, s:i}", "rows", (int)rows, "cols", (int)cols));
	}
	return j;
}

static void on_frame(void *user, const struct stream_header *h, const uint8_t *data)
{
	struct visit *v = user;
	relay_frame(&v->relay, h, data);
	session_pause(v->attach.session, relay_full(&v->relay));
}

/* Not before there is somebody to type to: until then ^C ends us as it ends any program. */
static int begin(struct visit *v, struct err *err)
{
	if (!v->tty || !v->attach.session || !session_mapped(v->attach.session))
		return 0;
	return tty_raw(err);
}

static void tell_away(struct visit *v)
{
	if (v->attach.link.v || v->attach.known || v->told_away)
		return;
	log_warning("the supervisor is away, waiting for it to return");
	v->told_away = true;
}

/* 1: the command has ended, 0: goes on, -1. */
static int attach_step(struct visit *v, struct err *err)
{
	if (v->attach.session)
		session_pause(v->attach.session, relay_full(&v->relay));
	enum attach_result r = attach_turn(&v->attach, err);
	if (v->relay.ended) {
		attach_let_go(&v->attach);
		if (!*v->relay.refused)
			return 1;
		return err_set(err, ERR_INVALID, "the guest says: %s", v->relay.refused);
	}
	if (r != ATTACH_GOES_ON)
		return -1;
	tell_away(v);
	return begin(v, err);
}

/* ---- stdin --------------------------------------------------------------------------------------
 */

static uint32_t credit(const struct visit *v)
{
	uint32_t under_way = v->stdin_sent - v->relay.acked;
	return under_way < STREAM_CREDIT ? STREAM_CREDIT - under_way : 0;
}

static bool wants_stdin(const struct visit *v)
{
	return v->stdin_open && v->attach.session && session_mapped(v->attach.session) &&
	       credit(v) && !session_queued(v->attach.session);
}

static void read_stdin(struct visit *v)
{
	char buf[READ_MAX];
	uint32_t room = credit(v);
	ssize_t n = read(STDIN_FILENO, buf, room < sizeof buf ? room : sizeof buf);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		session_send(v->attach.session, STREAM_EOF, STREAM_STDIN, NULL, 0);
		v->stdin_open = false;
		return;
	}
	session_send(v->attach.session, STREAM_DATA, STREAM_STDIN, buf, (size_t)n);
	v->stdin_sent += (uint32_t)n;
}

/* ---- signals ------------------------------------------------------------------------------------
 */

static int open_signals(struct err *err)
{
	static const int forwarded[] = {
		SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, "signalfd") : fd;
}

static void send_winch(struct visit *v)
{
	uint16_t rows;
	uint16_t cols;
	if (!v->tty)
		return;
	tty_size(&rows, &cols);
	const uint8_t size[4] = {
		(uint8_t)rows, (uint8_t)(rows >> 8), (uint8_t)cols, (uint8_t)(cols >> 8)};
	session_send(v->attach.session, STREAM_WINCH, STREAM_STDIN, size, sizeof size);
}

static void on_signal(struct visit *v, int signo)
{
	uint8_t number[4];
	bool mapped = v->attach.session && session_mapped(v->attach.session);
	if (signo == SIGWINCH) {
		if (mapped)
			send_winch(v);
		return;
	}
	if (!mapped) { /* there is no command yet that could have it */
		tty_restore();
		hook_die_by(signo);
	}
	stream_put_u32(number, (uint32_t)signo);
	session_send(v->attach.session, STREAM_SIGNAL, STREAM_STDIN, number, sizeof number);
}

static void signals_turn(struct visit *v)
{
	struct signalfd_siginfo si;
	while (read(v->sigfd, &si, sizeof si) == sizeof si)
		on_signal(v, (int)si.ssi_signo);
}

/* ---- the loop -----------------------------------------------------------------------------------
 */

static struct pollfd waiting_sink(const struct sink *s)
{
	return (struct pollfd){.fd = sink_pending(s) ? s->fd : -1, .events = POLLOUT};
}

static void wait_for_something(struct visit *v)
{
	struct pollfd fds[4 + ATTACH_POLLFDS] = {
		{.fd = v->sigfd, .events = POLLIN},
		{.fd = wants_stdin(v) ? STDIN_FILENO : -1, .events = POLLIN},
		waiting_sink(&v->relay.out),
		waiting_sink(&v->relay.err),
	};
	attach_poll(&v->attach, fds + 4);
	poll(fds, ARRAY_SIZE(fds), attach_wait_ms(&v->attach));
	if (fds[0].revents)
		signals_turn(v);
	if (fds[1].revents)
		read_stdin(v);
}

static int life(struct visit *v, struct err *err)
{
	for (;;) {
		relay_flush(&v->relay);
		int r = attach_step(v, err);
		if (r)
			return r < 0 ? -1 : 0;
		wait_for_something(v);
	}
}

/* The ring is let go; what is left is for a slow reader. A signal ends the patience. */
static void finish_output(struct visit *v)
{
	struct signalfd_siginfo si;
	while (relay_waiting(&v->relay)) {
		struct pollfd fds[] = {{.fd = v->sigfd, .events = POLLIN},
			waiting_sink(&v->relay.out), waiting_sink(&v->relay.err)};
		poll(fds, ARRAY_SIZE(fds), -1);
		if (read(v->sigfd, &si, sizeof si) == sizeof si && si.ssi_signo != SIGWINCH)
			return;
		relay_flush(&v->relay);
	}
}

int visit_run(const struct visit_plan *plan, int *ret_status, int *ret_signo, struct err *err)
{
	struct visit v = {
		.plan = plan,
		.tty = tty_present(),
		.stdin_open = true,
		.attach = {.uuid = plan->uuid, .hello = hello, .on_frame = on_frame, .user = &v},
	};
	v.sigfd = open_signals(err);
	if (v.sigfd < 0)
		return -1;
	relay_open(&v.relay);
	relay_log_through(&v.relay);
	int r = attach_open(&v.attach, err);
	if (r == 0)
		r = life(&v, err);
	attach_let_go(&v.attach);
	finish_output(&v);
	tty_restore();
	relay_done(&v.relay);
	fd_close(&v.sigfd);
	if (r < 0)
		return -1;
	*ret_status = v.relay.kind == GSTATE_EXITED ? v.relay.code : 0;
	*ret_signo = v.relay.kind == GSTATE_KILLED ? v.relay.code : 0;
	return 0;
}
