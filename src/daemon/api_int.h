/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the api_*.c files only. */
#ifndef DAEMON_API_INT_H
#define DAEMON_API_INT_H

#include "base/varlink.h"
#include "daemon/api.h"
#include "daemon/telemetry.h"

/* What an open call of a connection waits for. */
enum conn_role {
	CONN_IDLE,
	CONN_ACCEPTING, /* Accept, before its commit */
	CONN_RUN,       /* Accept, the pod is ours */
	CONN_SESSION,   /* Session: a mapped ring, or waiting for the domain */
	CONN_WATCH,
	CONN_LIST, /* has got a part, and gets the next as soon as it has read that */
	CONN_WAIT,
	CONN_GC,
	CONN_SHUTDOWN,
	CONN_CHANGE, /* Stop, Pause, Resume: until the commit; Orphans: until the worker has looked */
};

struct conn {
	struct conn *next;
	struct api *api;
	struct varlink *v;
	struct loop_io *io;
	bool admin;
	bool dead; /* freed when the stack is unwound */
	bool more;
	bool told_nets; /* CONN_RUN */
	int holds;      /* callbacks of the engine that will come */
	enum conn_role role;
	char uuid[UUID_TEXT_SIZE];
	char wait_state[32];
	struct pods_cursor listed; /* CONN_LIST */
	unsigned members;          /* CONN_LIST: of each pod (podjson.h) */
	pid_t pid;
	int pidfd;              /* CONN_RUN, CONN_SESSION; -1 */
	struct loop_io *pid_io; /* CONN_RUN: outlives the connection, until the process has ended */
	struct session *session;
	int start;   /* CONN_RUN: the life of the pod that it is about */
	size_t left; /* CONN_SHUTDOWN: pods that have not ended */
};

/* One mapped ring; in the pod's list while its connection is open. */
struct session {
	struct session *next;
	struct conn *conn;
};

struct listener {
	struct listener *next;
	struct api *api;
	int sock;
	bool admin;
	struct loop_io *io;
};

struct api {
	struct api_config cfg;
	struct listener *listeners;
	struct conn *conns;
	size_t n_conns;
	struct telemetry *telemetry;
};

/* Too much is queued: the connection was cut off, and whatever is sent now is lost. */
bool conn_behind(const struct conn *c);
void conn_reply(struct conn *c, json_t *params /* stolen */, bool continues);
void conn_error(struct conn *c, const struct err *err);
void conn_fail(struct conn *c, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Stops watching the process at the other end. */
void conn_drop_peer(struct conn *c);
/* The pod named by "uuid", else an error was sent and NULL is returned. */
struct pod *conn_pod(struct conn *c, const json_t *params);

typedef void (*api_verb_fn)(struct conn *c, json_t *params);
void api_verb_list(struct conn *c, json_t *params);
void api_verb_show(struct conn *c, json_t *params);
void api_verb_metrics(struct conn *c, json_t *params);
void api_verb_history(struct conn *c, json_t *params);
void api_verb_watch(struct conn *c, json_t *params);
void api_verb_health(struct conn *c, json_t *params);
void api_verb_info(struct conn *c, json_t *params);
void api_verb_accept(struct conn *c, json_t *params);
void api_verb_session(struct conn *c, json_t *params);
void api_verb_stop(struct conn *c, json_t *params);
void api_verb_orphans(struct conn *c, json_t *params);
void api_verb_collect(struct conn *c, json_t *params);
void api_verb_wait(struct conn *c, json_t *params);
void api_verb_gc(struct conn *c, json_t *params);
void api_verb_pause(struct conn *c, json_t *params);
void api_verb_resume(struct conn *c, json_t *params);
void api_verb_start(struct conn *c, json_t *params);
void api_verb_shutdown(struct conn *c, json_t *params);

/* api_read.c: the next part of a list. */
void list_continue(struct conn *c);
/* api_run.c: tells a run connection where its pod is; sessions that wait for a domain. */
void run_tell(struct conn *c, const struct pod *p);
/* All that a start needs is in `p`; its lock is held. Fills in the lock's identity. */
int run_check_new(struct pod *p, const json_t *request, struct err *err);
/* What is stored of the sender's words; a new reference. */
json_t *run_request(const struct conn *c, const json_t *params);
/* The pod is the sender's to run; the sender is told of all from now on. */
void run_become(struct conn *c, struct pod *p);
void session_update(struct conn *c, struct pod *p);
void session_drop(struct conn *c);
/* api_restart.c: an Accept for a pod that waits for its next life. */
void restart_accept(struct conn *c, struct pod *p, struct pod *sent, const json_t *params);
/* The number of the life that an Accept is about. */
int restart_start(const json_t *params);
void shutdown_update(struct conn *c, const struct turn_record *t);
/* api_change.c */
/* Posts the event; answers when it is on disk, or refused. */
void conn_change(struct conn *c, struct pod *p, enum pod_event event);
void wait_update(struct conn *c, const struct pod *p);
void gc_update(struct conn *c, struct pod *p);

#endif
