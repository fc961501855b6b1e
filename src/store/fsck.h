/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a store, in words, and repairing it while no supervisor has it. Looks at the file
 * itself: pages, indexes, references, each row, the id beside it. What the rows say about each other
 * and about the world is the caller's.
 */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include <stdbool.h>

#include "base/err.h"

struct store_finding {
	const char *what;   /* one line: what is wrong, where */
	const char *why;    /* what follows from it */
	const char *repair; /* what repairing does, or is to be done; never "" */
	bool repairable;    /* by store_fsck() with `repair` */
	bool repaired;
	bool note; /* nothing is wrong */
};
typedef void (*store_finding_fn)(void *ctx, const struct store_finding *f);

/*
 * Calls `fn` for each finding; *ret_found counts those that are no notes, *ret_left those of them that
 * are still so. Without `repair` nothing is changed, and a supervisor may be at work. With it,
 * ERR_EXISTS when one is. What is taken out is kept: rows in <path>.aside-<UTC time> as SQL that puts
 * them back, a database as <path>.corrupt-<UTC time>.
 * -1: it cannot be examined (ERR_SYSTEM, ERR_DENIED, ERR_NOTFOUND: there is none).
 */
struct store_fsck_result {
	int found, left;
	bool readable; /* rows can be read */
};
int store_fsck(const char *path, bool repair, store_finding_fn fn, void *ctx,
	struct store_fsck_result *ret, struct err *err);

#endif
