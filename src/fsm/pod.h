/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod machine. Pure: given a state, an event and the facts, it says the next state, what must
 * be done in which order, and the deadline. It knows no clock, file, process or database, and
 * allocates nothing. Names, not numbers, leave this module.
 */
#ifndef FSM_POD_H
#define FSM_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a state owns; leaving for a state without the flag means the thing must be gone. */
enum pod_owns {
	POD_OWNS_NOTHING = 0,
	POD_OWNS_EXPORTS = 1 << 0, /* mounts below /run/xenpod/pods/<uuid> and the pod's cgroup */
	POD_OWNS_DOMAIN = 1 << 1,  /* a domain may exist */
	POD_OWNS_LOCK = 1 << 2,    /* the pod directory's lock */
};

#define POD_EX  POD_OWNS_EXPORTS
#define POD_DOM POD_OWNS_DOMAIN
#define POD_LK  POD_OWNS_LOCK

/*  id          stored name    word people see  owns                      deadline in ms, 0 = none
 */
#define POD_STATES(X)                                                                              \
	X(ACCEPTED, "accepted", "starting", POD_LK, 600000)                                        \
	X(EXPORTING, "exporting", "starting", POD_LK | POD_EX, 60000)                              \
	X(NETWORKING, "networking", "starting", POD_LK | POD_EX, 240000)                           \
	X(CREATING, "creating", "starting", POD_LK | POD_EX | POD_DOM, 180000)                     \
	X(UNPAUSING, "unpausing", "starting", POD_LK | POD_EX | POD_DOM, 60000)                    \
	X(BOOTING, "booting", "starting", POD_LK | POD_EX | POD_DOM, 240000)                       \
	X(RUNNING, "running", "running", POD_LK | POD_EX | POD_DOM, 0)                             \
	X(PAUSING, "pausing", "running", POD_LK | POD_EX | POD_DOM, 30000)                         \
	X(PAUSED, "paused", "paused", POD_LK | POD_EX | POD_DOM, 0)                                \
	X(RESUMING, "resuming", "paused", POD_LK | POD_EX | POD_DOM, 30000)                        \
	X(STOPPING, "stopping", "stopping", POD_LK | POD_EX | POD_DOM, 7000) /* + the grace */     \
	X(DESTROYING, "destroying", "stopping", POD_LK | POD_EX | POD_DOM, 90000)                  \
	X(DYING, "dying", "stopping", POD_LK | POD_EX | POD_DOM, 2000)                             \
	X(CLEARING, "clearing", "stopping", POD_LK | POD_EX, 240000)                               \
	X(COLLECTING, "collecting", "stopping", POD_LK, 60000)                                     \
	X(BACKOFF, "backoff", "restarting", POD_LK,                                                \
		300000) /* what restart.h says, at most this */                                    \
	X(RESTARTING, "restarting", "restarting", POD_LK, 60000)                                   \
	X(EXITED, "exited", "exited", POD_OWNS_NOTHING, 0)                                         \
	X(FAILED, "failed", "failed", POD_OWNS_NOTHING, 0)                                         \
	X(RELEASING, "releasing", "removing", POD_OWNS_NOTHING, 240000)                            \
	X(GONE, "gone", "removed", POD_OWNS_NOTHING, 0)

/* Who speaks: R a request, W the world, C the completion of an effect, T time, G made by the guard.
 */
