/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Isolators, event handlers and the --disable-* flags made into the members of an app in the spec
 * (proto/spec.h): caps, no_new_privileges, seccomp, oom_score_adj, cpu_shares, memory_bytes,
 * cpu_milli, protect, pre_start, post_stop, notify. Contract 3.2, 3.4.
 */
#ifndef STAGE1_ISOLATORS_H
#define STAGE1_ISOLATORS_H

#include <jansson.h>

#include "base/err.h"
#include "stage1/options.h"
#include "stage1/poddir.h"

/* Of an image: the app tells by sd_notify(3) when it is ready. */
#define ANNOTATION_NOTIFY "appc.io/executor/supports-systemd-notify"

/*
 * Sets the members of `app`. `filters` is the spec's array: an app's program is put there unless it
 * is there already. ERR_INVALID names the app and what of its isolators is wrong.
 */
int isolators_set(json_t *app, const struct poddir_app *a, const struct run_options *o,
	json_t *filters, struct err *err);

#endif
