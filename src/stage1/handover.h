/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptors that `run` hands to the supervisor (design, "Trees in", "The lock"): opened here
 * because only this process is in the mount namespace in which stage0 mounted the overlays.
 */
#ifndef STAGE1_HANDOVER_H
#define STAGE1_HANDOVER_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "proto/spec.h"
#include "stage1/poddir.h"
#include "stage1/shared.h"

/* -1: not (or no longer) held. */
struct handover {
	int lock; /* stage0's open file description: only ever closed, never flock'ed */
	int status;
	int kernel;
	int ramdisk;
	int trees[SPEC_MAX_TREES];
	size_t ntrees;
	struct shared made; /* for this pod, and to be undone when it is refused */
};

#define HANDOVER_NONE                                                                              \
	{                                                                                          \
		.lock = -1, .status = -1, .kernel = -1, .ramdisk = -1                              \
	}

/* Takes RKT_LOCK_FD from the environment, close-on-exec at once, and checks that it is the pod's.
 */
int handover_take_lock(struct handover *h, struct err *err);
int handover_open(struct handover *h, const struct poddir *d, struct err *err);
/* Adds the next tree: a clone of the one file system that `fd` is in, from there on. */
int handover_clone(struct handover *h, int fd, struct err *err);

#define HANDOVER_MAX (4 + SPEC_MAX_TREES)
/* What is held: descriptors in the API's order, borrowed, and their names. Returns the number. */
size_t handover_list(const struct handover *h, int ret[HANDOVER_MAX], json_t **ret_names);

void handover_drop_lock(struct handover *h);
/* When the domain is made: all but the status directory. */
void handover_drop_inputs(struct handover *h);
void handover_done(struct handover *h);

/* The pod was refused, nobody else has it: nothing that was made for it stays. */
void handover_undo(struct handover *h);

#endif
