/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the simulated world share. Objects are found by number when an event is due,
 * never by a kept pointer: whatever has ended meanwhile is simply not found.
 */
#ifndef SIM_SIM_INT_H
#define SIM_SIM_INT_H

#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"
#include "proto/gstate.h"
#include "proto/spec.h"
#include "proto/world.h"
#include "sim/sim.h"

#define MS          INT64_C(1000000)
#define DOMIDS      0x7ff0  /* DOMID_FIRST_RESERVED, xen/xen.h */
#define PID_FIRST   4200000 /* above the kernel's PID_MAX_LIMIT: never a real process */
#define STATUS_KILL 137
#define STATUS_DIED 255 /* libxl's exit(-1) */
#define SLOW_FACTOR 20
#define HELPER_WAIT (10000 * MS) /* for the helper lock, as xenpod-act */

/* ---- queue.c ----------------------------------------------------------------------------------
 */

/* What must be there for an event to happen; else it waits. */
enum need { NEED_NOTHING = 0, NEED_XENSTORE = 1 << 0, NEED_CPU = 1 << 1 };

struct event;
typedef void (*event_fn)(struct sim *sim, const struct event *ev);

struct event {
	int64_t due;
	uint64_t order;
	unsigned needs;
	event_fn fn;
	int64_t id; /* of what it is about: domain serial, helper handle, pid, epoch */
	int64_t arg;
	json_t *data; /* owned by the event */
};

struct queue {
	struct event **heap;
	size_t n, cap;
	uint64_t order;
};

void queue_push(struct queue *q, struct event *ev); /* takes ev */
struct event *queue_pop(struct queue *q);
void event_free(struct event *ev);
void queue_free(struct queue *q);

/* ---- objects ----------------------------------------------------------------------------------
 */

enum dom_state {
#define X(id, name) DOM_##id,
	WORLD_DOMAIN_STATES(X)
#undef X
};

enum dom_reason {
#define X(id, name) REASON_##id,
	WORLD_REASONS(X)
#undef X
		REASON_NONE
};

enum behaviour {
	BE_FOREVER,
	BE_STUBBORN,
	BE_EXIT,
	BE_KILLED,
	BE_OOM,
	BE_PANIC,
	BE_REBOOT,
	BE_NEVER_BOOTS,
	BE_GARBAGE,
	BE_FLOOD,
	BE_INIT_FAILS,
	BE_EXEC_FAILS,
};

struct sim_app {
	enum behaviour behaviour;
	int value;        /* exit code, signal */
	int64_t after_ns; /* from its start */
	enum gstate_kind kind;
	int code;
	uint32_t seq;
	bool termed;
};

struct guest {
	struct sim_app app[SPEC_MAX_APPS];
	size_t napps;
	int64_t grace_ns;
	uint32_t seq; /* of the pod node */
	bool up;      /* xenpod-init speaks */
	bool stop_asked;
	bool stopping;
	bool over;
	int code;
};

/* What the sensors have told of a watched domain. */
struct told {
	bool watched;
	int apps;
	bool any; /* something was reported; state and reason are valid */
	enum dom_state state;
	enum dom_reason reason;
	char *node[SPEC_MAX_APPS + 1];
};

struct dom {
	int64_t serial; /* never used twice; modulo DOMIDS it is the domid */
	int64_t domid;
	char uuid[UUID_TEXT_SIZE];
	char *store; /* NULL: not ours */
	int64_t generation;
	bool records;  /* its xenstore directory is there */
	int64_t built; /* QEMU's pid once everything is built; 0 */
	int64_t qemu;  /* QEMU's pid; 0 */
	int64_t memory_kib;
	bool renamed;
	enum dom_state state;
	enum dom_reason reason;
	bool started; /* has been unpaused */
	bool frozen;
	bool held;
	bool lingers; /* only `held` keeps it in the list */
	int64_t started_ns;
	struct guest guest;
	char *node[SPEC_MAX_APPS + 1]; /* guest's xenstore nodes: pod, app/0 ... */
	struct told told;
};

