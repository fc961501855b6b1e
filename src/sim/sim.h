/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated world: a Xen host that speaks the frames of proto/world.h, in virtual time, with
 * latencies, and with faults by script. It stands where xenpod-watch and xenpod-act stand, and
 * knows nothing of pods' states or of the store. One seed and one order of calls = one history.
 *
 * Time is the caller's (ns): nothing happens but in sim_advance, and no callback fires from any
 * other call. Callbacks may call everything here but sim_advance and sim_free.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sim;

/* Frames are borrowed for the call. Any callback may be NULL. */
struct sim_events {
	void *ctx;
	void (*watch)(void *ctx, const json_t *frame);
	void (*watch_exit)(void *ctx); /* the sensors have ended; sim_watch_start begins new ones */
	void (*act)(void *ctx, int64_t handle, const json_t *frame);
	/* After the helper's last frame. Exit code, or 128 + signal. */
	void (*act_exit)(void *ctx, int64_t handle, int status);
	void (*qemu_exit)(void *ctx, const char *uuid, int64_t pid);
	/* A line for people: an action of the script was done or was not possible. */
	void (*note)(void *ctx, const char *text);
};

struct sim_config {
	uint64_t seed;
	int64_t now_ns;
	bool reuse_domids; /* lowest free number; else they count up, as Xen does until 32751 */
	const char *store; /* whose the domains of `orphan` are; copied; NULL: nobody's */
	bool powers_off;   /* a guest that is done powers off; Debian's kernels only halt */
	struct sim_events events;
};

struct sim *sim_new(const struct sim_config *cfg);
/* NULL is fine. No callback fires; held descriptors are closed. */
void sim_free(struct sim *sim);
/* Another boot of the machine: files that the old one's Dom-0 had are the new one's, nothing else. */
void sim_keep_files(struct sim *to, struct sim *from);

/* When something happens next (absolute ns, may be past), or -1: nothing is on its way. */
int64_t sim_next_due(const struct sim *sim);
/* Lets everything happen that is due until `now_ns`, in order. Time never goes back. */
void sim_advance(struct sim *sim, int64_t now_ns);
int64_t sim_now(const struct sim *sim);
/*
 * For a caller that lives in real time: what is asked for between two sim_advance takes its time
 * from this clock's now, not from the last event's. NULL (at first): virtual time.
 */
void sim_set_clock(struct sim *sim, int64_t (*now_ns)(void));

/*
 * xenpodd has died: its ends of all sockets are closed. The sensors end; helpers that are at work
 * go on unheard; a create that waits for `go` leaves its domain paused. Then the next one's events.
 */
void sim_adopt(struct sim *sim, const struct sim_events *events);

/* ---- xenpod-watch ------------------------------------------------------------------------------
 */

/* Starts the sensors (they say hello); nothing while they run. sim_new has not started them. */
void sim_watch_start(struct sim *sim);
/* SIGKILL; watch_exit follows. */
void sim_watch_kill(struct sim *sim);
bool sim_watch_alive(const struct sim *sim);
/* ERR_UNAVAILABLE when they are not running. */
int sim_watch_send(struct sim *sim, const json_t *frame, struct err *err);

/* ---- xenpod-act --------------------------------------------------------------------------------
 */

/*
 * Starts a helper with its request; the descriptors stay the caller's (of `create`, the simulated
 * QEMU keeps a copy of the first, the lock, as long as it lives). Returns its handle, which is the
 * request's "op", or -1: no act_exit follows then.
 */
int64_t sim_act_start(
	struct sim *sim, const json_t *request, const int *fds, size_t nfds, struct err *err);
/* A second frame, `go`. An unknown handle is a helper that has ended: nothing happens. */
void sim_act_send(struct sim *sim, int64_t handle, const json_t *frame);
/* SIGKILL: what it was about to do does not happen; act_exit follows. */
void sim_act_kill(struct sim *sim, int64_t handle);
/* A helper of that pod lives, whoever started it (the helper lock is held). */
bool sim_helper_alive(const struct sim *sim, const char *uuid);
/* Kills it, as recovery kills the holder of the helper lock. */
void sim_helper_kill(struct sim *sim, const char *uuid);

