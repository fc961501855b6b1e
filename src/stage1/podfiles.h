/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the pod directory that `run` itself writes for rkt and enter (contract 2.2, 2.5). */
#ifndef STAGE1_PODFILES_H
#define STAGE1_PODFILES_H

#include "base/err.h"
#include "stage1/poddir.h"

/*
 * rkt/env/<app>, net-info.json and last of all `pid` (this process): a reader that sees pid sees
 * the others; and room for each rkt/status/<app>. Relative to the working directory.
 */
int podfiles_write(const struct poddir *d, struct err *err);

/* Logs what rkt/env/<app> cannot hold. */
void podfiles_warn(const struct poddir *d);

#endif
