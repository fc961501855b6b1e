/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `xenpod fsck` share. */
#ifndef TOOLS_FSCK_H
#define TOOLS_FSCK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* As fsck(8). */
enum {
	FSCK_CLEAN = 0,
	FSCK_REPAIRED = 1, /* all that was found */
	FSCK_LEFT = 4,     /* something is wrong still */
	FSCK_FAILED = 8,   /* it could not be looked at, or not be repaired now */
	FSCK_USAGE = 16,
};

struct fsck_run {
	const char *state_dir;
	bool repair, json;
	bool supervisor;  /* it answers */
	json_t *findings; /* [{what, why, repair, level: fault|note, repairable, repaired}] */
	int found, left;
};

void fsck_add(struct fsck_run *r, const char *what, const char *why, const char *repair);
void fsck_note(struct fsck_run *r, const char *what, const char *why, const char *repair);

/* fsck_world.c: what the rows, the records and the pod directories say about each other. */
int fsck_pods(struct fsck_run *r, const char *store_path, struct err *err);
/* What the supervisor says of itself and of the world. */
void fsck_supervisor(struct fsck_run *r);

#endif