/* ---- QEMU: pids are above any real pid ---------------------------------------------------------
 */

bool sim_qemu_alive(const struct sim *sim, int64_t pid);
/* Its start time in clock ticks, 0 when there is no such process. */
int64_t sim_qemu_start(const struct sim *sim, int64_t pid);
/* SIGKILL; qemu_exit follows. */
void sim_qemu_kill(struct sim *sim, int64_t pid);

/* ---- what operators and guests do without asking us --------------------------------------------
 */

#define SIM_VERBS(X)                                                                               \
	X(DESTROY, "destroy")   /* xl destroy */                                                   \
	X(SHUTDOWN, "shutdown") /* xl shutdown */                                                  \
	X(POWEROFF, "poweroff") /* the domain is off at once, without a word of its init */        \
	X(REBOOT, "reboot")     /* as poweroff, reason reboot */                                   \
	X(PANIC, "panic")       /* the guest's kernel */                                           \
	X(PAUSE, "pause")                                                                          \
	X(UNPAUSE, "unpause")                                                                      \
	X(FREEZE, "freeze") /* the guest does nothing any more */                                  \
	X(HOLD, "hold")     /* somebody keeps a page mapped: a dying domain stays listed */        \
	X(UNHOLD, "unhold")                                                                        \
	X(RENAME, "rename")   /* xl rename, to the UUID with "renamed-" before it */               \
	X(MEM_SET, "mem-set") /* xl mem-set, to half of what it is to have */                      \
	X(KILL_QEMU, "kill-qemu")                                                                  \
	X(KILL_HELPER, "kill-helper")                                                              \
	X(STRANGER, "stranger") /* a domain with that UUID which is not ours appears */            \
	X(ORPHAN, "orphan")     /* one appears that is marked as ours, of generation 1 */

enum sim_verb {
#define X(id, name) SIM_##id,
	SIM_VERBS(X)
#undef X
		SIM_VERB_MAX_
};

/* Acts on the newest domain of that UUID. ERR_NOTFOUND when there is none. */
int sim_operator(struct sim *sim, enum sim_verb verb, const char *uuid, struct err *err);
/*
 * A running domain with the marker of that store appears, with its QEMU and what it has in Dom-0,
 * and no helper has made it. Returns its domid.
 */
int64_t sim_put_domain(struct sim *sim, const char *uuid, const char *store, int64_t generation);
/* Down: whoever speaks to xenstored waits, without end; up: goes on where it was. */
void sim_xenstored(struct sim *sim, bool up);

/* ---- faults and latencies ----------------------------------------------------------------------
 */

/* Where a fault can strike, counted each by itself: commands, and these. */
#define SIM_POINTS(X)                                                                              \
	X(EXPORTS, "exports")                                                                      \
	X(NETWORK, "network")                                                                      \
	X(CREATE, "create") /* before there is a domain */                                         \
	X(BUILD, "build")   /* the domain is listed, QEMU not started */                           \
	X(GO, "go")                                                                                \
	X(UNPAUSE, "unpause")                                                                      \
	X(PAUSE, "pause")                                                                          \
	X(SHUTDOWN, "shutdown")                                                                    \
	X(DESTROY, "destroy")                                                                      \
	X(CLEAR, "clear")                                                                          \
	X(RELEASE, "release")                                                                      \
	X(START, "start") /* the helper process itself: fail only */                               \
	X(QEMU, "qemu")   /* QEMU's end: hang (till SIGKILL), slow */                              \
	X(DYING, "dying") /* the domain's leaving the list: hang (a zombie), slow */               \
	X(EVENT, "event") /* a report of a change: lost, double, slow */                           \
	X(GUEST, "guest") /* a report of a guest's node: lost, double */                           \
	X(PONG, "pong")   /* lost */

