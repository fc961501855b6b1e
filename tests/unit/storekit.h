/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a directory of their own, sample records, looking into the file. */
#ifndef UNIT_STOREKIT_H
#define UNIT_STOREKIT_H

#include "store/store.h"

#define KIT_UUID "0f8a6e2c-5b1d-4e7f-9a3c-1d2e3f4a5b6c"

/* SQL that takes a store back to the schema before restart policies (0005, 0006). */
#define KIT_WITHOUT_RESTARTS                                                                       \
	"DROP TABLE restarts; DELETE FROM pod_states WHERE name IN ('backoff', 'restarting');"     \
	"DELETE FROM pod_wants WHERE name='again';"                                                \
	"DELETE FROM pod_causes WHERE name IN ('host-shutdown', 'restart-failed', 'record-lost');" \
	"DELETE FROM pod_effects WHERE name IN ('unlock', 'spawn', 'dismiss');"

struct kit {
	char dir[64];
	char path[128];
};

/* A fresh temporary directory; kit_done removes it. */
void kit_init(struct kit *k);
void kit_done(struct kit *k);

/* A pod with every field set to something of its own; strings are literals: not to be freed. */
struct pod_row kit_pod(const char *uuid);
/* Every field. */
void kit_assert_same(const struct pod_row *a, const struct pod_row *b);
/* Nothing but the nth UUID; `ret` has UUID_TEXT_SIZE bytes. */
void kit_uuid(int n, char *ret);

/* One committed turn: inserts the pod when seq is 0, else updates it; adds one history row. */
int kit_turn(struct store *s, const char *uuid, int64_t seq, struct err *err);
/* As kit_turn without begin and commit. */
int kit_write(struct store *s, const char *uuid, int64_t seq, struct err *err);

/* The stored seq, -1 when the pod is not there; and how many history rows it has. */
int64_t kit_seq(struct store *s, const char *uuid);
int64_t kit_history(struct store *s, const char *uuid);

/* Runs SQL on the file behind the store's back. */
void kit_sql(const struct kit *k, const char *sql);
/* A number that changes when a byte of the file does; 0 when there is none or it is
 * empty (an empty log holds nothing). */
uint64_t kit_hash(const char *path);

#endif
