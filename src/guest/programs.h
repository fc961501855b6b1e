/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of one app, each started when the one before has ended: pre-start, which must
 * succeed, the main process, post-stop. One at a time, so app->child is the one that runs.
 * Whatever way it goes, pod_app_ended() is called once, when the last of them has ended.
 */
#ifndef GUEST_PROGRAMS_H
#define GUEST_PROGRAMS_H

#include "guest/app.h"

/* Its cgroup and standard streams are there. */
void programs_start(struct app *app);
/* It cannot start, for such a reason: FAILED, 203. */
void programs_failed(struct app *app, const char *why);
/* The pod ends before it was started. */
void programs_forgone(struct app *app);

#endif
