/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One visit in a pod: see visit.h. A poll loop over the supervisor, the ring, stdin, signals and
 * slow outputs, where nothing may block: a visitor that hangs would keep a dead domain.
 */
#include "stage1/visit.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "stage1/attach.h"
#include "stage1/hook.h"
#include "stage1/relay.h"
#include "stage1/stdin.h"
#include "stage1/tty.h"

struct visit {
	const struct visit_plan *plan;
	struct attach attach;
	struct relay relay;
	int sigfd;
	struct stdin_relay in;
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
	if (v->in.tty) {
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
	stdin_frame(&v->in, v->attach.session, h, data);
	relay_frame(&v->relay, h, data);
	session_pause(v->attach.session, relay_full(&v->relay));
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
	return 0;
}

/* ---- signals ------------------------------------------------------------------------------------
 */

static int open_signals(const struct visit *v, struct err *err)
{
	int signals[6 + STDIN_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	return hook_signals(signals, 6 + stdin_signals(&v->in, signals + 6), err);
}

static void on_signal(struct visit *v, int signo)
{
	uint8_t number[4];
	const struct stream_header h = {STREAM_SIGNAL, STREAM_STDIN, 0, sizeof number};
	struct session *s = v->attach.session;
	if (stdin_signal(&v->in, s, signo))
		return;
	/* There is no command yet that could have it. */
	if (!v->in.ready || !s || !session_mapped(s))
		hook_die_by(signo);
	stream_put_u32(number, (uint32_t)signo);
	session_send(s, &h, number);
}

static void signals_turn(struct visit *v)
{
	for (int signo; (signo = hook_next_signal(v->sigfd));)
		on_signal(v, signo);
}

/* ---- the loop -----------------------------------------------------------------------------------
 */

static void wait_for_something(struct visit *v)
{
	struct pollfd fds[4 + ATTACH_POLLFDS] = {
		{.fd = v->sigfd, .events = POLLIN},
		stdin_poll(&v->in, v->attach.session),
		sink_poll(&v->relay.out),
		sink_poll(&v->relay.err),
	};
	attach_poll(&v->attach, fds + 4);
	poll(fds, ARRAY_SIZE(fds), attach_wait_ms(&v->attach));
	if (fds[0].revents)
		signals_turn(v);
	if (fds[1].revents)
		stdin_read(&v->in, v->attach.session);
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
	while (relay_waiting(&v->relay)) {
		struct pollfd fds[] = {{.fd = v->sigfd, .events = POLLIN}, sink_poll(&v->relay.out),
			sink_poll(&v->relay.err)};
		poll(fds, ARRAY_SIZE(fds), -1);
		int signo = hook_next_signal(v->sigfd);
		if (signo && !stdin_signal(&v->in, NULL, signo))
			return;
		relay_flush(&v->relay);
	}
}

int visit_run(const struct visit_plan *plan, int *ret_status, int *ret_signo, struct err *err)
{
	struct visit v = {
		.plan = plan,
		.attach = {.uuid = plan->uuid, .hello = hello, .on_frame = on_frame, .user = &v},
	};
	stdin_open(&v.in, 0, tty_present());
	v.sigfd = open_signals(&v, err);
	if (v.sigfd < 0)
		return -1;
	relay_open(&v.relay);
	relay_log_through(&v.relay);
	int r = attach_open(&v.attach, err);
	if (r == 0)
		r = life(&v, err);
	attach_let_go(&v.attach);
	tty_restore(); /* first: ^C must end a wait for a reader */
	finish_output(&v);
	stdin_done(&v.in);
	relay_done(&v.relay);
	fd_close(&v.sigfd);
	if (r < 0)
		return -1;
	*ret_status = v.relay.kind == GSTATE_EXITED ? v.relay.code : 0;
	*ret_signo = v.relay.kind == GSTATE_KILLED ? v.relay.code : 0;
	return 0;
}
