/* SPDX-License-Identifier: Apache-2.0 */
/* What walk_act.c, walk_check.c and walk_run.c share: one supervisor of one process. */
#ifndef SIM_WALK_INT_H
#define SIM_WALK_INT_H

#include "kit.h"
#include "walk.h"

/* walk_act.c: one step, now. A line that it does not know is a failed test. */
void walk_act(struct kit *k, const char *text);
/* Whoever waits or looks again by itself: `run` and whoever watches it. For kit.poke. */
void walk_poke(struct kit *k);
/* Everything from outside is well again, so that all can come to its end. */
void walk_heal(struct kit *k);
/* The machine was reset under it, and nothing had ended it before that. */
bool walk_rebooted(const struct kit_pod *kp);
/* How often the disk was bad so far. */
int walk_store_errors(void);

/* walk_check.c; for kit.look and kit.effect */
void walk_look(struct kit *k);
void walk_effect(struct kit *k, const char *uuid, const char *verb);
/* Rows of the history so far. */
int64_t walk_turns(void);
/* Before gc: every pod has ended as it should. */
void walk_check_ends(struct kit *k);

#endif
