/* SPDX-License-Identifier: Apache-2.0 */
/* What engine.c, turn.c, effects.c and ops.c share; nobody else includes it. */
#ifndef DAEMON_ENGINE_INT_H
#define DAEMON_ENGINE_INT_H

#include "daemon/deadlines.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/storecare.h"

/* A queued event. */
struct qevent {
	struct qevent *next;
	struct pod *pod;
	enum pod_event event;
	bool accept; /* the pod's birth: inserts the row */
	int64_t since;
	struct event_args args;
	char message[sizeof((struct pod_core *)0)->message];
	char *console; /* args.console */
};

/* A turn between its writing and the end of its commit. */
struct turn {
	struct qevent *ev;
	struct pod_core before;
	struct pod_app app_before;          /* of args.app, for GUEST_APP */
	struct restart_before *life_before; /* for HANDED_OVER; restart.h */
	struct restart_verdict verdict;     /* for COLLECTED */
	struct pod_update update;
	enum pod_cause cause; /* after it; core.cause may be a later turn's already */
	int64_t history_seq;  /* 0: nothing happened but that an old outbox row was answered */
	int64_t at;
	int64_t outbox[POD_EFFECTS_MAX];
	struct err refused; /* set: rejected for good, not written */
	bool denied;        /* by us: whatever its code, it is not the store's failure */
};

/* Helpers of a lane have places of their own, so that they do not hold up the others. */
enum lane {
	LANE_QUICK,
	LANE_CREATE,  /* libxl has 10 s for a device model, however many start beside it */
	LANE_PLUGINS, /* CNI plugins, which may take as long as they like, or hang */
	LANE_MAX_,
};

/* A helper command, waiting for a place or running. */
struct op {
	struct op *next;
	int64_t id;
	struct pod *pod; /* NULL: killed, or none: then `command` is set */
	struct engine_command *command;
	enum pod_effect fx;
	int64_t outbox;
	enum lane lane;
	bool started;
	bool answered; /* done or failed has come */
	bool killed;   /* by us: its end is no event any more */
};

struct engine {
	struct engine_config cfg;
	struct engine_hooks hooks;
	struct pods *pods;
	struct deadlines deadlines;
	struct qevent *queue, **queue_tail;
	int64_t retry_at; /* a commit failed: not before this */
	int retries;
	bool barrier;      /* effects wait */
	bool closing;      /* the host shuts down: nothing is started */
	int starting;      /* pods from exporting to unpausing; see is_starting() */
	int networking;    /* those whose plugins are called, or will be next */
	struct pod *fresh; /* accepted by turns that are not committed yet */
	struct pod *waiting, **waiting_tail; /* accepted ones, in line for a place to start */
	struct op *ops, **ops_tail;
	int64_t next_op;
	int running_ops;
	int running[LANE_MAX_];
	struct engine_host host; /* total_kib 0: not known */
	struct memory memory;
	struct engine_stats stats;
	struct storecare_fold fold;
};

/* Of the helpers' places those that may run CNI plugins; as many pods are let in that will need one. */
static inline int plugin_places(const struct engine *e)
{
	int half = (e->cfg.max_helpers + 1) / 2;
	return half < e->cfg.max_starts ? half : e->cfg.max_starts;
}

/* engine.c */
void qevent_free(struct qevent *q);

/*
 * requests.c: the store cannot be written, because of `err`. Who has waited for an answer for
 * REQUEST_WAIT_NS is told so, and nothing of the request happens. What the world said stays queued.
 */
#define REQUEST_WAIT_NS INT64_C(5000000000)
void requests_refuse_late(struct engine *e, const struct err *err);

/* turn.c: guard, step, apply in memory, write within the open transaction. -1: undone, err set. */
int turn_make(struct engine *e, struct turn *t, struct err *err);
void turn_undo(struct engine *e, struct turn *t);
/* The pod is committed, or is not to be: takes it out of `fresh`. */
void turn_unfresh(struct engine *e, const struct pod *p);

/* effects.c: carries out one effect of a committed turn. */
void effect_run(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox);

/* ops.c */
void op_start(struct engine *e, struct pod *p, enum pod_effect fx, int64_t outbox);
void op_go(struct engine *e, struct pod *p, int64_t outbox);
void op_cancel(struct engine *e, struct pod *p);
void ops_pump(struct engine *e);
void ops_free(struct engine *e);

#endif
