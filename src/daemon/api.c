/* SPDX-License-Identifier: Apache-2.0 */
/* Listening, connections, dispatch, and handing the engine's news to who waits for them. */
#include "daemon/api.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/api_int.h"
#include "daemon/messages.h"
#include "daemon/podjson.h"
#include "daemon/rebuild.h"
#include "proto/api.h"

#define MAX_CONNS      4096
#define MAX_QUEUED     (4 * 1024 * 1024) /* a reader this far behind is cut off: it can resume */
#define LISTEN_BACKLOG 128

/* ---- replies ------------------------------------------------------------------------------ */

static void update_io(struct conn *c)
{
	bool more = varlink_pending(c->v) || c->role == CONN_LIST;
	loop_io_events(c->io, more ? LOOP_IN | LOOP_OUT : LOOP_IN);
}

bool conn_behind(const struct conn *c)
{
	return varlink_queued_bytes(c->v) > MAX_QUEUED;
}

static void conn_send(struct conn *c, json_t *msg)
{
	if (c->dead)
		return;
	varlink_queue(c->v, msg, NULL, 0);
	if (conn_behind(c))
		shutdown(varlink_fd(c->v), SHUT_RDWR); /* shows as end of file at the next turn */
	update_io(c);
}

void conn_reply(struct conn *c, json_t *params, bool continues)
{
	_cleanup_json_ json_t *msg = varlink_make_reply(params, continues);
	if (!continues)
		c->role = CONN_IDLE;
	conn_send(c, msg);
}

void conn_error(struct conn *c, const struct err *err)
{
	_cleanup_json_ json_t *msg = varlink_make_error(err);
	c->role = CONN_IDLE;
	conn_send(c, msg);
}

void conn_fail(struct conn *c, enum err_code code, const char *fmt, ...)
{
	_cleanup_err_ struct err err = {0};
	va_list ap;
	va_start(ap, fmt);
	_cleanup_free_ char *text = xvasprintf(fmt, ap);
	va_end(ap);
	err_set(&err, code, "%s", text);
	conn_error(c, &err);
}

struct pod *conn_pod(struct conn *c, const json_t *params)
{
	const char *uuid = json_str_opt(params, "uuid", NULL);
	if (!uuid || !uuid_valid(uuid)) {
		conn_fail(c, ERR_INVALID, "\"uuid\" must be a whole pod UUID");
		return NULL;
	}
	struct pod *p = pods_find(engine_pods(c->api->cfg.engine), uuid);
	if (!p && store_loss(engine_cfg(c->api->cfg.engine)->store)->pending)
		conn_fail(c, ERR_UNAVAILABLE, "pod %s is not found yet: " REBUILD_WAIT, uuid);
	else if (!p)
		conn_fail(c, ERR_NOTFOUND, "there is no pod %s", uuid);
	return p;
}

/* ---- connections -------------------------------------------------------------------------- */

static void conn_close(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	session_drop(c);
	loop_io_del(c->io);
	c->io = NULL;
	varlink_free(c->v);
	c->v = NULL;
	if (!c->pid_io)
		conn_drop_peer(c);
}

void conn_drop_peer(struct conn *c)
{
	loop_io_del(c->pid_io);
	c->pid_io = NULL;
	fd_close(&c->pidfd);
}

/* Dead connections go when no engine callback refers to them any more. */
static void sweep(struct api *a)
{
	struct conn **at = &a->conns;
	while (*at) {
		struct conn *c = *at;
		if (!c->dead || c->holds || c->pid_io) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		a->n_conns--;
		free(c);
	}
}

static const struct {
	const char *method;
	api_verb_fn fn;
	bool admin;
} verbs[] = {
	{API_LIST, api_verb_list, false},
	{API_SHOW, api_verb_show, false},
	{API_HISTORY, api_verb_history, false},
	{API_WATCH, api_verb_watch, false},
	{API_HEALTH, api_verb_health, false},
	{API_METRICS, api_verb_metrics, false},
	{API_WAIT, api_verb_wait, false},
	{API_ORPHANS, api_verb_orphans, false},
	{"org.varlink.service.GetInfo", api_verb_info, false},
	{API_ACCEPT, api_verb_accept, true},
	{API_SESSION, api_verb_session, true},
	{API_STOP, api_verb_stop, true},
	{API_GC, api_verb_gc, true},
	{API_COLLECT, api_verb_collect, true},
	{API_PAUSE, api_verb_pause, true},
	{API_RESUME, api_verb_resume, true},
	{API_START, api_verb_start, true},
	{API_SHUTDOWN, api_verb_shutdown, true},
};

