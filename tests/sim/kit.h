/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor in virtual time: the real engine, sensors, recovery and SQLite on the simulated
 * world; pods with real directories and locks. It can be killed at any commit or effect and be
 * started again. After every step it is checked that no lock is free while its domain can run.
 */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include "daemon/engine.h"
#include "daemon/orphans.h"
#include "daemon/recover.h"
#include "daemon/sensors.h"
#include "sim/sim.h"

#define KIT_PODS 64
#define KIT_S    INT64_C(1000000000)

/* Where to die: the n-th (from 1) of its kind since kit_crash_at. */
enum kit_point { KIT_NEVER, KIT_BEFORE_COMMIT, KIT_AFTER_COMMIT, KIT_AFTER_EFFECT };

/* A request of a user who asks again until it is acknowledged. */
struct kit_request {
	struct kit *kit;
	bool wanted, sent, acked;
	enum pod_event event;
	enum err_code refused; /* ERR_OK: it was not */
	char why[256];
};

struct kit_pod {
	struct kit *kit;
	char name[8]; /* "a", "b" ... in traces */
	char uuid[UUID_TEXT_SIZE];
	char *dir;
	json_t *request;
	/* What its `run` process holds: until it is told `running` (lock), or the end. */
	int lock_fd;
	bool run_alive;
	int stored_fd; /* systemd's copy (kit_options.fd_store); -1 */
	struct kit_request accept, change, gc;
	enum pod_cause cause_told;
	bool told_end;
	int64_t spawn_at; /* a `run` for the next life hands over then; 0: there is none */
	int start;        /* the number that it, or the `run` that lives, was told */
};

struct kit_options {
	uint64_t seed;
	unsigned jitter;
	int max_starts, max_helpers; /* 0: 4 */
	bool powers_off, reuse_domids;
	bool fd_store; /* under systemd */
};

struct kit {
	struct kit_options opt;
	char dir[64];
	char records[80];
	char boot_id[40];
	struct sim *sim;
	struct store *store;
	struct world *inner, *world;
	struct engine *engine;
	struct sensors *sensors;
	struct recovery *recovery;
	struct orphans *orphans;
	struct kit_pod pod[KIT_PODS];
	size_t npods;
	bool open, world_up, dead;
	int starts, boots;
	int64_t next_beat, beats, reconnect_at;
	int64_t wall_offset, began;
	enum kit_point point;
	int64_t at, commits, effects;
	bool orphan_runs; /* a domain that is not the pod's may run when its lock is free */
	bool clear_fails; /* exports may outlive their pod until gc */
	void (*told)(const struct turn_record *t); /* of each turn; NULL: nobody */
	bool reboot_wanted;                        /* by a poke, which cannot do it itself */
	int fail_spawns;  /* so many `run` for a next life end before they hand over */
	int fail_commits; /* so many commits fail with "disk full" */
	/* The disk is bad until then (0: it is not); after that `mend` is called, once. */
	int64_t mend_at;
	void (*mend)(struct kit *k);
	bool in_commit; /* between store_begin and its end */
	/* Looks of a test's own: after every step; before a helper is told to do something. */
	void (*look)(struct kit *k);
	void (*effect)(struct kit *k, const char *uuid, const char *verb);
	/* Called whenever the engine has nothing more to do at a moment; a scenario's operator. */
	void (*poke)(struct kit *k);
	int poked;
	FILE *trace;
	char *trace_text;
	size_t trace_len;
};

void kit_init(struct kit *k, const struct kit_options *opt);
/* Ends everything and removes the files, without any check. */
void kit_done(struct kit *k);

/* ---- pods ------------------------------------------------------------------------------------ */

/*
 * A new pod and its `run` process; one app per text: what the simulated app does ("exit 3 after
 * 2s"; sim/behaviour.c). Ends with NULL. The name is the next letter.
 */
struct kit_pod *kit_accept(struct kit *k, ...) __attribute__((sentinel));
/* The pod asks for a network, and for a port of the host that leads to it unless that is 0. */
void kit_network(struct kit_pod *kp, int host_port);
/* `limit` short lives, 0: any number. */
void kit_restart(struct kit_pod *kp, enum pod_policy policy, int limit);
struct pod *kit_find(const struct kit_pod *kp); /* NULL: the engine does not know it (any more) */
/* Sends a request (again) until it is on disk or refused. */
void kit_ask(struct kit_pod *kp, enum pod_event event);
/* What an event without a request does: posted once. */
void kit_post(struct kit_pod *kp, enum pod_event event, enum pod_cause cause);
void kit_operator(struct kit_pod *kp, enum sim_verb verb);
/* `run` gets SIGKILL. */
void kit_kill_run(struct kit_pod *kp);

/* ---- time ------------------------------------------------------------------------------------ */

void kit_run_for(struct kit *k, int64_t ms);
/* Until the pod is in the state; a failed test when it takes more than an hour. */
void kit_until(struct kit_pod *kp, enum pod_state state);
/* Until nothing is under way any more; a failed test when that takes more than two hours. */
void kit_rest(struct kit *k);

/* ---- deaths ---------------------------------------------------------------------------------- */

void kit_crash(struct kit *k); /* xenpodd: SIGKILL */
void kit_start(struct kit *k);
/* Its database is removed as it dies; it starts again 200 ms later. */
void kit_lose(struct kit *k);
void kit_reboot(struct kit *k);
/* Dies there, and starts again 200 ms later; counters start from nothing. */
void kit_crash_at(struct kit *k, enum kit_point point, int64_t n);

/* ---- checks ---------------------------------------------------------------------------------- */

/* What happened since the last call must be this text. */
void kit_assert_trace(struct kit *k, const char *want);
/* This text, and behind it the pod's end without any fault, from its destroy at that moment on. */
void kit_assert_trace_end(const struct kit_pod *kp, int64_t destroy_ms, const char *want);
void kit_drop_trace(struct kit *k);
void kit_print_trace(struct kit *k);
void kit_assert_ended(
	const struct kit_pod *kp, enum pod_state state, enum pod_cause cause, int64_t code);
/* What rkt reads of an app: its code, -1 when there is no file. */
int kit_code_file(const struct kit_pod *kp, const char *app);
/* At rest: memory equals store, nothing in the outbox, ledger as the states say, codes on disk. */
void kit_assert_consistent(struct kit *k);
/* Removes every pod that has ended by gc and checks that nothing of anything is left. */
void kit_finish(struct kit *k);

#endif
