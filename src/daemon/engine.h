/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: queue -> guard -> pure step -> ONE transaction -> effects (design, "One turn of the
 * engine"). The only writer of a pod's state. Knows no loop, socket or process: the world, the
 * clock and the listeners are handed in, so tests drive it in virtual time.
 */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/pod.h"
#include "daemon/world.h"
#include "store/store.h"

struct engine;
struct worker; /* src/daemon/worker.h */

/* What an event brings along; zero where it does not apply (domid -1). */
struct event_args {
	int64_t domid;
	int64_t qemu_pid, qemu_start;
	int code;             /* GUEST_DONE: exit code */
	int app;              /* GUEST_APP: index */
	struct gstate gstate; /* GUEST_APP */
	enum pod_cause cause; /* overrides what pod_cause_of() says; CAUSE_NONE: does not */
	const char *message;  /* copied */
	const char *console;  /* COLLECTED: last lines, copied; NULL: none kept */
	json_t *nets;         /* NETWORKED: what they are, a new reference is taken; NULL: none */
	json_t *request;      /* HANDED_OVER: that of the new life, a new reference is taken */
	bool forced;
	int64_t outbox; /* completions: the row that this answers; 0 */
	int64_t due_ns; /* DEADLINE: which one has passed */
	/* Called once after the commit (err NULL) or when the event was refused (err set). */
	void (*done)(void *ctx, const struct err *err);
	void *done_ctx;
};

/* One committed turn, as listeners see it. */
struct turn_record {
	const struct pod *pod;
	int64_t history_seq;
	int64_t at; /* wall clock */
	enum pod_event event;
	const char *event_name; /* "accept" for a pod's birth */
	enum pod_state from, to;
	enum pod_cause cause;
	const char *detail; /* message of the event, "" if none */
};

struct engine_config {
	struct store *store;
	struct world *world;
	struct worker *worker; /* NULL: file jobs run in the engine's turn (tests) */
	int64_t (*boot_ns)(void *clock);
	int64_t (*wall_ns)(void *clock);
	void *clock;
	const char *boot_id;
	const char *run_dir;     /* exports, helper locks */
	const char *cgroup_root; /* NULL: no cgroups */
	const char *console_dir; /* logs of the guests' consoles; NULL: there are none */
	const char *records_dir; /* records.h; NULL: none are kept */
	int max_starts;          /* pods between exporting and unpausing */
	int max_helpers;         /* helper processes at a time */
};

/* Listeners; any may be NULL. Called after the commit, never from inside engine_post. */
struct engine_hooks {
	void *ctx;
	void (*turn)(void *ctx, const struct turn_record *t);
	void (*ready)(void *ctx, struct pod *p);              /* apps are started */
	void (*unmap)(void *ctx, struct pod *p);              /* sessions must let go */
	void (*evict)(void *ctx, struct pod *p);              /* sessions that have not: SIGKILL */
	void (*tell)(void *ctx, struct pod *p);               /* it ended or is gone */
	void (*forget)(void *ctx, struct pod *p);             /* about to be freed */
	void (*custody)(void *ctx, struct pod *p, bool held); /* fd store */
	/*
	 * A `run` for the next life, told core.starts: it answers by HANDED_OVER or SPAWN_FAILED with
	 * p->spawn_outbox. One of before that has not answered is no more when this is called.
	 */
	void (*spawn)(void *ctx, struct pod *p);
	void (*dismiss)(void *ctx, struct pod *p); /* it is not waited for: SIGKILL */
};

struct engine *engine_new(const struct engine_config *cfg);
void engine_free(struct engine *e);
/* Another configuration; helpers that are at work beyond a new limit go on. */
void engine_set_limits(struct engine *e, int max_starts, int max_helpers);
void engine_set_hooks(struct engine *e, const struct engine_hooks *hooks);

struct pods *engine_pods(struct engine *e);
const struct engine_config *engine_cfg(const struct engine *e);
int64_t engine_now(const struct engine *e); /* CLOCK_BOOTTIME, ns */

/*
 * A new pod, durable when `done` is called; the engine takes `p` over (also when it fails: it is
 * freed then). Its first event ADMIT follows as soon as a place to start is free.
 */
void engine_accept(
	struct engine *e, struct pod *p, void (*done)(void *ctx, const struct err *err), void *ctx);
/* Recovery: puts a stored pod back exactly as it was; nothing is done. */
void engine_coldplug(struct engine *e, struct pod *p);
/* Recovery: effects and admissions are held back until this is called. */
void engine_release_barrier(struct engine *e);
bool engine_recovering(const struct engine *e);

/* Queues an event; `args` may be NULL and is copied. Never runs anything before it returns. */
void engine_post(
	struct engine *e, struct pod *p, enum pod_event event, const struct event_args *args);

/* Repeats an outbox row of before a crash: probe and repair is the helper's way (docs/RECOVERY.md).
 */
void engine_replay(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox);

/*
 * A helper command about a UUID that is no pod's (orphans.h): destroy of the domain that carries all
 * of this and a marker, clear, or release, all without a network. Takes a helper's place like any
 * other. The caller has committed that it is done. `done`: err NULL when the post-condition holds;
 * not from inside this call. Never called when the engine is freed before.
 */
struct engine_command {
	enum pod_effect fx;
	char uuid[UUID_TEXT_SIZE];
	int64_t generation, domid;
	void (*done)(void *ctx, const struct err *err);
	void *ctx;
};
int64_t engine_command(struct engine *e, const struct engine_command *c);
/* It takes too long: it is killed and has failed. */
void engine_command_kill(struct engine *e, int64_t id);

/* From the world: routes frames of helpers (by op) and their ends. */
void engine_act_frame(struct engine *e, int64_t op, const json_t *frame);
void engine_act_exit(struct engine *e, int64_t op, int status);
void engine_qemu_exit(struct engine *e, const char *uuid, int64_t pid);
/* Asks the sensors to watch the pod's domain and to report it once, now. */
void engine_watch(struct engine *e, struct pod *p);
/* The host's numbers were read anew; NULL: they are not known any more. */
struct engine_host {
	int64_t free_kib, total_kib, cpus;
	int64_t dying_kib; /* of domains that are dying: free soon */
};
void engine_host_set(struct engine *e, const struct engine_host *host);
/* NULL: not known. */
const struct engine_host *engine_host(const struct engine *e);
/* Something that pod_quiet() depends on has changed. */
void engine_check_quiet(struct engine *e, struct pod *p);

/*
 * The host shuts down (or does not any more): pods that are there are stopped gracefully, cause
 * host-shutdown, and new ones refused. Pods with a restart policy wait for the next boot then.
 */
void engine_close(struct engine *e, bool closing);
bool engine_closing(const struct engine *e);
/* Pods that have something that ends, while the host shuts down: neither ended nor in backoff. */
size_t engine_alive(struct engine *e);

/*
 * Runs everything that is ready: expired deadlines, then the queue in shared commits of at most
 * ENGINE_BATCH turns. Returns ns until there is something to do again, -1 for "nothing known".
 */
#define ENGINE_BATCH 64
int64_t engine_run(struct engine *e);

struct engine_stats {
	int64_t turns, commits, commit_retries, rejected, unlisted;
	int64_t queue, queue_max;
	int64_t stall_max_ns; /* longest run of one batch, commit included */
	bool store_failing;   /* the last commit failed and is being retried */
	char store_error[256];
};
void engine_stats_get(const struct engine *e, struct engine_stats *ret);

#endif
