/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accept and Session: the long calls of hooks. A `run` process hands its pod over with descriptors
 * and is told what becomes of it; a session is one mapped vchan ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/api_int.h"
#include "daemon/rebuild.h"
#include "proto/api.h"
#include "proto/netinfo.h"
#include "proto/spec.h"

/* ---- descriptors -------------------------------------------------------------------------- */

static int *fd_slot(struct pod *p, const char *name)
{
	if (!strcmp(name, API_FD_LOCK))
		return &p->lock_fd;
	if (!strcmp(name, API_FD_STATUS))
		return &p->status_fd;
	if (!strcmp(name, API_FD_KERNEL))
		return &p->kernel_fd;
	if (!strcmp(name, API_FD_RAMDISK))
		return &p->ramdisk_fd;
	if (!strncmp(name, "tree/", 5) && p->trees.n < FRAME_MAX_FDS) {
		p->trees.fd[p->trees.n] = -1;
		return &p->trees.fd[p->trees.n++];
	}
	return NULL;
}

/* Takes the descriptors named by "fds", in order, into `p`. */
static int take_fds(struct conn *c, const json_t *request, struct pod *p, struct err *err)
{
	const json_t *names = json_object_get(request, "fds");
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		int *slot = name ? fd_slot(p, name) : NULL;
		if (!slot || *slot >= 0)
			return err_set(err, ERR_INVALID, "\"fds\": %s is not expected",
				name ? name : "a non-string");
		*slot = varlink_take_fd(c->v);
		if (*slot < 0)
			return err_set(err, ERR_INVALID, "descriptor \"%s\" did not come", name);
	}
	return 0;
}

/*
 * The lock must be held by the sender's open file description. Asked of a new description of the
 * same directory: flock() on a copy would change the lock itself (contract 2.3).
 */
static int check_lock(const struct pod *p, struct err *err)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", p->lock_fd);
	_cleanup_fd_ int probe = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (probe < 0)
		return err_sys(err, "descriptor \"lock\" is not a directory");
	if (flock(probe, LOCK_SH | LOCK_NB) == 0)
		return err_set(err, ERR_INVALID, "the pod directory is not locked");
	if (errno != EWOULDBLOCK)
		return err_sys(err, "test the lock of the pod directory");
	return 0;
}

static int note_identity(struct pod *p, struct err *err)
{
	struct stat st;
	if (fstat(p->lock_fd, &st) < 0)
		return err_sys(err, "stat the pod directory");
	p->lock_dev = (int64_t)st.st_dev;
	p->lock_ino = (int64_t)st.st_ino;
	return 0;
}

int run_check_new(struct pod *p, const json_t *request, struct err *err)
{
	size_t trees = json_array_size(json_object_get(request, "trees"));
	if (p->lock_fd < 0 || p->status_fd < 0 || p->kernel_fd < 0 || p->ramdisk_fd < 0)
		return err_set(
			err, ERR_INVALID, "a new pod needs lock, status, kernel and ramdisk");
	if (p->trees.n != trees)
		return err_set(err, ERR_INVALID, "%zu trees are described, %zu descriptors came",
			trees, p->trees.n);
	if (check_lock(p, err) < 0)
		return -1;
	return note_identity(p, err);
}

/* ---- run
 * ----------------------------------------------------------------------------------------- */

/* Its process died: the pod is stopped gracefully (design, "The lock"). */
static void on_run_exit(void *ctx, int events)
{
	(void)events;
	struct conn *c = ctx;
	struct pod *p = pods_find(engine_pods(c->api->cfg.engine), c->uuid);
	conn_drop_peer(c);
	if (p && p->policy != POLICY_NEVER)
		runners_tidy(c->api->cfg.runners, p->uuid);
	/* Of a life that is over it may end when it likes. */
	if (!p || p->core.state >= POD_BACKOFF || p->core.want != WANT_UP ||
		p->core.starts != c->start)
		return;
	struct event_args args = {.domid = -1, .cause = CAUSE_RUN_LOST};
	engine_post(c->api->cfg.engine, p, EV_STOP, &args);
}

static void watch_peer(struct conn *c, loop_io_fn fn)
{
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd < 0)
		return;
	fcntl(c->pidfd, F_SETFD, FD_CLOEXEC);
	if (fn)
		c->pid_io = loop_io_add(c->api->cfg.loop, c->pidfd, LOOP_IN, fn, c);
}

static void tell_end(struct conn *c, const struct pod *p)
{
	const struct pod_core *k = &p->core;
	json_t *j = json_make("{s:s, s:s, s:s, s:s, s:s, s:b}", "event", "ended", "state",
		pod_state_name(k->state), "cause", pod_cause_name(k->cause), "text",
		pod_cause_text(k->cause), "message", k->message, "forced", (int)k->forced);
	json_object_set_new(j, "code", k->code < 0 ? json_null() : json_integer(k->code));
	conn_reply(c, j, false);
}