struct qemu {
	struct qemu *next;
	int64_t pid;
	int64_t start;
	char uuid[UUID_TEXT_SIZE];
	int lock_fd;
	bool stuck; /* ends by SIGKILL only */
};

/* What a pod has in Dom-0 beside its domain. */
struct host {
	struct host *next;
	char uuid[UUID_TEXT_SIZE];
	size_t trees;
	bool exports, cgroup, logs;
	bool netns, leases, ports; /* a boot ends but the leases, which are files */
};

enum helper_stage { HELPER_QUEUED, HELPER_WORKING, HELPER_WAITING, HELPER_ENDED };

struct helper {
	struct helper *next;
	int64_t handle;
	int64_t epoch; /* who hears it */
	char uuid[UUID_TEXT_SIZE];
	json_t *request;
	enum sim_point point;
	enum helper_stage stage;
	enum sim_kind fault; /* SIM_KIND_MAX_: none */
	char *text;
	int lock_fd;
	int64_t waits_until; /* for the helper lock */
	int64_t dom;         /* serial of the domain it creates */
	unsigned tries;      /* for memory */
};

struct fault {
	struct fault *next;
	enum sim_point point;
	enum sim_kind kind;
	unsigned after, times, seen;
	char *text;
};

struct sensor {
	bool alive;
	int64_t life; /* which incarnation: what an earlier one had to say is lost */
	bool look_due;
	int64_t last_in; /* frames keep their order */
	int64_t told_free_kib, told_dying_kib;
};

struct sim {
	struct sim_config cfg;
	struct sim_events events;
	int64_t now;
	int64_t (*clock)(void);
	bool advancing; /* time is the event's */
	int64_t epoch;  /* of the supervisor */
	uint64_t rng;
	struct queue queue;
	struct event **parked;
	size_t nparked;
	bool xenstored_down;
	int64_t memory_kib; /* of the host; 0: without end */
	int cpus;
	int64_t latency[SIM_LAT_MAX_];
	unsigned jitter;
	struct dom *dom[DOMIDS];
	int64_t dom_top; /* no domain from here up */
	size_t ndoms;
	int64_t next_domid, next_serial, next_pid;
	struct qemu *qemus;
	struct host *hosts;
	uint64_t next_address;
	struct helper *helpers;
	struct fault *faults;
	struct sensor sensor;
};

/* ---- sim.c ------------------------------------------------------------------------------------
 */

int64_t latency(struct sim *sim, enum sim_lat what);
/* What time it is for a call from outside. */
int64_t time_of(const struct sim *sim);
/* An event in `in_ns`, or at `due`; `data` is taken. */
void later(struct sim *sim, int64_t in_ns, unsigned needs, event_fn fn, int64_t id, int64_t arg,
	json_t *data);
void later_at(struct sim *sim, int64_t due, unsigned needs, event_fn fn, int64_t id, int64_t arg,
	json_t *data);
