/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work done in a child process, because it chroots or drops rights: its result is a text or an
 * error, as if it had been a function. Idle -> worker_start -> running -> worker_join -> idle.
 */
#ifndef TOOLS_WORKER_H
#define TOOLS_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct worker {
	pid_t pid; /* 0 when idle */
	int fd;    /* where the child's report comes from */
};

/* Returns 0 and, if it likes, a malloc'ed text of less than 4 KiB in *ret; -1 with err set. */
typedef int (*worker_fn)(void *ctx, char **ret, struct err *err);

int worker_start(struct worker *w, worker_fn fn, void *ctx, struct err *err);
/*
 * Waits for the end. *ret (may be NULL) is the child's text, caller frees. A child killed by a
 * signal is ERR_SYSTEM.
 */
int worker_join(struct worker *w, char **ret, struct err *err);
/* Ends all running workers, which makes worker_join return; safe in a signal handler. */
void worker_interrupt(void);
/* worker_start + worker_join. */
int worker_run(worker_fn fn, void *ctx, char **ret, struct err *err);

/*
 * Leaves the calling process (a worker) with nothing but what unpacking files as root takes:
 * chroot to `dirfd`, few capabilities, no new privileges, no descriptor but stdio and keep[0..n).
 */
int worker_confine(int dirfd, const int *keep, size_t n, struct err *err);

#endif
