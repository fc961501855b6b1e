/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One app of the pod: started once, its streams kept, its end noted. The policy is pod.c's.
 *
 * Its programs run one after the other: pre-start, which must succeed, the main process, post-stop.
 * All of them are in its cgroup and under its limits. The handlers are root, without its
 * filter, and with no fewer capabilities than rkt's set (contract 3.2).
 */
#ifndef GUEST_APP_H
#define GUEST_APP_H

#include <stdbool.h>

#include "guest/appio.h"
#include "guest/child.h"
#include "guest/launch.h"
#include "guest/notify.h"
#include "guest/pipes.h"
#include "guest/podspec.h"
#include "proto/gstate.h"

#define APP_OUTPUT_MAX (64 * 1024) /* per stream, beside the pipe's own 64 KiB */

/* What post-stop has at least when the pod's stop has used up the grace: the supervisor's own
 * deadline is 7 s behind it. */
#define APP_POST_STOP_MS 2000

struct pod;

enum app_stage { APP_IDLE, APP_PRE_START, APP_MAIN, APP_POST_STOP, APP_ENDED };

/* How an app has ended: known when its main process has, told when post-stop has, too. */
struct app_end {
	enum gstate_kind kind; /* EXITED, KILLED, OOM, FAILED */
	int code;
	char why[GSTATE_TEXT_MAX + 1]; /* FAILED only */
};

struct app {
	struct pod *pod;
	const struct podspec_app *spec;
	size_t index;
	int root; /* descriptor of its root, -1 before it is mounted */
	int cgroup;
	enum app_stage stage;
	enum gstate_kind kind; /* what is told of it: STARTING, RUNNING, then as `end` */
	int code;
	struct app_end end;
	bool termed;        /* we asked it to end */
	bool killed;        /* we made it end */
	int64_t oom_seen;   /* kills for want of memory in its cgroup before this program */
	struct child child; /* the program that runs of it */
	struct launch launch;
	struct confine confine; /* as the spec has it: of its main process */
	/* Of event handlers: PermissionsStartOnly= spares them the app's own (contract 3.2), rkt's
	 * set is the pod's. */
	struct confine handlers;
	struct notify notify;
	struct loop_timer timer; /* bounds post-stop */
	struct app_stdio stdio;  /* its ends, kept until its last program has been started */
	struct output out[2];    /* stdout, stderr */
	struct input in;         /* buf NULL: stdin is /dev/null */
	bool told_lost[2];       /* logged that output is thrown away */
	/* To the streams session, if there is one: */
	bool told_eof[2];
	bool told_end;
};

/* Everything of it that needs a value other than 0. */
void app_init(struct app *app, struct pod *pod, size_t index);
/* Starts it; a failure is the app's own end (FAILED, 203), told like any other. */
void app_start(struct app *app);
/*
 * TERM to its main process, or to pre-start, after which nothing more is started: what they
 * started is their own affair until they have ended. Post-stop is on its way out already.
 */
void app_term(struct app *app);
/* KILL to all of it. */
void app_kill(struct app *app);
bool app_ended(const struct app *app);
/* The pod's exit code if this app decides it: 0, its code, or 128 + signal (contract 1.3, 9). */
int app_exit_code(const struct app *app);

#endif
