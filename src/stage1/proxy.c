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
#include "stage1/attach.h"
#include "stage1/hook.h"
#include "stage1/link.h"
#include "stage1/podfiles.h"
#include "stage1/relay.h"
#include "stage1/stopper.h"

/* A supervisor that dies while it accepts: how long its return is awaited. */
#define ACCEPT_WAIT_MS 30000
#define FAULTS_MAX     5

struct proxy {
	const char *uuid; /* borrowed from the request */
	const json_t *request;
	const struct poddir *pod;
	struct handover *fds;
	struct link link;
	struct attach attach;
	struct relay relay;
	struct stopper stopper;
	int sigfd;
	int64_t accept_by;
	int faults; /* of the output session */
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

static void on_running(struct proxy *p)
{
	/* The supervisor, QEMU and the fd store hold the lock now; a copy here could outlive them
	 * all in a stopped process (design, "The lock"). */
	handover_drop_inputs(p->fds);
	if (!p->running)
		podfiles_notify_ready();
	p->running = true;
}

static void on_event(struct proxy *p, json_t *event)
{
	const char *name = json_str_opt(event, "event", "");
	if (!strcmp(name, "ended")) {
		handover_done(p->fds); /* before anything that could take time */
		attach_let_go(&p->attach);
		p->ended = json_incref(event);
		return;
	}
	if (!strcmp(name, "unmap")) {
		attach_let_go(&p->attach);
		return;
	}
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

/* Everything that has come: 0, LINK_LOST, or -1 when the supervisor says no. */
static int read_events(struct proxy *p, struct err *err)
{
	while (!p->ended) {
		_cleanup_json_ json_t *event = NULL;
		int r = link_next(&p->link, &event, err);
		if (r <= 0)
			return r;
		on_event(p, event);
	}
	return 0;
}

/* 0, or -1: the pod is not, or no longer, the supervisor's. */
static int link_turn(struct proxy *p, struct err *err)
{
	bool due = !p->link.v && link_wait_ms(&p->link) == 0;
	int r = due && accept_call(p, err) < 0 ? LINK_LOST : read_events(p, err);
	if (r == -1 && p->accepted && link_worth_retry(err)) {
		link_retry(&p->link);
		r = LINK_LOST;
	}
	if (r != LINK_LOST)
		return r;
	if (p->accepted)
		tell_away(p);
	else if (hook_now_ms() > p->accept_by)
		return -1;
	return 0;
}

/* ---- the guest's streams ------------------------------------------------------------------------
 */

static json_t *hello(void *user, int64_t generation)
{
	const struct proxy *p = user;
	return json_make("{s:i, s:s, s:I, s:s}", "version", STREAM_VERSION, "uuid", p->uuid,
		"generation", (json_int_t)generation, "kind", "streams");
}

static void on_frame(void *user, const struct stream_header *h, const uint8_t *data)
{
	struct proxy *p = user;
	relay_frame(&p->relay, h, data);
	session_pause(p->attach.session, relay_full(&p->relay));
}

/* The pod is worth more than its output: whatever is wrong with the session, it goes on. */
static void output_fault(struct proxy *p, const struct err *err)
{
	p->faults++;
	if (p->faults == 1)
		log_warning("output of the pod: %s, trying again", err_msg(err));
	if (p->faults < FAULTS_MAX)
		return;
	log_warning("output of the pod: %s, given up; the pod goes on without", err_msg(err));
	attach_let_go(&p->attach);
}

static void output_turn(struct proxy *p)
{
	_cleanup_err_ struct err err = {0};
	if (!p->accepted || p->attach.over)
		return;
	if (p->attach.session)
		session_pause(p->attach.session, relay_full(&p->relay));
	enum attach_result r = attach_turn(&p->attach, &err);
	if (p->relay.ended) {
		attach_let_go(&p->attach); /* the guest waits for that */
		if (*p->relay.refused)
			log_warning("output of the pod: the guest says: %s", p->relay.refused);
	} else if (r == ATTACH_FAULT) {
		output_fault(p, &err);
	}
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

static int next_timeout(const struct proxy *p)
{
	int t = hook_earliest(link_wait_ms(&p->link), stopper_wait_ms(&p->stopper));
	return p->accepted ? hook_earliest(t, attach_wait_ms(&p->attach)) : t;
}

static struct pollfd waiting_sink(const struct sink *s)
{
	return (struct pollfd){.fd = sink_pending(s) ? s->fd : -1, .events = POLLOUT};
}

static void wait_for_something(struct proxy *p)
{
	struct pollfd fds[5 + ATTACH_POLLFDS] = {
		{.fd = p->sigfd, .events = POLLIN},
		{.fd = p->link.v ? varlink_fd(p->link.v) : -1, .events = POLLIN},
		{.fd = stopper_fd(&p->stopper), .events = POLLIN},
		waiting_sink(&p->relay.out),
		waiting_sink(&p->relay.err),
	};
	attach_poll(&p->attach, fds + 5);
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
		output_turn(p);
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
	const char *cause = json_str_opt(e, "text", json_str_opt(e, "cause", "unknown"));
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
	attach_let_go(&p->attach);
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
	const char *uuid = json_str_opt(request, "uuid", "");
	struct proxy p = {
		.uuid = uuid,
		.request = request,
		.pod = d,
		.fds = h,
		.accept_by = hook_now_ms() + ACCEPT_WAIT_MS,
		.attach = {.uuid = uuid, .hello = hello, .on_frame = on_frame, .user = &p},
		.stopper = {.uuid = uuid},
	};
	p.sigfd = open_signals(err);
	if (p.sigfd < 0)
		return -1;
	relay_open(&p.relay);
	relay_log_through(&p.relay);
	int r = accept_call(&p, err); /* no supervisor at all is an error at once */
	if (r == 0)
		r = life(&p, err);
	if (r == 0) {
		finish_output(&p);
		relay_log_through(NULL);
		*ret_status = verdict(&p);
	}
	proxy_done(&p);
	return r;
}
