/* SPDX-License-Identifier: Apache-2.0 */
/* What fsck.c and repair.c share; nobody else includes it. */
#ifndef STORE_FSCK_INT_H
#define STORE_FSCK_INT_H

#include "store/fsck.h"
#include "store/priv.h"

struct fsck {
	const char *path;
	bool repair;
	store_finding_fn fn;
	void *ctx;
	struct store_fsck_result *ret;
	struct store *s;  /* open while the file is looked at */
	char *aside;      /* where rows go, chosen at the first; NULL */
	int indexes, bad; /* findings of the integrity check: of indexes; of anything else */
};

void fsck_tell(struct fsck *f, struct store_finding *found);

/* ---- repair.c: each says whether it is done; not being able to is told as err and false --------- */

/* Takes the rows out of `table` that `where` names and what depends on them. */
bool repair_rows(struct fsck *f, const char *table, const char *where, struct err *err);
bool repair_indexes(struct fsck *f, struct err *err);
/* Copies what can be read, if all of it can; else puts the file aside. `why`: for the note of the loss. */
bool repair_file(struct fsck *f, const char *why, struct err *err);

#endif
