/* SPDX-License-Identifier: Apache-2.0 */
/* The Accept request (proto/spec.h) made of the pod directory and the flags. */
#ifndef STAGE1_REQUEST_H
#define STAGE1_REQUEST_H

#include <jansson.h>

#include "base/err.h"
#include "stage1/options.h"
#include "stage1/poddir.h"

/*
 * The request without its size, volumes and "fds"; `dir` is where the pod directory is now. Checked by
 * spec_check_request's rules but for the descriptors, which the caller adds. Caller decrefs.
 */
int request_make(const struct poddir *d, const struct run_options *o, const char *dir, json_t **ret,
	struct err *err);

/* Sets the domain's size, which depends on the number of trees: when all are described. */
void request_size(const struct poddir *d, json_t *request);

#endif
