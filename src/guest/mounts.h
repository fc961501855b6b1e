/* SPDX-License-Identifier: Apache-2.0 */
/* File systems of the guest and of each app's root (contract 3.5). */
#ifndef GUEST_MOUNTS_H
#define GUEST_MOUNTS_H

#include "base/err.h"
#include "guest/podspec.h"

/* /proc, /sys, cgroups, /dev with pts and shm, /run. Before anything else is done. */
int mounts_base(struct err *err);

/*
 * Mounts the app's 9p export and what an app expects in its root; *ret_root is a descriptor of the
 * root. What the image lacks is made as a directory; nothing else of the image is changed. Logs
 * what a read-only tree does not let us make.
 */
int mounts_app(const struct podspec_app *app, int *ret_root, struct err *err);

#endif
