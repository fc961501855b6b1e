/* SPDX-License-Identifier: Apache-2.0 */
/* An app's /dev (contract 3.5). */
#ifndef GUEST_APPDEV_H
#define GUEST_APPDEV_H

#include "base/err.h"

/*
 * Mounts a small /dev with the nodes that an app may use on `under`, /dev of the app's root. pts and
 * shm in it are the directories `devpts` and `devshm`.
 */
int appdev_mount(int root, int under, const char *devpts, const char *devshm, struct err *err);

#endif
