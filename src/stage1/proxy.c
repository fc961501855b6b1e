/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The foreground life of a pod: see proxy.h. One poll loop over the supervisor's connection, the
 * vchan session, signals and a slow output; each has a function that does what can be done now.
 */
#include "stage1/proxy.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "proto/api.h"
#include "proto/spec.h"
#include "stage1/again.h"
#include "stage1/hook.h"
#include "stage1/link.h"
#include "stage1/notify.h"
#include "stage1/podfiles.h"
#include "stage1/podio.h"
#include "stage1/stopper.h"

/* A supervisor that dies while it accepts: how long its return is awaited. */
#define ACCEPT_WAIT_MS 30000

struct proxy {
	const char *uuid; /* borrowed from the request */
	const json_t *request;
	const struct poddir *pod;
	struct handover *fds;
	struct link link;
	struct podio io;
	struct stopper stopper;
	struct notify notify;
	int sigfd;
	int64_t accept_by;
	int unanswered; /* Accepts that were sent: any of them may be on the supervisor's disk */
	bool accepted;
	bool running;
	bool stopping; /* whoever began it */
	bool files_written;
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
	int r = link_open(&p->link, API_ACCEPT, params, fds, n, err);
	p->unanswered += r == 0;
	return r;
}

/* Nobody has the pod, and nobody can get it any more. */
static void undo_unless_given(struct proxy *p)
{
	if (!p->accepted && !p->unanswered)
		handover_undo(p->fds);
}

/*
 * rkt's own terminal is not ours to write on. Of a pod that comes back `xenpod run` tells, which has the
 * terminal; we have left its session.
 */
static void begin_progress(const struct proxy *p)
{
	if (!again_wanted(p->request) && !strcmp(json_str_opt(p->request, "owner", ""), "xenpod"))
		progress_begin("starting pod %.8s", p->uuid);
}

/* Names of states for who does not know the machine (docs/STATES.md). */
static void show_state(const char *state)
{
	static const struct {
		const char *state;
		const char *shown;
	} known[] = {{"accepted", "waiting for its turn"}, {"exporting", "file systems"},
		{"networking", "network"}, {"creating", "domain"}, {"unpausing", "domain"},
		{"booting", "boot"}};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(state, known[i].state))
			progress_part("%s", known[i].shown);
}

static void on_stopping(struct proxy *p)
{
	progress_end();
	if (!p->stopping)
		notify_send(&p->notify, "STOPPING=1");
	p->stopping = true;
}

/* What rkt reads, its `pid` last: when the networks are known, at once when there are none. */
static void write_files(struct proxy *p, const json_t *nets)
{
	_cleanup_err_ struct err err = {0};
	if (p->files_written || p->files_failed)
		return;
	p->files_written = true;
	if (podfiles_write(p->pod, p->request, nets, &err) == 0)
		return;
	log_err("%s; stopping the pod", err_msg(&err));
	p->files_failed = true;
	stopper_want(&p->stopper, STOP_FORCE);
	on_stopping(p);
}

static void on_accepted(struct proxy *p, const json_t *event)
{
	const char *why = json_str_opt(event, "degraded", "");
	if (p->accepted)
		return;
	p->accepted = true;
	if (*why)
		log_warning("Xen is not seen (%s): the pod waits until it is", why);
	log_debug("pod %s was accepted", p->uuid);
	podfiles_warn(p->pod);
	if (!json_object_get(p->request, "network"))
		write_files(p, NULL);
}

static void on_running(struct proxy *p)
{
	progress_end();
	/* The supervisor, QEMU and the fd store hold the lock now; a copy here could outlive them
	 * all in a stopped process (design, "The lock"). */
	handover_drop_inputs(p->fds);
	if (!p->running) {
		notify_send(&p->notify, "READY=1");
		podio_leave(&p->io);
	}
	p->running = true;
}

static void on_event(struct proxy *p, json_t *event)
{
	const char *name = json_str_opt(event, "event", "");
	if (!strcmp(name, "ended")) {
		handover_done(p->fds); /* before anything that could take time */
		podio_let_go(&p->io);
		p->ended = json_incref(event);
		on_stopping(p);
		return;
	}
	if (!strcmp(name, "unmap")) {
		podio_let_go(&p->io);
		return;
	}
	if (!strcmp(name, "accepted"))
		on_accepted(p, event);
	else if (!strcmp(name, "networked"))
		write_files(p, json_object_get(event, "nets"));
	else if (!strcmp(name, "running"))
		on_running(p);
	else if (!strcmp(json_str_opt(event, "state", ""), "stopping"))
		on_stopping(p);
	else
		show_state(json_str_opt(event, "state", ""));
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
	p->unanswered -= r == -1;
	if (r == -1 && p->accepted && link_worth_retry(err)) {
		link_retry(&p->link);
		r = LINK_LOST;
	}
	if (r != LINK_LOST)
		return r;
	if (p->accepted)
		tell_away(p);
	else if (clock_ms() > p->accept_by)
		return -1;
	return 0;
}