#define SIM_KINDS(X)                                                                               \
	X(FAIL, "fail")     /* answers failed, the effect is not there */                          \
	X(HANG, "hang")     /* does nothing, answers nothing, until killed */                      \
	X(DIE, "die")       /* the process ends without an answer, the effect is not there */      \
	X(LOST, "lost")     /* the effect is there, the answer is not */                           \
	X(DOUBLE, "double") /* answers twice */                                                    \
	X(SLOW, "slow")     /* takes twenty times as long */

enum sim_point {
#define X(id, name) SIM_AT_##id,
	SIM_POINTS(X)
#undef X
		SIM_POINT_MAX_
};

enum sim_kind {
#define X(id, name) SIM_KIND_##id,
	SIM_KINDS(X)
#undef X
		SIM_KIND_MAX_
};

/* From now on lets `after` of them pass, then strikes `times` times. `text`: of failed, or NULL. */
void sim_fault(struct sim *sim, enum sim_point point, unsigned after, unsigned times,
	enum sim_kind kind, const char *text);

/* How long things take, ms. Measured on a Xen 4.17 under TCG where it could be, rounded. */
#define SIM_LATENCIES(X)                                                                           \
	X(HELLO, "hello", 50)                                                                      \
	X(SENSE, "sense", 2)  /* from a change, or a frame, to the sensors' report */              \
	X(SPAWN, "spawn", 20) /* a helper process */                                               \
	X(EXPORTS, "exports", 30)                                                                  \
	X(NETWORK, "network", 2500) /* of each network */                                          \
	X(CREATE, "create", 900)    /* until the domain is listed */                               \
	X(BUILD, "build", 1300)     /* until QEMU runs and all is built */                         \
	X(UNPAUSE, "unpause", 100)                                                                 \
	X(PAUSE, "pause", 40)                                                                      \
	X(SHUTDOWN, "shutdown", 30)                                                                \
	X(DESTROY, "destroy", 700)                                                                 \
	X(CLEAR, "clear", 40)                                                                      \
	X(RELEASE, "release", 10)                                                                  \
	X(DYING, "dying", 150) /* from destroyed to out of the list */                             \
	X(QEMU, "qemu", 80)    /* QEMU's end after its domain's */                                 \
	X(KILL, "kill", 1)     /* SIGKILL to the end of a process */                               \
	X(BOOT, "boot", 6000)  /* unpaused to xenpod-init's first word */                          \
	X(APP, "app", 250)     /* an app's start */                                                \
	X(TERM, "term", 100)   /* SIGTERM to a willing app's end */                                \
	X(POWEROFF, "poweroff", 400)

enum sim_lat {
#define X(id, name, ms) SIM_LAT_##id,
	SIM_LATENCIES(X)
#undef X
		SIM_LAT_MAX_
};

void sim_set_latency(struct sim *sim, enum sim_lat what, int64_t ns);
/*
 * How large the host is, Dom-0 and Xen aside; what its domains have is taken from that. 0, at first:
 * without end, and the sensors say nothing about it.
 */
void sim_set_host(struct sim *sim, int64_t memory_kib, int cpus);
/* Each latency is drawn from +- this many percent; 10 to begin with, 0 for exact times. */
void sim_set_jitter(struct sim *sim, unsigned percent);

/* ---- scripts ------------------------------------------------------------------------------ */

/*
 * Lines of a script; times are from now on. ERR_INVALID names the line, and nothing of the script
 * is done then.
 *   at TIME LINE                       later: one of the lines below
 *   VERB UUID                          SIM_VERBS; a prefix will do, `any` is the oldest domain
 *   xenstored down|up
 *   sensors kill
 *   fault POINT after N times M KIND ["text"]
 *   latency WHAT TIME                  TIME: 1500ms 2s 3m
 *   jitter PERCENT
 *   host MIB CPUS
 */
int sim_script(struct sim *sim, const char *text, struct err *err);

/* ---- for tests and leak checks -----------------------------------------------------------------
 */

/* What is left of our pods in the world, a line each; NULL when nothing is. Caller frees. */
char *sim_left(const struct sim *sim);
size_t sim_domains(const struct sim *sim);

#endif
