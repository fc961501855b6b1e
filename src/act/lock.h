/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's helper lock: one xenpod-act per pod at a time, and recovery can wait for the one that a
 * dead xenpodd left behind (design, "Identity"). Not the lock that rkt reads.
 */
#ifndef ACT_LOCK_H
#define ACT_LOCK_H

#include "base/err.h"

#define LOCK_WAIT_MS 10000

/*
 * Takes flock(LOCK_EX) on `path`, made where it is missing; ERR_TIMEOUT after LOCK_WAIT_MS. The
 * file may be unlinked by its holder (lock_remove): what was locked is compared with what is there.
 * Returns the descriptor (O_CLOEXEC): the lock lives as long as it, -1.
 */
int lock_take(const char *path, struct err *err);

#endif