/* ---- signals ------------------------------------------------------------------------------------
 */

static int open_signals(const struct podio *io, struct err *err)
{
	int signals[4 + STDIN_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	return hook_signals(signals, 4 + stdin_signals(&io->in, signals + 4), err);
}

static void on_stop_signal(struct proxy *p, int signo)
{
	/* Nobody has the pod yet: our death is the supervisor's sign to drop it. */
	if (!p->accepted) {
		progress_end();
		undo_unless_given(p);
		hook_die_by(signo);
	}
	/* A hang-up may come twice, from the kernel and from the shell: that is no second wish. */
	bool again = p->stopper.wanted != STOP_NONE;
	if (again && signo == SIGHUP)
		return;
	log_notice("stopping the pod%s", again ? " by force" : "; once more to force it");
	stopper_want(&p->stopper, again ? STOP_FORCE : STOP_GRACEFUL);
	on_stopping(p);
}

static void signals_turn(struct proxy *p)
{
	for (int signo; (signo = hook_next_signal(p->sigfd));)
		if (!stdin_signal(&p->io.in, p->io.attach.session, signo))
			on_stop_signal(p, signo);
}

/* ---- the loop -----------------------------------------------------------------------------------
 */

static int next_timeout(const struct proxy *p)
{
	int t = hook_earliest(link_wait_ms(&p->link), stopper_wait_ms(&p->stopper));
	t = hook_earliest(t, progress_wait_ms());
	return p->accepted ? hook_earliest(t, podio_wait_ms(&p->io)) : t;
}

static void wait_for_something(struct proxy *p)
{
	struct pollfd fds[3 + PODIO_POLLFDS] = {
		{.fd = p->sigfd, .events = POLLIN},
		{.fd = p->link.v ? varlink_fd(p->link.v) : -1, .events = POLLIN},
		{.fd = stopper_fd(&p->stopper), .events = POLLIN},
	};
	podio_poll(&p->io, fds + 3);
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
		podio_turn(&p->io, p->accepted);
		stopper_turn(&p->stopper);
		progress_turn();
		wait_for_something(p);
	}
}

/* Who has stopped the pod, with us or through others, does not wait for a reader of its output. */
static int patience(const struct proxy *p)
{
	const char *cause = json_str_opt(p->ended, "cause", "");
	bool stopped = p->stopper.wanted != STOP_NONE || again_wanted(p->request) ||
		       !strcmp(cause, "stopped") || !strcmp(cause, "killed") ||
		       !strcmp(cause, "shutdown");
	return stopped ? PODIO_PATIENCE_MS : -1;
}

static bool is_forced(const struct proxy *p)
{
	return json_bool_opt(p->ended, "forced", false);
}

static int verdict(const struct proxy *p)
{
	const json_t *e = p->ended;
	const char *message = json_str_opt(e, "message", "");
	const char *cause = json_str_opt(e, "text", json_str_opt(e, "cause", "unknown"));
	bool has_code = json_is_integer(json_object_get(e, "code"));
	if (p->files_failed || is_forced(p))
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
	progress_end();
	podio_done(&p->io);
	link_close(&p->link);
	stopper_done(&p->stopper);
	notify_done(&p->notify);
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
		.accept_by = clock_ms() + ACCEPT_WAIT_MS,
		.stopper = {.uuid = uuid},
	};
	notify_open(&p.notify);
	podio_open(&p.io, request);
	begin_progress(&p);
	p.sigfd = open_signals(&p.io, err);
	int r = p.sigfd < 0 ? -1 : accept_call(&p, err); /* no supervisor: an error at once */
	if (r == 0)
		r = life(&p, err);
	if (r == 0) {
		/* Said first, and through the same outputs: stderr may be what nobody reads. */
		*ret_status = verdict(&p);
		podio_finish(&p.io, p.sigfd, patience(&p));
		if (is_forced(&p))
			hook_die_by(SIGKILL);
	} else {
		undo_unless_given(&p);
	}
	proxy_done(&p);
	return r;
}