/* Once, and before whatever comes after it: `run` writes them down before it shows its pid. */
static void tell_nets(struct conn *c, const struct pod *p)
{
	/* Before they are made, those of a life before are there. */
	if (c->told_nets || !p->nets || p->core.state < POD_CREATING)
		return;
	c->told_nets = true;
	conn_reply(c, json_make("{s:s, s:o}", "event", "networked", "nets", netinfo_of(p->nets)),
		true);
}

void run_tell(struct conn *c, const struct pod *p)
{
	tell_nets(c, p);
	if (p->core.state >= POD_BACKOFF) { /* this life has ended, whatever follows */
		tell_end(c, p);
		return;
	}
	bool running = p->core.state == POD_RUNNING;
	json_t *j = json_make("{s:s, s:s, s:s, s:I}", "event", running ? "running" : "state",
		"state", pod_state_name(p->core.state), "word", pod_state_word(p->core.state),
		"generation", (json_int_t)p->core.generation);
	json_object_set_new(
		j, "domid", p->core.domid < 0 ? json_null() : json_integer(p->core.domid));
	conn_reply(c, j, true);
	if (p->core.state == POD_DYING)
		conn_reply(c, json_make("{s:s}", "event", "unmap"), true);
}

/* A `run` whose pod will wait is told why: nobody should have to look that up. */
static json_t *accepted_event(const struct conn *c)
{
	const struct api_config *cfg = &c->api->cfg;
	_cleanup_json_ json_t *health = json_object();
	if (cfg->health)
		cfg->health(cfg->ctx, health);
	return json_make("{s:s, s:s}", "event", "accepted", "degraded",
		json_str_opt(health, "degraded", ""));
}

void run_become(struct conn *c, struct pod *p)
{
	c->role = CONN_RUN;
	c->start = p->core.starts;
	watch_peer(c, on_run_exit);
	if (p->policy != POLICY_NEVER)
		runners_adopt(c->api->cfg.runners, p, c->pid);
	conn_reply(c, accepted_event(c), true);
	run_tell(c, p);
}

static void accepted(void *ctx, const struct err *err)
{
	struct conn *c = ctx;
	c->holds--;
	struct pod *p = pods_find(engine_pods(c->api->cfg.engine), c->uuid);
	if (c->dead) {
		/* It went away meanwhile: nobody wants this pod. */
		struct event_args args = {.domid = -1, .cause = CAUSE_RUN_LOST};
		if (!err && p)
			engine_post(c->api->cfg.engine, p, EV_STOP, &args);
		return;
	}
	if (err)
		conn_error(c, err);
	else if (p)
		run_become(c, p);
}

static void move_fd(int *to, int *from)
{
	if (*to < 0)
		*to = TAKE_FD(*from);
}

/* Its own older connection, whose end we have not read yet, is no rival. */
static bool has_other_run(const struct conn *c, const struct pod *p)
{
	for (const struct conn *o = c->api->conns; o; o = o->next)
		if (!o->dead && o->pid != c->pid &&
			(o->role == CONN_RUN || o->role == CONN_ACCEPTING) &&
			!strcmp(o->uuid, p->uuid))
			return true;
	return false;
}

/* A `run` that lost us (or that we lost) comes again: what we miss of its descriptors is taken. */
static void reconnect(struct conn *c, struct pod *p, struct pod *sent, const json_t *params)
{
	struct stat st;
	bool between = p->core.state == POD_BACKOFF || p->core.state == POD_RESTARTING;
	if (!has_other_run(c, p) && p->policy != POLICY_NEVER &&
		(between || restart_start(params) != p->core.starts)) {
		restart_accept(c, p, sent, params);
		return;
	}
	rebuild_complete(c->api->cfg.engine, p, params);
	bool same = sent->lock_fd < 0 ||
		    (fstat(sent->lock_fd, &st) == 0 && (int64_t)st.st_dev == p->lock_dev &&
			    (int64_t)st.st_ino == p->lock_ino);
	if (!same || has_other_run(c, p)) {
		conn_fail(c, ERR_EXISTS, "pod %s is run by another process already", p->uuid);
		return;
	}
	bool ended = pod_state_ended(p->core.state);
	if (!ended) {
		move_fd(&p->lock_fd, &sent->lock_fd);
		move_fd(&p->status_fd, &sent->status_fd);
	}
	if (!ended && p->core.state < POD_UNPAUSING) {
		move_fd(&p->kernel_fd, &sent->kernel_fd);
		move_fd(&p->ramdisk_fd, &sent->ramdisk_fd);
		if (!p->trees.n) {
			p->trees = sent->trees;
			sent->trees.n = 0;
		}
	}
	memcpy(c->uuid, p->uuid, sizeof c->uuid);
	run_become(c, p);
	if (c->api->cfg.reconnected)
		c->api->cfg.reconnected(c->api->cfg.ctx, p);
}

