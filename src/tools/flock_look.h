/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a pod directory's lock, asked without taking it: others may be about to. */
#ifndef TOOLS_FLOCK_LOOK_H
#define TOOLS_FLOCK_LOOK_H

#include <stdbool.h>
#include <sys/types.h>

enum flock_state {
	FLOCK_UNKNOWN, /* we may not look */
	FLOCK_MISSING, /* there is no such directory */
	FLOCK_FREE,
	FLOCK_HELD,
};

/*
 * Of the directory at `path`. *ret_holder: the process that has taken the lock, 0 when it is not known; the lock
 * may have been handed on since. `expected`: it should be held. "Free" is then confirmed by trying, because a
 * lock taken in another PID namespace is not listed.
 */
enum flock_state flock_look(const char *path, bool expected, pid_t *ret_holder);

#endif
