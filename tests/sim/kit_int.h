/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the kit share; tests include kit.h. */
#ifndef SIM_KIT_INT_H
#define SIM_KIT_INT_H

#include "kit.h"

#define KIT_BEAT (10 * KIT_S) /* as daemon.c */

/* kit_check.c: as `xenpod start` does it before a next life. */
void kit_forget_codes(const struct kit_pod *kp);
/* kit_loop.c: of engine_hooks. */
void kit_spawn(void *ctx, struct pod *p);
void kit_dismiss(void *ctx, struct pod *p);

/* kit.c */
struct kit_pod *kit_of(struct kit *k, const struct pod *p);
void kit_told(struct kit_pod *kp);
/* The disk is good again, if it is time. */
void kit_mend(struct kit *k);
/* A folder of a test and all that is in it; nothing when it is not there. */
int kit_remove(const char *dir);
/* An effect happens: false when the supervisor is dead and it must not. */
bool kit_effect_begins(struct kit *k);
void kit_effect_ends(struct kit *k);

/* kit_world.c: `inner` with every effect counted and told to the trace; frees it, too. */
struct world *kit_world_new(struct kit *k, struct world *inner);

/* kit_pods.c: what `run` sends with its Accept: descriptors, request, identity. */
struct pod *kit_run_sends(struct kit_pod *kp);

/* kit_check.c */
/* After every step: locks, places, sums. */
void kit_check(struct kit *k);
/* Memory is what is on disk: at any time, but in a transaction. */
void kit_assert_stored(struct kit *k);
void kit_trace_turn(struct kit *k, struct kit_pod *kp, const struct turn_record *t);
void kit_trace_note(struct kit *k, const struct kit_pod *kp, const char *what);

#endif
