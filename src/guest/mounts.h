/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of the guest and of each app's root (contract 3.5). */
#ifndef GUEST_MOUNTS_H
#define GUEST_MOUNTS_H

#include "base/err.h"
#include "guest/podspec.h"

/* /proc, /sys, cgroups, /dev with pts and shm, /run. Before anything else is done. */
int mounts_base(struct err *err);

/* The app's file systems (appfs.h) from the domain's 9p exports. Call it for one app at a time. */
int mounts_app(const struct podspec_app *app, int *ret_root, struct err *err);

#endif
