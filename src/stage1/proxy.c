/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The foreground life of a pod: see proxy.h. One poll loop over the supervisor's connection, the
 * vchan session, signals and a slow output; each has a function that does what can be done now.
 */
#include "stage1/proxy.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/api.h"
#include "proto/spec.h"
#include "stage1/hook.h"
#include "stage1/link.h"
#include "stage1/podfiles.h"
#include "stage1/relay.h"
#include "stage1/session.h"
#include "stage1/stopper.h"

/* A supervisor that dies while it accepts: how long its return is awaited. */
#define ACCEPT_WAIT_MS   30000
#define SESSION_RETRY_MS 1000
#define SESSION_TRIES    5

struct proxy {
	const char *uuid; /* borrowed from the request */
	const json_t *request;
	const struct poddir *pod;
	struct handover *fds;
	struct link link;
	struct session *session;
	struct relay relay;
	struct stopper stopper;
	int sigfd;
	int64_t accept_by;
	int64_t session_at; /* not before; hook_now_ms() */
	int session_tries;
	int64_t domid; /* -1: none is known */
	int64_t generation;
	bool unmapped; /* this generation's ring is to be left alone */
	bool accepted;
	bool running;
	bool files_failed;
	json_t *ended; /* the supervisor's last word */
};

/* ---- the supervisor ---------------------------------------------------------------------------
 */

static int accept_call(struct proxy *p, struct err *err)
{
	int fds[HANDOVER_MAX];
	json_t *names;
	size_t n = handover_list(p->fds, fds, &names);
	json_t *params =
		json_copy((json_t *)(uintptr_t)p->request); /* shallow; only "fds" differs */
	json_object_set_new(params, "fds", names);
	return link_open(&p->link, API_ACCEPT, params, fds, n, err);
}

static void on_accepted(struct proxy *p)
{
	_cleanup_err_ struct err err = {0};
	if (p->accepted)
		return;
	p->accepted = true;
	log_debug("pod %s was accepted", p->uuid);
	podfiles_warn(p->pod);
	if (podfiles_write(p->pod, &err) == 0)
		return;
	log_err("%s; stopping the pod", err_msg(&err));
	p->files_failed = true;
	stopper_want(&p->stopper, STOP_FORCE);
}

/* Any event may carry them; a new generation means a new domain with new rings. */
static void note_domain(struct proxy *p, const json_t *event)
{
	int64_t domid = json_int_opt(event, "domid", -1);
	int64_t generation = json_int_opt(event, "generation", p->generation);
	if (domid < 0 || domid >= UINT16_MAX)
		return;
	if (generation != p->generation || domid != p->domid) {
		session_free(p->session);
		p->session = NULL;
		p->unmapped = false;
		p->session_tries = 0;
		p->relay.ended = false;
	}
	p->domid = domid;
	p->generation = generation;
}

static void on_running(struct proxy *p)
{
	/* The supervisor, QEMU and the fd store hold the lock now; a copy here could outlive them
	 * all in a stopped process (design, "The lock"). */
	handover_drop_inputs(p->fds);
	if (!p->running)
		podfiles_notify_ready();
	p->running = true;
}

static void let_go(struct proxy *p)
{
	if (p->session)
		session_let_go(p->session);
	session_free(p->session);
	p->session = NULL;
	p->unmapped = true;
}

static void on_event(struct proxy *p, json_t *event)
{
	const char *name = json_str_opt(event, "event", "");
	if (!strcmp(name, "ended")) {
		handover_drop_lock(p->fds); /* before anything that could take time */
		let_go(p);
		handover_done(p->fds);
		p->ended = json_incref(event);
		return;
	}
	if (!strcmp(name, "unmap")) {
		let_go(p);
		return;
	}
	note_domain(p, event);
	if (!strcmp(name, "accepted"))
		on_accepted(p);
	else if (!strcmp(name, "running"))
		on_running(p);
}

static void tell_away(struct proxy *p)
{
	if (!p->link.told)
		log_warning("the supervisor is away; the pod goes on, waiting for it to return");
	p->link.told = true;
}

