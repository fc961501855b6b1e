/* SPDX-License-Identifier: Apache-2.0 */
/* PID 1 reaps everybody; the children that somebody waits for are registered here. */
#ifndef GUEST_CHILD_H
#define GUEST_CHILD_H

#include <sys/types.h>

struct child {
	struct child *next;
	pid_t pid; /* 0: not running. Reaped only by us, so it cannot be another process's */
	void (*fn)(struct child *child, int status);
};

void child_add(struct child *child, pid_t pid);
/* Reaps all that have ended, in the order the kernel gives them; orphans are forgotten. */
void child_reap(void);
/* kill(2) unless it has ended. */
void child_signal(const struct child *child, int signo);

#endif
