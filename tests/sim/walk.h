/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random life of a few pods as a script: lines that a seed draws, that can be printed, read back,
 * and made shorter while what they show persists. walk.c knows nothing of engine or world;
 * walk_run.c carries a script out.
 *
 *   set SETTING VALUE                     before any `at`: see WALK_SETTINGS
 *   at 3.200 pod a net 80 restart always 3 "exit 3 after 2s" "forever"
 *   at 3.200 stop a                       kill, pause, resume, start, gc, run-killed
 *   at 3.500 spawns fail 2                so many `run` for a next life
 *   at 3.600 closing on                   or off: the host shuts down
 *   at 4.000 outside panic a              a SIM_VERBS word (sim.h)
 *   at 4.000 world fault create after 0 times 1 hang     a line of sim_script()
 *   at 5.000 store full after 3 for 1500  or `io`; ms
 *   at 6.000 crash [before-commit|after-commit|after-effect N]
 *   at 7.000 reboot
 */
#ifndef SIM_WALK_H
#define SIM_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define WALK_STEPS 128
#define WALK_PODS  6
#define WALK_TEXT  96

#define WALK_SETTINGS(X)                                                                           \
	X(seed)         /* of the simulated world's latencies */                                   \
	X(jitter)       /* percent */                                                              \
	X(starts)       /* places to start */                                                      \
	X(helpers)      /* at a time */                                                            \
	X(fd_store)     /* 1: systemd keeps the locks */                                           \
	X(powers_off)   /* 1: guests power off, else they halt */                                  \
	X(reuse_domids) /* 1: lowest free number */

struct walk_step {
	int64_t ms; /* from the beginning */
	char text[WALK_TEXT];
};

struct walk {
#define X(name) int64_t name;
	WALK_SETTINGS(X)
#undef X
	size_t n;
	struct walk_step step[WALK_STEPS];
};

void walk_make(struct walk *w, uint64_t seed);
/* As walk_parse reads it; caller frees. */
char *walk_print(const struct walk *w);
/* ERR_INVALID names the line. Times must not go back; what a step says is not looked at. */
int walk_parse(struct walk *ret, const char *text, struct err *err);

/*
 * Delta debugging: drops steps while `fails` says that the rest still does. Asks at most `tries`
 * times. The result cannot lose one more step unless the tries were used up. Returns how often it
 * has asked.
 */
int walk_shrink(
	struct walk *w, bool (*fails)(void *ctx, const struct walk *w), void *ctx, int tries);

/* ---- walk_run.c ------------------------------------------------------------------------------ */

struct walk_result {
	bool failed;
	char *why;   /* the message of the failure, "" when there is none */
	char *said;  /* everything it printed */
	char *trace; /* what happened, with times; the same for the same script */
	int64_t steps, turns, starts, reboots, store_errors;
};

/*
 * Carries the script out in a process of its own, brings everything to its end and checks it.
 * Whatever happens there (a failed check, a sanitizer's word, a crash, no end) is a failed result.
 */
void walk_run(const struct walk *w, struct walk_result *ret);
void walk_result_done(struct walk_result *r);
/* The failure's kind: its message without numbers and names. Shrinking keeps to one kind. */
bool walk_same_failure(const struct walk_result *a, const struct walk_result *b);
/* A failed walk made short; returns the number of runs. `found` is what it failed with. */
int walk_run_shrink(struct walk *w, const struct walk_result *found, int tries);
/*
 * Runs a script and adds to the sums. When it fails: says so on stderr, with what it was drawn from
 * (`name`), the script made short by at most `tries` runs, its trace, and how to do it again.
 */
bool walk_try(const char *name, const struct walk *w, int tries, struct walk_result *sum);

#endif
