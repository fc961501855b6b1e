/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor does about its store beside writing turns: old rows, damage, and telling of it. */
#ifndef DAEMON_STORECARE_H
#define DAEMON_STORECARE_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/worker.h"
#include "store/store.h"

/* Removes old history; to be called once an hour. */
void storecare_prune(struct store *s);
/* SQLite has met damage: says so, and has the next opening look closely. The supervisor ends then. */
bool storecare_damaged(struct store *s);
/* Folding the log on the worker's thread; {0} at first, lives as long as the worker. */
struct storecare_fold {
	bool busy;
	int failed_at; /* pages when the last try failed; 0: it did not */
};
/* To be called after each commit. Without a worker (NULL) it is done at once. */
void storecare_fold(struct storecare_fold *f, struct store *s, struct worker *w);

/* {at, why, kept, pending} of a loss (store_loss()), null when there was none; new reference. */
json_t *storecare_loss(const struct store *s);
/* {oldest, newest} of the history's numbers, null when they cannot be read; new reference. */
json_t *storecare_history(struct store *s);

#endif
