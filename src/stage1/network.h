/* SPDX-License-Identifier: Apache-2.0 */
/* Which networks the pod gets, found before anything is made (contract 5.1, 5.2, 5.5, 5.6). */
#ifndef STAGE1_NETWORK_H
#define STAGE1_NETWORK_H

#include <jansson.h>

#include "stage1/options.h"
#include "stage1/poddir.h"

/*
 * Sets "net" and "network" of the request (proto/spec.h). `dir` is the pod directory's path. Refused
 * here: a network that is not found, that no domain can have, or whose plugin is missing; a port that
 * cannot be forwarded. Notes on configurations that were passed over go to the log.
 */
int network_plan(const struct poddir *d, const struct run_options *o, const char *dir,
	json_t *request, struct err *err);

#endif