/* The call that is under way goes on undisturbed. */
static void refuse_second(struct conn *c)
{
	enum conn_role role = c->role;
	conn_fail(c, ERR_STATE, "a call is under way on this connection");
	c->role = role;
}

static void dispatch(struct conn *c, const json_t *msg)
{
	const char *method = json_str_opt(msg, "method", "");
	json_t *params = json_object_get(msg, "parameters");
	c->more = json_bool_opt(msg, "more", false);
	if (c->role != CONN_IDLE) {
		refuse_second(c);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].method, method))
			continue;
		if (verbs[i].admin && !c->admin)
			conn_fail(c, ERR_DENIED, "%s changes pods: only root may, by %s/admin",
				method, c->api->cfg.run_dir);
		else
			verbs[i].fn(c, params);
		return;
	}
	conn_fail(c, ERR_UNSUPPORTED, "the supervisor does not know the method \"%s\"", method);
}

/* Descriptors that no verb took belong to nobody. */
static void drop_fds(struct conn *c)
{
	int fd;
	while (!c->dead && (fd = varlink_take_fd(c->v)) >= 0)
		close(fd);
}

static bool read_calls(struct conn *c)
{
	_cleanup_err_ struct err err = {0};
	int r = varlink_fill(c->v, &err);
	if (r == FRAME_AGAIN)
		return true;
	if (r <= 0)
		return false;
	json_t *msg = NULL;
	while ((r = varlink_next(c->v, &msg, &err)) > 0) {
		dispatch(c, msg);
		json_decref(msg);
		drop_fds(c);
	}
	if (r < 0) {
		conn_error(c, &err);
		return false;
	}
	return true;
}

static void on_conn(void *ctx, int events)
{
	struct conn *c = ctx;
	struct api *a = c->api;
	bool alive = true;
	if (events & LOOP_OUT)
		alive = varlink_flush(c->v) >= 0;
	if (alive && c->role == CONN_LIST && !varlink_pending(c->v))
		list_continue(c);
	if (alive && events & LOOP_IN)
		alive = read_calls(c);
	if (alive)
		update_io(c);
	else
		conn_close(c);
	sweep(a);
}

static void conn_new(struct api *a, int sock, bool admin)
{
	struct ucred cred = {0};
	socklen_t len = sizeof cred;
	if (a->n_conns >= MAX_CONNS || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		close(sock);
		return;
	}
	struct conn *c = xcalloc(1, sizeof *c);
	c->api = a;
	c->v = varlink_new(sock);
	c->admin = admin;
	c->pid = cred.pid;
	c->pidfd = -1;
	c->io = loop_io_add(a->cfg.loop, sock, LOOP_IN, on_conn, c);
	c->next = a->conns;
	a->conns = c;
	a->n_conns++;
}

static void on_listener(void *ctx, int events)
{
	(void)events;
	struct listener *l = ctx;
	int sock = accept4(l->sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (sock >= 0)
		conn_new(l->api, sock, l->admin);
}

/* ---- listening ---------------------------------------------------------------------------- */

void api_listen(struct api *a, int sock, bool admin)
{
	struct listener *l = xcalloc(1, sizeof *l);
	l->api = a;
	l->sock = sock;
	l->admin = admin;
	(void)fd_set_cloexec(sock, 1, NULL);
	(void)fd_set_nonblock(sock, 1, NULL);
	l->io = loop_io_add(a->cfg.loop, sock, LOOP_IN, on_listener, l);
	l->next = a->listeners;
	a->listeners = l;
}

static int make_socket(const char *path, mode_t mode, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof sa.sun_path)
		return err_set(err, ERR_INVALID, "socket path %s is too long", path);
	memcpy(sa.sun_path, path, strlen(path));
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return err_sys(err, "socket");
	unlink(path);
	mode_t old = umask(0777 & ~mode);
	int r = bind(s, (struct sockaddr *)&sa, sizeof sa);
	umask(old);
	if (r < 0 || listen(s, LISTEN_BACKLOG) < 0)
		return err_sys(err, "listen at %s", path);
	return TAKE_FD(s);
}

