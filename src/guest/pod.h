/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's life: all apps started -> running -> the first failure or a request stops all -> output
 * drained -> done, with the code of the first app that failed (contract 1.3, item 9).
 */
#ifndef GUEST_POD_H
#define GUEST_POD_H

#include <stdbool.h>

#include "guest/app.h"
#include "guest/loop.h"
#include "guest/state.h"

#define POD_SYNC_MS     3000  /* the exports' dirty pages; Dom-0 may be slow, or its QEMU dead */
#define POD_POWEROFF_MS 10000 /* the supervisor destroys the domain at `done`: for others */
#define POD_ASKED_MS    2000  /* the same when a power-off was asked for: somebody waits for it */

enum pod_phase {
	POD_STARTING,
	POD_RUNNING,
	POD_STOPPING,
	POD_DRAINING, /* all apps have ended, their output is on its way */
	POD_SYNCING,
	POD_DONE,
};

struct session;

struct pod {
	struct loop *loop;
	const struct podspec *spec;
	struct state *state;
	enum pod_phase phase;
	int code;           /* of the first app that failed, else 0 */
	bool asked;         /* a stop was asked for */
	bool ending_told;   /* to the supervisor */
	int64_t give_up_ms; /* then: when output is waited for no longer */
	bool reboot;        /* as the end, not a power-off */
	struct app *apps;
	size_t n_apps;
	int64_t tasks;           /* what each app may have of processes; 0: no bound */
	struct loop_timer timer; /* grace, stall, sync, power off: one at a time, by phase */
	struct child sync;
	uint64_t sent;            /* bytes of output given to streams clients, ever */
	uint64_t sent_seen;       /* the same at the last stall check */
	struct session *streams;  /* the attached streams client */
	struct loop_timer unread; /* until output is dropped: unread.h */
	bool dropping;
	size_t turn; /* which app's output goes first */
};

/* Mounts every app's root. */
int pod_prepare(struct pod *pod, struct loop *loop, const struct podspec *spec, struct state *state,
	struct err *err);
/* Starts every app. */
void pod_start(struct pod *pod);
/* A stop was asked for; a second one changes nothing but `reboot`. */
void pod_stop(struct pod *pod, bool reboot);
/* Powers off (or reboots), now. Does not return. */
void pod_power_off(bool reboot) __attribute__((noreturn));

/* From app.c: */
void pod_app_started(struct app *app);
void pod_app_ended(struct app *app);
void pod_app_output(struct app *app);
void pod_app_input(struct app *app);
/* From streams.c: the client has come, or gone, or all output was given to it. */
void pod_streams_changed(struct pod *pod);

#endif