#define POD_EVENTS(X)                                                                              \
	X(ADMIT, "admit", 'R') /* its turn to start has come */                                    \
	X(STOP, "stop", 'R')   /* graceful; also: `run` has died */                                \
	X(KILL, "kill", 'R')   /* stop --force */                                                  \
	X(PAUSE, "pause", 'R')                                                                     \
	X(RESUME, "resume", 'R')                                                                   \
	X(GC, "gc", 'R')                                                                           \
	X(START, "start", 'R') /* the next try at once; also: no shutdown of the host any more */  \
	X(EXPORTED, "exported", 'C')                                                               \
	X(EXPORT_FAILED, "export-failed", 'C')                                                     \
	X(NETWORKED, "networked", 'C')                                                             \
	X(NETWORK_FAILED, "network-failed", 'C')                                                   \
	X(CREATED, "created", 'C')                                                                 \
	X(CREATE_FAILED, "create-failed", 'C')                                                     \
	X(UNPAUSED, "unpaused", 'C')                                                               \
	X(UNPAUSE_FAILED, "unpause-failed", 'C')                                                   \
	X(PAUSE_DONE, "pause-done", 'C')                                                           \
	X(PAUSE_FAILED, "pause-failed", 'C')                                                       \
	X(RESUME_DONE, "resume-done", 'C')                                                         \
	X(RESUME_FAILED, "resume-failed", 'C')                                                     \
	X(SHUTDOWN_SENT, "shutdown-sent", 'C')                                                     \
	X(SHUTDOWN_FAILED, "shutdown-failed", 'C')                                                 \
	X(DESTROYED, "destroyed", 'C')                                                             \
	X(DESTROY_FAILED, "destroy-failed", 'C')                                                   \
	X(CLEARED, "cleared", 'C')                                                                 \
	X(CLEAR_FAILED, "clear-failed", 'C')                                                       \
	X(COLLECTED, "collected", 'C')                                                             \
	X(COLLECT_FAILED, "collect-failed", 'C')                                                   \
	X(HANDED_OVER, "handed-over", 'C') /* a new `run` has brought what a start needs */        \
	X(SPAWN_FAILED, "spawn-failed", 'C')                                                       \
	X(RELEASED, "released", 'C')                                                               \
	X(RELEASE_FAILED, "release-failed", 'C')                                                   \
	X(GUEST_APP, "guest-app", 'W')         /* an app's state has changed */                    \
	X(GUEST_RUNNING, "guest-running", 'W') /* all apps are started */                          \
	X(GUEST_STOPPING, "guest-stopping", 'W')                                                   \
	X(GUEST_DONE, "guest-done", 'W')         /* all ended, all codes reported */               \
	X(GUEST_FAILED, "guest-failed", 'W')     /* xenpod-init could not do its work */           \
	X(DOMAIN_STOPPED, "domain-stopped", 'W') /* shut down, still listed: power off, reboot */  \
	X(DOMAIN_CRASHED, "domain-crashed", 'W')                                                   \
	X(DOMAIN_DEAD, "domain-dead", 'W')     /* dying or out of the list */                      \
	X(DOMAIN_PAUSED, "domain-paused", 'W') /* by somebody else */                              \
	X(DOMAIN_RUNS, "domain-runs", 'W')     /* seen to run: unpaused by somebody else */        \
	X(QEMU_GONE, "qemu-gone", 'W')         /* the device model died while the domain lives */  \
	X(QUIET, "quiet", 'W')                 /* rings unmapped, QEMU exited */                   \
	X(HOST_REBOOT, "host-reboot", 'W')     /* another boot: no domain of before is alive */    \
	X(UNWANTED, "unwanted", 'G')           /* a step of the start is done, but a stop came */  \
	X(BOOTS_ON, "boots-on", 'G')           /* runs again, and has not started its apps yet */  \
	X(COLLECTED_FAILED, "collected-failed", 'G') /* collected, and it is a failure */          \
	X(COLLECTED_AGAIN, "collected-again", 'G')   /* collected, and its policy has it back */   \
	X(HELD_BACK, "held-back", 'G') /* its next try is due, but the host shuts down */          \
	X(DEADLINE, "deadline", 'T')