int api_listen_default(struct api *a, struct err *err)
{
	_cleanup_free_ char *admin = xasprintf("%s/admin", a->cfg.run_dir);
	_cleanup_free_ char *status = xasprintf("%s/status", a->cfg.run_dir);
	int s = make_socket(admin, 0600, err);
	if (s < 0)
		return -1;
	api_listen(a, s, true);
	s = make_socket(status, 0660, err);
	if (s < 0)
		return -1;
	api_listen(a, s, false);
	const struct group *g = getgrnam("xenpod");
	if (g && chown(status, 0, g->gr_gid) < 0)
		log_warning("%s stays with root's group: %s", status, strerror(errno));
	return 0;
}

struct api *api_new(const struct api_config *cfg)
{
	struct api *a = xcalloc(1, sizeof *a);
	a->cfg = *cfg;
	a->telemetry = telemetry_new();
	return a;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	while (a->listeners) {
		struct listener *l = a->listeners;
		a->listeners = l->next;
		loop_io_del(l->io);
		close(l->sock);
		free(l);
	}
	while (a->conns) {
		struct conn *c = a->conns;
		a->conns = c->next;
		conn_close(c);
		conn_drop_peer(c);
		free(c);
	}
	telemetry_free(a->telemetry);
	free(a);
}

size_t api_connections(const struct api *a)
{
	return a->n_conns;
}

bool api_has_run(const struct api *a, const struct pod *p)
{
	for (const struct conn *c = a->conns; c; c = c->next)
		if (!c->dead && (c->role == CONN_RUN || c->role == CONN_ACCEPTING) &&
			!strcmp(c->uuid, p->uuid))
			return true;
	return false;
}

/* ---- the engine's news
 * --------------------------------------------------------------------------- */

/* Connections are few (one per attached hook); pods are many: this walks the few. */
static void each_of(
	struct api *a, const char *uuid, void (*fn)(struct conn *c, struct pod *p), struct pod *p)
{
	struct conn *next;
	for (struct conn *c = a->conns; c; c = next) {
		next = c->next;
		if (!c->dead && c->role != CONN_IDLE && !strcmp(c->uuid, uuid))
			fn(c, p);
	}
}

static void news(struct conn *c, struct pod *p)
{
	if (c->role == CONN_RUN)
		run_tell(c, p);
	else if (c->role == CONN_SESSION)
		session_update(c, p);
	else if (c->role == CONN_WAIT)
		wait_update(c, p);
	else if (c->role == CONN_GC)
		gc_update(c, p);
}

void api_on_turn(struct api *a, const struct turn_record *t)
{
	for (struct conn *c = a->conns; c; c = c->next) {
		if (!c->dead && c->role == CONN_WATCH)
			conn_reply(c, json_make("{s:o}", "event", podjson_turn(t)), true);
		else if (!c->dead && c->role == CONN_SHUTDOWN)
			shutdown_update(c, t);
	}
	struct pod *p = pods_find(engine_pods(a->cfg.engine), t->pod->uuid);
	if (!p)
		return;
	telemetry_turn(a->telemetry, &p->times, t, engine_now(a->cfg.engine));
	each_of(a, p->uuid, news, p);
}

void api_on_history(struct api *a, const struct history_row *h)
{
	for (struct conn *c = a->conns; c; c = c->next)
		if (!c->dead && c->role == CONN_WATCH)
			conn_reply(c, json_make("{s:o}", "event", podjson_history(h)), true);
}

static void send_unmap(struct conn *c, struct pod *p)
{
	(void)p;
	if (c->role == CONN_RUN || c->role == CONN_SESSION)
		conn_reply(c, json_make("{s:s}", "event", "unmap"), true);
}

void api_on_unmap(struct api *a, struct pod *p)
{
	each_of(a, p->uuid, send_unmap, p);
}

static void kill_session(struct conn *c, struct pod *p)
{
	if (!c->session || c->pidfd < 0)
		return;
	log_pod(LOG_LVL_WARNING, p->uuid,
		"pod %s: process %d still maps a ring of the dead domain, killing it", p->uuid,
		(int)c->pid);
	pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
}

void api_on_evict(struct api *a, struct pod *p)
{
	each_of(a, p->uuid, kill_session, p);
}

void api_on_tell(struct api *a, struct pod *p)
{
	each_of(a, p->uuid, news, p);
}

static void send_gone(struct conn *c, struct pod *p)
{
	if (c->role == CONN_GC || c->role == CONN_WAIT)
		conn_reply(c, json_make("{s:o}", "pod", podjson_pod(p)), false);
	else
		conn_fail(c, ERR_NOTFOUND, "pod %s is gone", p->uuid);
}

void api_on_forget(struct api *a, struct pod *p)
{
	each_of(a, p->uuid, send_gone, p);
}
