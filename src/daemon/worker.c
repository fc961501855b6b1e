/* SPDX-License-Identifier: Apache-2.0 */
/* The file worker's thread and its two queues. */
#include "daemon/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

struct jobs {
	struct worker_job *head, **tail;
};

struct worker {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct jobs todo, finished;
	bool quit;
};

static void push(struct jobs *q, struct worker_job *job)
{
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
}

static struct worker_job *take_all(struct jobs *q)
{
	struct worker_job *all = q->head;
	q->head = NULL;
	q->tail = &q->head;
	return all;
}

static struct worker_job *take_one(struct jobs *q)
{
	struct worker_job *job = q->head;
	q->head = job->next;
	if (!q->head)
		q->tail = &q->head;
	return job;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->todo.head && !w->quit)
			pthread_cond_wait(&w->more, &w->lock);
		if (!w->todo.head)
			break;
		struct worker_job *job = take_one(&w->todo);
		pthread_mutex_unlock(&w->lock);
		job->work(job);
		pthread_mutex_lock(&w->lock);
		push(&w->finished, job);
		loop_wake(w->loop);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void call_back(void *ctx)
{
	struct worker *w = ctx;
	pthread_mutex_lock(&w->lock);
	struct worker_job *job = take_all(&w->finished);
	pthread_mutex_unlock(&w->lock);
	while (job) {
		struct worker_job *next = job->next;
		job->done(job);
		job = next;
	}
}

struct worker *worker_new(struct loop *l)
{
	struct worker *w = xcalloc(1, sizeof *w);
	w->loop = l;
	w->todo.tail = &w->todo.head;
	w->finished.tail = &w->finished.head;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	loop_on_wake(l, call_back, w);
	/* Signals belong to the loop's thread. */
	sigset_t all;
	sigset_t old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&w->thread, NULL, run, w))
		abort(); /* at start, once: no thread means no daemon */
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	call_back(w);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->more);
	free(w);
}

void worker_submit(struct worker *w, struct worker_job *job)
{
	if (!w) {
		job->work(job);
		job->done(job);
		return;
	}
	pthread_mutex_lock(&w->lock);
	push(&w->todo, job);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}
