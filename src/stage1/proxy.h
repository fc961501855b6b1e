/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `run` after everything was read: hands the pod to the supervisor and stays as its proxy in the
 * foreground: output, signals, exit status, through restarts of the supervisor.
 */
#ifndef STAGE1_PROXY_H
#define STAGE1_PROXY_H

#include <jansson.h>

#include "base/err.h"
#include "stage1/handover.h"
#include "stage1/poddir.h"

/*
 * Runs the pod to its end. `request` lacks its "fds"; `h` is consumed. 0 and the exit status; does
 * not return when the pod was stopped by force (this process then ends by SIGKILL, as rkt expects).
 * -1: the pod was not accepted, nothing is left behind.
 */
int proxy_run(const json_t *request, struct handover *h, const struct poddir *d, int *ret_status,
	struct err *err);

#endif
