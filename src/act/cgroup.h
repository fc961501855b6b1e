/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's cgroup (v2): everything that a pod starts in Dom-0 is in it, so that killing it is the
 * last, idempotent release (design-review item 13).
 */
#ifndef ACT_CGROUP_H
#define ACT_CGROUP_H

#include <stdbool.h>

#include "base/err.h"

/* Makes `dir` where it is missing and moves this process into it. */
int cgroup_join(const char *dir, struct err *err);
/* Are processes in it, or below? No such directory: none. */
int cgroup_populated(const char *dir, bool *ret, struct err *err);
/*
 * Kills all that is in it, waits until it is empty (10 s at most: a process in an uninterruptible
 * wait does not die earlier) and removes it with its children. No such directory: done.
 */
int cgroup_clear(const char *dir, struct err *err);

#endif
