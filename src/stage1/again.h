/* SPDX-License-Identifier: Apache-2.0 */
/* Pods with a restart policy at `run`: what is asked for, and outputs that outlive who started it. */
#ifndef STAGE1_AGAIN_H
#define STAGE1_AGAIN_H

#include <jansson.h>
#include <stdbool.h>

#include "stage1/options.h"
#include "stage1/poddir.h"

/* The pod's annotation; refused where it cannot be honoured. */
int again_judge(const struct poddir *d, const struct run_options *o, struct err *err);
/* The request's "restart" (spec.h), when the annotation (which was judged) asks for one. */
void again_set(const struct poddir *d, json_t *request);
/* The supervisor owns the pod: it is nobody's foreground. */
bool again_wanted(const json_t *request);
/*
 * From now on this process' stdout and stderr are the journal's, or nobody's: who has started the pod
 * has gone, or would be kept waiting by its own terminal or pipe.
 */
void again_leave_outputs(void);

#endif
