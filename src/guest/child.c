/* SPDX-License-Identifier: Apache-2.0 */
/* Reaping: see child.h. */
#include "guest/child.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#define REAP_TURN 64 /* orphans of an app that makes them faster must not keep PID 1 here */

/* One list per process, because wait(2) knows only one set of children. */
static struct child *children;

void child_add(struct child *child, pid_t pid)
{
	child->pid = pid;
	child->next = children;
	children = child;
}

static struct child *child_take(pid_t pid)
{
	for (struct child **at = &children; *at; at = &(*at)->next) {
		struct child *c = *at;
		if (c->pid != pid)
			continue;
		*at = c->next;
		c->next = NULL;
		c->pid = 0;
		return c;
	}
	return NULL;
}

void child_reap(void)
{
	int status = 0;
	pid_t pid;
	for (int i = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0; i++) {
		struct child *c = child_take(pid);
		if (c)
			c->fn(c, status);
		if (i < REAP_TURN)
			continue;
		kill(getpid(), SIGCHLD); /* blocked: the loop has its turn before */
		return;
	}
}

void child_signal(const struct child *child, int signo)
{
	if (child->pid > 0)
		kill(child->pid, signo);
}
