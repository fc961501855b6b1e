/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread for file work that must be durable (fsync): the loop never waits for it. Jobs run in
 * the order given; their completions are called back on the loop's thread.
 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include "daemon/loop.h"

struct worker;

struct worker_job {
	void (*work)(struct worker_job *job); /* on the thread */
	void (*done)(struct worker_job *job); /* on the loop; frees the job */
	struct worker_job *next;              /* the worker's */
};

/* Uses the loop's wake callback. */
struct worker *worker_new(struct loop *l);
/* Finishes what was submitted; completions of those jobs are still called. */
void worker_free(struct worker *w);
/* NULL worker: runs work and done at once. */
void worker_submit(struct worker *w, struct worker_job *job);

#endif
