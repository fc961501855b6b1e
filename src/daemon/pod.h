/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pod in memory: what is stored of it (core, apps), what is only held while this process lives
 * (descriptors, the running helper), and the table of all pods. It decides nothing.
 */
#ifndef DAEMON_POD_H
#define DAEMON_POD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/uuid.h"
#include "daemon/request.h"
#include "daemon/seen.h"
#include "fsm/cause.h"
#include "fsm/pod.h"
#include "fsm/restart.h"
#include "proto/gstate.h"
#include "proto/spec.h"
#include "store/store.h"

/* The stored part that changes; copied as a whole to undo a turn whose commit failed. */
struct pod_core {
	enum pod_state state;
	enum pod_want want;
	enum pod_cause cause;
	int64_t seq;
	int64_t generation;
	int64_t domid; /* -1 */
	int64_t deadline_ns;
	int deadlines;
	int64_t code; /* -1 */
	bool forced;
	int64_t qemu_pid, qemu_start;
	int64_t started_at, ended_at;
	char message[256]; /* detail of the cause, cut to fit */
	/* Of a pod with a restart policy; see struct pod_row. */
	int lives, starts, tries;
	bool given_up;
	int64_t running_ns;
	int64_t next_at; /* wall clock, for people: when the state's deadline comes; not stored */
};

struct pod_app {
	char name[SPEC_NAME_MAX + 1];
	enum gstate_kind kind; /* GSTATE_BOOTING: nothing reported yet ("waiting") */
	uint32_t seq;
	int code; /* exit code or signal number, by kind */
	int64_t started_at, ended_at;
	char message[GSTATE_TEXT_MAX + 1]; /* why it failed, "" if nothing was said */
};

struct session; /* src/daemon/sessions.h */

/* How a pod counts when the host's memory is shared out (memory.h). */
enum memory_kind {
	MEMORY_NONE,
	MEMORY_ACCEPTED,  /* waits for its start */
	MEMORY_STARTING,  /* on its way, not (for sure) in Xen's numbers */
	MEMORY_RETURNING, /* ends, and gives back what it has */
	MEMORY_KINDS_
};

/* memory.c's. {0} is right for a new pod. */
struct pod_memory {
	enum pod_state read; /* its state when the host's memory was last read */
	enum memory_kind kind;
	int64_t kib; /* what the sum of its kind has of it */
	/* Among those whose state is another one since; at NULL: it is not. */
	struct pod *next, **at;
};

/* telemetry.c's, CLOCK_BOOTTIME; 0: before this supervisor, or not under way. */
struct pod_times {
	int64_t state_ns; /* its state was entered */
	int64_t start_ns; /* it was accepted, and has not come to run */
	int64_t end_ns;   /* it has begun to end, and its lock is not free */
};

struct pod {
	struct pod *next; /* in the table's bucket */
	char uuid[UUID_TEXT_SIZE];
	struct pod_core core;
	struct request *request;
	enum pod_policy policy; /* these two are the request's */
	int burst;
	int64_t spawn_outbox; /* a `run` for the next life is on its way by this row; 0: none */
	json_t *nets; /* what its networks turned out to be (world.h); NULL: not (yet) made */
	int64_t lock_dev, lock_ino;
	int64_t created_at;
	struct pod_app *app;
	size_t napps;
	uint32_t guest_seq; /* of the guest's pod node */

