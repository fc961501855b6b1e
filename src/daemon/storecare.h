/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor does about its store beside writing turns: old rows, damage, and telling of it. */
#ifndef DAEMON_STORECARE_H
#define DAEMON_STORECARE_H

#include <jansson.h>
#include <stdbool.h>

#include "store/store.h"

/* Removes old history; to be called once an hour. */
void storecare_prune(struct store *s);
/* SQLite has met damage: says so, and has the next opening look closely. The supervisor ends then. */
bool storecare_damaged(struct store *s);
/* {at, why, kept, pending} of a loss (store_loss()), null when there was none; new reference. */
json_t *storecare_loss(const struct store *s);

#endif
