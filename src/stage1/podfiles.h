/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the pod directory that `run` itself writes for rkt and enter (contract 2.2, 2.5). */
#ifndef STAGE1_PODFILES_H
#define STAGE1_PODFILES_H

#include <jansson.h>

#include "base/err.h"
#include "stage1/poddir.h"

/*
 * rkt/env/<app>, the networks' files and last of all `pid` (this process): a reader that sees pid sees
 * the others; and room for each rkt/status/<app>. Relative to the working directory. `nets` is what
 * became of the request's networks (proto/netinfo.h); NULL: it has none.
 */
int podfiles_write(
	const struct poddir *d, const json_t *request, const json_t *nets, struct err *err);

/* Logs what rkt/env/<app> cannot hold. */
void podfiles_warn(const struct poddir *d);

#endif