	/* Held by this process only; -1 when not (yet, any more) there. */
	int lock_fd, status_fd, kernel_fd, ramdisk_fd;
	struct fds trees;
	int64_t op;               /* running or waiting helper; 0: none */
	struct session *sessions; /* mapped rings */
	bool qemu_alive;
	int64_t qemu_watched; /* its pid; core's may be unset when a create came too late */
	int64_t watched;      /* domid that the sensors were asked to watch; 0: none */
	int64_t asked_list;   /* first list that must show its domain; 0: none */
	bool pause_doubted;   /* reported paused once; a second look is under way */
	bool listed;          /* last seen in the hypervisor's list */
	bool quiet_posted;
	bool unheard;  /* changed by an audit, no event told of it (yet): audit.h */
	int64_t told;  /* core.seq of the turn that what was told last will make: audit.h */
	bool dir_gone; /* its directory was at the last look (gone.h) */
	struct pod_memory memory;
	struct pod_seen seen;
	struct pod_times times;
	bool waits_admission; /* in the engine's line for a place to start */
	struct pod *wait_next;
	struct pod
		*fresh_next; /* accepted in a batch that is not committed yet: not in the table */
	size_t heap_pos;     /* place in the deadline heap + 1; 0: not in it */
	int64_t heap_due;
};

struct pods;

struct pods *pods_new(void);
void pods_free(struct pods *t); /* with every pod in it */
/* A pod without anything: every fd -1, domid -1. The caller owns it until pods_add. */
struct pod *pod_new(const char *uuid);
void pod_free(struct pod *p);
void pods_add(struct pods *t, struct pod *p);
void pods_remove(struct pods *t, struct pod *p); /* does not free */
struct pod *pods_find(const struct pods *t, const char *uuid);
size_t pods_count(const struct pods *t);
/* Visits every pod; the callback must not add or remove. */
void pods_each(const struct pods *t, void (*fn)(void *ctx, struct pod *p), void *ctx);

/*
 * The same in parts, {0} at first: at least `least` pods each time, as long as there are so many. In
 * between pods may come and go; each that is there all the time is visited once. False: that was all.
 */
struct pods_cursor {
	size_t buckets, at;
};
bool pods_some(const struct pods *t, struct pods_cursor *c, size_t least,
	void (*fn)(void *ctx, struct pod *p), void *ctx);

/* Sets the request (a new reference) and makes the apps from it. */
void pod_set_request(struct pod *p, json_t *request);
/* At the end of the list, of which there are at most SPEC_MAX_APPS; earlier results move. */
struct pod_app *pod_add_app(struct pod *p, const char *name);
/* The request, borrowed until pod_rest(); NULL: it has none. */
json_t *pod_request(const struct pod *p);
/* A step is done, and what it needed of the request is not needed for the next. */
void pod_rest(const struct pod *p);
/* The guest's part of the request, borrowed. */
json_t *pod_guest_spec(const struct pod *p);
const char *pod_dir(const struct pod *p);
/* It has others than the loopback interface. */
bool pod_has_network(const struct pod *p);
/* The request's "network", borrowed; NULL: it has none. */
json_t *pod_network(const struct pod *p);
/* A new reference in place of the old; NULL: none. */
void pod_set_nets(struct pod *p, json_t *nets);
/* The record for the store of what restarts have come to. */
void pod_restart_to_row(const struct pod *p, struct pod_row *ret);
/* Closes what a start needed and nothing later does: kernel, ramdisk, trees. */
void pod_close_start_fds(struct pod *p);
/* Those of a new life, and its status directory, out of what its `run` has sent. */
void pod_take_start_fds(struct pod *p, struct pod *sent);
bool pod_quiet(const struct pod *p);
const char *pod_app_state_name(const struct pod_app *a);
bool pod_app_ended(const struct pod_app *a);
/* `code` is a signal's number. */
bool pod_app_by_signal(const struct pod_app *a);
/* What first went wrong in the pod was that an app's memory, or the domain's, was used up. */
bool pod_out_of_memory(const struct pod *p);

/* For a record's strings, which are char * for the sake of who reads them: is not to be freed. */
char *pod_borrow(const char *s);
/* The record for the store; strings are borrowed from the pod and from constant tables. */
void pod_to_row(const struct pod *p, const char *boot_id, struct pod_row *ret);
void pod_app_to_row(const struct pod *p, size_t i, struct app_row *ret);
/* Fills a fresh pod, but for its apps; ERR_STORE names the column that makes no sense. */
int pod_from_row(struct pod *p, const struct pod_row *r, struct err *err);

#endif
