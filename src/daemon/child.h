/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helper processes: started with a frame socket as fd 3, everything else closed, and watched by
 * pidfd.
 */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include <sys/types.h>

#include "base/err.h"
#include "daemon/loop.h"

struct child {
	pid_t pid;
	int pidfd;
	int sock; /* our end, non-blocking */
};

/* Starts `argv` (NULL-terminated, absolute path first). */
int child_start(const char *const *argv, struct child *ret, struct err *err);
/* Reaps after the pidfd became readable: exit code, or 128 + signal. */
int child_reap(struct child *c);
void child_kill(const struct child *c);
/* Closes descriptors; the process must have been reaped. */
void child_done(struct child *c);

/* A process that is not our child, held by pidfd: -1 when it is gone or its start time differs. */
int process_open(int64_t pid, int64_t start, int64_t *ret_start);
/* Start time in clock ticks since boot (proc(5), stat field 22); -1: no such process. */
int64_t process_start_time(int64_t pid);

#endif
