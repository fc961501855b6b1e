/* SPDX-License-Identifier: Apache-2.0 */
/* Pods for the benchmarks: their rows as a life leaves them, their directories as rkt makes them. */
#ifndef BENCH_PODS_H
#define BENCH_PODS_H

#include <stdint.h>

#include "base/uuid.h"
#include "store/store.h"

/* The n-th pod's UUID. */
void bench_uuid(uint64_t n, char ret[UUID_TEXT_SIZE]);
/* Its directory below `dir`; caller frees. */
char *bench_pod_dir(const char *dir, const char *uuid);
/*
 * Its rows, within a transaction: a pod of one app in that state (running, exited; mixed:
 * one in ten runs), with the history
 * and the ledger of a whole start. Those that have not ended get domain n + 1.
 */
int bench_rows(struct store *s, const char *dir, uint64_t n, const char *state, const char *boot_id,
	struct err *err);
/* Its directory, with what `run` has prepared in it. */
int bench_dir(const char *dir, const char *uuid, struct err *err);

#endif