/* More vCPUs than the host has processors gain nothing: contract 3.4. The app's own limit stays. */
static void bound_vcpus(const struct engine_host *host, json_t *request)
{
	int64_t vcpus = json_int_opt(request, "vcpus", SPEC_VCPUS);
	if (host && host->cpus > 0 && vcpus > host->cpus)
		json_object_set_new(request, "vcpus", json_integer(host->cpus));
}

json_t *run_request(const struct conn *c, const json_t *params)
{
	json_t *request = json_deep_copy(params);
	json_object_del(request, "fds");
	bound_vcpus(engine_host(c->api->cfg.engine), request);
	return request;
}

static void accept_new(struct conn *c, struct pod *p, json_t *params)
{
	_cleanup_err_ struct err err = {0};
	if (run_check_new(p, params, &err) < 0) {
		conn_error(c, &err);
		pod_free(p);
		return;
	}
	_cleanup_json_ json_t *request = run_request(c, params);
	pod_set_request(p, request);
	p->created_at =
		engine_cfg(c->api->cfg.engine)->wall_ns(engine_cfg(c->api->cfg.engine)->clock);
	memcpy(c->uuid, p->uuid, sizeof c->uuid);
	c->role = CONN_ACCEPTING;
	c->holds++;
	engine_accept(c->api->cfg.engine, p, accepted, c);
}

void api_verb_accept(struct conn *c, json_t *params)
{
	_cleanup_err_ struct err err = {0};
	if (!c->more) {
		conn_fail(c, ERR_INVALID, "Accept answers many times: call it with \"more\"");
		return;
	}
	/* A `run` that comes again has given up most of its descriptors: only a new pod needs all.
	 */
	const char *uuid = json_str_opt(params, "uuid", "");
	struct pod *p = uuid_valid(uuid) ? pods_find(engine_pods(c->api->cfg.engine), uuid) : NULL;
	if (!p && (rebuild_check_new(c->api->cfg.engine, params, &err) < 0 ||
			  spec_check_request(params, &err) < 0)) {
		conn_error(c, &err);
		return;
	}
	struct pod *sent = pod_new(uuid);
	if (take_fds(c, params, sent, &err) < 0) {
		conn_error(c, &err);
		pod_free(sent);
		return;
	}
	if (!p) {
		accept_new(c, sent, params);
		return;
	}
	reconnect(c, p, sent, params);
	pod_free(sent);
}

/* ---- sessions
 * ------------------------------------------------------------------------------------ */

void session_drop(struct conn *c)
{
	if (!c->session)
		return;
	struct pod *p = pods_find(engine_pods(c->api->cfg.engine), c->uuid);
	struct session **at = p ? &p->sessions : NULL;
	while (at && *at && *at != c->session)
		at = &(*at)->next;
	if (at && *at)
		*at = c->session->next;
	free(c->session);
	c->session = NULL;
	if (p)
		engine_check_quiet(c->api->cfg.engine, p);
}

static void session_begin(struct conn *c, struct pod *p)
{
	c->session = xcalloc(1, sizeof *c->session);
	c->session->conn = c;
	c->session->next = p->sessions;
	p->sessions = c->session;
	if (c->pidfd < 0)
		watch_peer(c, NULL);
	conn_reply(c,
		json_make("{s:I, s:I, s:s}", "domid", (json_int_t)p->core.domid, "generation",
			(json_int_t)p->core.generation, "state", pod_state_name(p->core.state)),
		true);
}

/* Before the domain is there a session waits; after its end there is nothing to talk to. */
void session_update(struct conn *c, struct pod *p)
{
	enum pod_state st = p->core.state;
	if (c->session)
		return;
	if (st >= POD_DESTROYING)
		conn_fail(c, ERR_STATE, "pod %s is not running any more (%s)", p->uuid,
			pod_state_word(st));
	else if (st >= POD_BOOTING && p->core.domid >= 0)
		session_begin(c, p);
}

void api_verb_session(struct conn *c, json_t *params)
{
	struct pod *p = conn_pod(c, params);
	if (!p)
		return;
	if (!c->more) {
		conn_fail(c, ERR_INVALID, "Session answers many times: call it with \"more\"");
		return;
	}
	c->role = CONN_SESSION;
	memcpy(c->uuid, p->uuid, sizeof c->uuid);
	session_update(c, p);
}