/* 0, or -1: it is over. */
static int link_turn(struct proxy *p, struct err *err)
{
	int r = 0;
	if (!p->link.v && link_wait_ms(&p->link) == 0 && accept_call(p, err) < 0)
		r = LINK_LOST;
	while (r == 0 && !p->ended) {
		_cleanup_json_ json_t *event = NULL;
		r = link_next(&p->link, &event, err);
		if (r == 0)
			return 0;
		if (r == 1) {
			on_event(p, event);
			r = 0;
		}
	}
	if (r == 0)
		return 0;
	if (r == LINK_LOST || (p->accepted && link_worth_retry(err))) {
		if (r != LINK_LOST)
			link_retry(&p->link);
		if (p->accepted)
			tell_away(p);
		else if (hook_now_ms() > p->accept_by)
			return -1;
		return 0;
	}
	return -1;
}

/* ---- the guest's streams ------------------------------------------------------------------------
 */

static json_t *hello(const struct proxy *p)
{
	return json_make("{s:i, s:s, s:I, s:s}", "version", STREAM_VERSION, "uuid", p->uuid,
		"generation", (json_int_t)p->generation, "kind", "streams");
}

static void on_frame(void *user, const struct stream_header *h, const uint8_t *data)
{
	struct proxy *p = user;
	relay_frame(&p->relay, h, data);
	session_pause(p->session, relay_full(&p->relay));
}

static bool session_due(const struct proxy *p)
{
	return !p->session && p->domid >= 0 && !p->unmapped && !p->relay.ended &&
	       p->session_tries < SESSION_TRIES && hook_now_ms() >= p->session_at;
}

static void session_failed(struct proxy *p, const struct err *err)
{
	session_free(p->session);
	p->session = NULL;
	p->session_tries++;
	p->session_at = hook_now_ms() + SESSION_RETRY_MS;
	if (p->session_tries == 1)
		log_warning("output of the pod: %s, trying again", err_msg(err));
	if (p->session_tries == SESSION_TRIES)
		log_warning(
			"output of the pod: %s, given up; the pod goes on without", err_msg(err));
}

static void session_step(struct proxy *p)
{
	_cleanup_err_ struct err err = {0};
	if (session_due(p)) {
		p->session = session_new(p->uuid, (uint32_t)p->domid, hello(p), on_frame, p, &err);
		if (!p->session) {
			session_failed(p, &err);
			return;
		}
	}
	if (!p->session)
		return;
	session_pause(p->session, relay_full(&p->relay));
	enum session_result r = session_turn(p->session, &err);
	if (p->relay.ended) {
		let_go(p);
		if (*p->relay.refused)
			log_warning("output of the pod: the guest says: %s", p->relay.refused);
	} else if (r == SESSION_GONE)
		let_go(p);
	else if (r == SESSION_CLOSED)
		session_failed(p, &err);
}

/* ---- signals ------------------------------------------------------------------------------------
 */

static int open_signals(struct err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, "signalfd") : fd;
}

/* The number of a signal that came, 0: none. */
static int next_signal(const struct proxy *p)
{
	struct signalfd_siginfo si;
	return read(p->sigfd, &si, sizeof si) == sizeof si ? (int)si.ssi_signo : 0;
}

static void signals_turn(struct proxy *p)
{
	for (int signo; (signo = next_signal(p));) {
		/* Nobody has the pod yet: our death is the supervisor's sign to drop it. */
		if (!p->accepted)
			hook_die_by(signo);
		bool again = p->stopper.wanted != STOP_NONE;
		log_notice("stopping the pod%s", again ? " by force" : "; once more to force it");
		stopper_want(&p->stopper, again ? STOP_FORCE : STOP_GRACEFUL);
	}
}

/* ---- the loop -----------------------------------------------------------------------------------
 */

