/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `enter` once it knows what to run: a command in the domain with this process' stdin, stdout,
 * stderr and signals, from the first connection to the command's or the pod's end.
 */
#ifndef STAGE1_VISIT_H
#define STAGE1_VISIT_H

#include <jansson.h>

#include "base/err.h"

struct visit_plan {
	const char *uuid;
	const char *app; /* NULL: the init's own root */
	json_t *argv;    /* ["..."], borrowed */
	json_t *env;     /* ["K=V"], borrowed */
};

/*
 * 0: *ret_status is the command's exit status, or *ret_signo the signal that killed it (else 0).
 * -1: it could not be run, or the pod ended first. The terminal is as it was.
 */
int visit_run(const struct visit_plan *plan, int *ret_status, int *ret_signo, struct err *err);

#endif
