/* SPDX-License-Identifier: Apache-2.0 */
/* One app of the pod: started once, its streams kept, its end noted. The policy is pod.c's. */
#ifndef GUEST_APP_H
#define GUEST_APP_H

#include <stdbool.h>

#include "guest/child.h"
#include "guest/launch.h"
#include "guest/pipes.h"
#include "guest/podspec.h"
#include "proto/gstate.h"

#define APP_OUTPUT_MAX (64 * 1024) /* per stream, beside the pipe's own 64 KiB */

struct pod;

struct app {
	struct pod *pod;
	const struct podspec_app *spec;
	size_t index;
	int root; /* descriptor of its root, -1 before it is mounted */
	int cgroup;
	enum gstate_kind kind; /* STARTING, RUNNING, EXITED, KILLED, FAILED */
	int code;
	bool termed; /* we asked it to end */
	struct child child;
	struct launch launch;
	struct output out[2]; /* stdout, stderr */
	struct input in;      /* buf NULL: stdin is /dev/null */
	/* To the streams session, if there is one: */
	bool told_eof[2];
	bool told_end;
};

/* Starts it; a failure is the app's own end (FAILED, 203), told like any other. */
void app_start(struct app *app);
/* TERM to its main process only: what it started is its own affair until it has ended. */
void app_term(struct app *app);
/* KILL to all of it. */
void app_kill(struct app *app);
bool app_ended(const struct app *app);
/* The pod's exit code if this app decides it: 0, its code, or 128 + signal (contract 1.3, 9). */
int app_exit_code(const struct app *app);

#endif