static int earliest(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static int next_timeout(const struct proxy *p)
{
	int t = earliest(link_wait_ms(&p->link), stopper_wait_ms(&p->stopper));
	if (p->session)
		return earliest(t, session_wait_ms(p->session));
	if (p->domid >= 0 && !p->unmapped && p->session_tries < SESSION_TRIES) {
		int64_t left = p->session_at - hook_now_ms();
		t = earliest(t, left > 0 ? (int)left : 0);
	}
	return t;
}

static struct pollfd waiting_sink(const struct sink *s)
{
	return (struct pollfd){.fd = sink_pending(s) ? s->fd : -1, .events = POLLOUT};
}

static void wait_for_something(struct proxy *p)
{
	struct pollfd fds[5 + SESSION_POLLFDS] = {
		{.fd = p->sigfd, .events = POLLIN},
		{.fd = p->link.v ? varlink_fd(p->link.v) : -1, .events = POLLIN},
		{.fd = stopper_fd(&p->stopper), .events = POLLIN},
		waiting_sink(&p->relay.out),
		waiting_sink(&p->relay.err),
		{.fd = -1},
		{.fd = -1},
	};
	if (p->session)
		session_poll(p->session, fds + 5);
	poll(fds, ARRAY_SIZE(fds), next_timeout(p));
}

static int life(struct proxy *p, struct err *err)
{
	for (;;) {
		signals_turn(p);
		if (link_turn(p, err) < 0)
			return -1;
		if (p->ended)
			return 0;
		relay_flush(&p->relay); /* first: what it frees lets the session read on */
		session_step(p);
		stopper_turn(&p->stopper);
		wait_for_something(p);
	}
}

/* The pod is over and the ring is let go: what is left is between us and a slow reader. */
static void finish_output(struct proxy *p)
{
	while (relay_waiting(&p->relay)) {
		struct pollfd fds[] = {{.fd = p->sigfd, .events = POLLIN},
			waiting_sink(&p->relay.out), waiting_sink(&p->relay.err)};
		poll(fds, ARRAY_SIZE(fds), -1);
		if (next_signal(p))
			return;
		relay_flush(&p->relay);
	}
}

static int verdict(const struct proxy *p)
{
	const json_t *e = p->ended;
	const char *message = json_str_opt(e, "message", "");
	const char *cause = json_str_opt(e, "cause", "unknown");
	bool has_code = json_is_integer(json_object_get(e, "code"));
	if (json_bool_opt(e, "forced", false))
		hook_die_by(SIGKILL);
	if (p->files_failed)
		return XENPOD_EXIT_FAILURE;
	if (!strcmp(json_str_opt(e, "state", ""), "failed"))
		log_err("the pod failed (%s)%s%s", cause, *message ? ": " : "", message);
	else if (!has_code)
		log_err("the pod ended without an exit code (%s)%s%s", cause, *message ? ": " : "",
			message);
	return has_code ? (int)(json_int_opt(e, "code", 0) & 0xff) : XENPOD_EXIT_FAILURE;
}

static void proxy_done(struct proxy *p)
{
	session_free(p->session);
	link_close(&p->link);
	stopper_done(&p->stopper);
	relay_done(&p->relay);
	handover_done(p->fds);
	fd_close(&p->sigfd);
	json_decref(p->ended);
}

int proxy_run(const json_t *request, struct handover *h, const struct poddir *d, int *ret_status,
	struct err *err)
{
	struct proxy p = {
		.uuid = json_str_opt(request, "uuid", ""),
		.request = request,
		.pod = d,
		.fds = h,
		.domid = -1,
		.accept_by = hook_now_ms() + ACCEPT_WAIT_MS,
	};
	p.stopper.uuid = p.uuid;
	p.sigfd = open_signals(err);
	if (p.sigfd < 0)
		return -1;
	relay_open(&p.relay);
	int r = accept_call(&p, err); /* no supervisor at all is an error at once */
	if (r == 0)
		r = life(&p, err);
	if (r == 0) {
		finish_output(&p);
		*ret_status = verdict(&p);
	}
	proxy_done(&p);
	return r;
}