/* Events that waited for what has come back happen now, in their order. */
void unpark(struct sim *sim);
void note(struct sim *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- fault.c ----------------------------------------------------------------------------------
 */

/* Counts one more at that point: the fault that strikes, or SIM_KIND_MAX_. *ret_text is borrowed.
 */
enum sim_kind fault_strikes(struct sim *sim, enum sim_point point, const char **ret_text);
void faults_free(struct sim *sim);

/* ---- domain.c ---------------------------------------------------------------------------------
 */

struct dom *dom_new(struct sim *sim, const char *uuid);
struct dom *dom_by_serial(struct sim *sim, int64_t serial);
/* The newest of that UUID; dying ones only when there is no other. */
struct dom *dom_by_uuid(struct sim *sim, const char *uuid);
/* The domain's vCPUs stop, its records go, QEMU is told; it leaves the list later. */
void dom_destroy(struct sim *sim, struct dom *d);
void dom_stop(struct sim *sim, struct dom *d, enum dom_reason reason);
void dom_pause(struct sim *sim, struct dom *d);
void dom_unpause(struct sim *sim, struct dom *d);
void dom_unhold(struct sim *sim, struct dom *d);
void dom_free(struct dom *d);
/* Node 0 is "pod", 1 + i is "app/<i>". NULL removes. */
void dom_set_node(struct sim *sim, struct dom *d, size_t node, const char *value);

/* ---- memory.c ---------------------------------------------------------------------------------
 */

/* What no domain has; meaningless when the host's memory is without end. */
int64_t memory_free(const struct sim *sim);
/* 0 when there is enough for a domain of that size; else ERR_FULL, as xenpod-act says it. */
int memory_take(const struct sim *sim, int64_t memory_kib, struct err *err);
/* What dying domains still have. */
int64_t memory_dying(const struct sim *sim);

/* ---- qemu.c -----------------------------------------------------------------------------------
 */

int64_t qemu_new(struct sim *sim, const char *uuid, int lock_fd);
struct qemu *qemu_find(const struct sim *sim, int64_t pid);
void qemu_hup(struct sim *sim, int64_t pid);
/* Of that pod, all of them, at once. */
void qemu_kill_all(struct sim *sim, const char *uuid);
void qemus_free(struct sim *sim);

/* ---- host.c -----------------------------------------------------------------------------------
 */

struct host *host_get(struct sim *sim, const char *uuid);
/* Forgets the record when nothing is left in it. */
void host_tidy(struct sim *sim, const char *uuid);
void hosts_free(struct sim *sim);

/* ---- network.c --------------------------------------------------------------------------------
 */

int network_make(struct sim *sim, struct helper *h, json_t *done, struct err *err);
/* When a pod's domain has gone: what `clear` does about its network. */
void network_clear(struct host *host, const json_t *request);
void network_release(struct host *host);

/* ---- guest.c, behaviour.c -----------------------------------------------------------------------
 */

void guest_init(struct guest *g, const json_t *spec);
void behaviour_parse(struct sim_app *a, const json_t *exec);
/* First unpause: the kernel boots. */
void guest_boot(struct sim *sim, struct dom *d);
/* control/shutdown was written. */
void guest_shutdown(struct sim *sim, struct dom *d);

/* ---- watch.c ----------------------------------------------------------------------------------
 */

/* Something changed in the list of domains: the sensors will look. */
void sensor_wake(struct sim *sim);
/* A watched domain left the list. */
void sensor_gone(struct sim *sim, struct dom *d);
void sensor_node(struct sim *sim, struct dom *d, size_t node);
void sensor_noisy(struct sim *sim, struct dom *d, bool on);
void sensor_forget(struct dom *d);

/* ---- act.c, command.c -------------------------------------------------------------------------
 */

void helper_answer(struct sim *sim, struct helper *h, json_t *frame);
void helper_end(struct sim *sim, struct helper *h, int status);
/* Answers done or failed by `r` and ends. */
void helper_finish(struct sim *sim, struct helper *h, int r, json_t *done, struct err *err);
struct helper *helper_find(struct sim *sim, int64_t handle);
/* Counts one more at the helper's point: true when a fault leaves nothing more to be done. */
bool helper_struck(struct sim *sim, struct helper *h);
/* Nobody will say `go` any more. */
void helpers_abandon(struct sim *sim);
void helpers_free(struct sim *sim);

/* Does what the request says. */
void command_run(struct sim *sim, struct helper *h);
void command_go(struct sim *sim, struct helper *h);
enum sim_lat command_latency(enum sim_point point);
/* -1 when there is no such command. */
int command_point(const char *t);

/* ---- names.c ----------------------------------------------------------------------------------
 */

const char *dom_state_name(enum dom_state s);
const char *dom_reason_name(enum dom_reason r);
int verb_from_name(const char *name);
int point_from_name(const char *name);
int kind_from_name(const char *name);
int lat_from_name(const char *name);
/* "250ms", "2s", "3m" to ns; -1. */
int64_t time_parse(const char *text);

#endif