/* Async effects answer with done or failed (names of events); others complete by being done. */
#define POD_EFFECTS(X)                                                                             \
	X(EXPORT, "export", EXPORTED, EXPORT_FAILED)                                               \
	X(NETWORK, "network", NETWORKED, NETWORK_FAILED)                                           \
	X(CREATE, "create", CREATED, CREATE_FAILED)                                                \
	X(WATCH, "watch", NONE, NONE)         /* death event and guest nodes, then a look */       \
	X(GO, "go", UNPAUSED, UNPAUSE_FAILED) /* first unpause */                                  \
	X(PAUSE, "pause", PAUSE_DONE, PAUSE_FAILED)                                                \
	X(RESUME, "resume", RESUME_DONE, RESUME_FAILED)                                            \
	X(READY, "ready", NONE, NONE) /* supervisor-status -> ready, `run` told */                 \
	X(SHUTDOWN, "shutdown", SHUTDOWN_SENT, SHUTDOWN_FAILED)                                    \
	X(DESTROY, "destroy", DESTROYED, DESTROY_FAILED)                                           \
	X(UNMAP, "unmap", NONE, NONE) /* sessions: drain, unmap; answer is QUIET */                \
	X(EVICT, "evict", NONE, NONE) /* SIGKILL to late sessions and QEMU */                      \
	X(CLEAR, "clear", CLEARED, CLEAR_FAILED)                                                   \
	X(COLLECT, "collect", COLLECTED, COLLECT_FAILED) /* codes, readiness, then the lock */     \
	X(UNLOCK, "unlock", NONE, NONE)                  /* what was kept for a next life */       \
	X(SPAWN, "spawn", HANDED_OVER, SPAWN_FAILED)     /* a `run` process for the next life */   \
	X(DISMISS, "dismiss", NONE, NONE) /* one that has not handed the pod over: SIGKILL */      \
	X(TELL, "tell", NONE, NONE)       /* everyone who waits for the end */                     \
	X(RELEASE, "release", RELEASED, RELEASE_FAILED)                                            \
	X(FORGET, "forget", NONE, NONE) /* the row itself */

enum pod_state {
#define X(id, name, word, owns, ms) POD_##id,
	POD_STATES(X)
#undef X
		POD_STATE_MAX_
};

enum pod_event {
	EV_NONE,
#define X(id, name, who) EV_##id,
	POD_EVENTS(X)
#undef X
		EV_MAX_
};

enum pod_effect {
	FX_NONE,
#define X(id, name, done, failed) FX_##id,
	POD_EFFECTS(X)
#undef X
		FX_MAX_
};

/* AGAIN: this life shall end, and the policy decides on a next one. */
enum pod_want { WANT_UP, WANT_DOWN, WANT_AGAIN, WANT_MAX_ };

#define POD_EFFECTS_MAX 4 /* longest ordered list of one turn */

/* What the guard and the deadlines need to know; filled by the engine before each step. */
struct pod_facts {
	enum pod_want want;
	bool failed;        /* the cause of the end is a failure of a start (pod_cause_failed) */
	bool started;       /* all apps were started once: GUEST_RUNNING came */
	int64_t grace_ms;   /* for a graceful stop */
	int deadlines;      /* how often the deadline fired in this state */
	bool again;         /* collected, a next life follows (restart.h) */
	bool closing;       /* the host shuts down: nothing is started */
	int64_t backoff_ms; /* until the next try; 0: it has to wait for START or the next boot */
};

struct pod_update {
	bool listed;          /* false: this state does not answer that event */
	enum pod_event event; /* after the guard */
	enum pod_state next;
	enum pod_effect effects[POD_EFFECTS_MAX]; /* FX_NONE ends the list */
	int64_t deadline_ms; /* from now; 0: none; -1: leave the running one (state unchanged) */
};

/* One step. Never fails: an event that the state does not list leaves everything as it is. */
void pod_step(enum pod_state state, enum pod_event event, const struct pod_facts *facts,
	struct pod_update *ret);

/* The event that really happens, given the facts (no state has conditional rows). */
enum pod_event pod_guard(enum pod_state state, enum pod_event event, const struct pod_facts *facts);

bool pod_state_final(enum pod_state s); /* GONE */
bool pod_state_ended(enum pod_state s); /* EXITED, FAILED and after */
unsigned pod_state_owns(enum pod_state s);
int64_t pod_state_deadline_ms(enum pod_state s);

const char *pod_state_name(enum pod_state s);
const char *pod_state_word(enum pod_state s);
const char *pod_event_name(enum pod_event e);
char pod_event_who(enum pod_event e);
const char *pod_effect_name(enum pod_effect f);
enum pod_event pod_effect_done(enum pod_effect f); /* EV_NONE: synchronous */
enum pod_event pod_effect_failed(enum pod_effect f);
const char *pod_want_name(enum pod_want w);

/* From a name; -1 when there is none. */
int pod_state_from_name(const char *name);
int pod_event_from_name(const char *name);
int pod_effect_from_name(const char *name);
int pod_want_from_name(const char *name);

#endif
