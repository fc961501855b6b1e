/* SPDX-License-Identifier: Apache-2.0 */
/* Unmounting what is really there: the kernel's own table is asked, nothing is remembered. */
#ifndef ACT_MOUNTS_H
#define ACT_MOUNTS_H

#include "base/err.h"

/*
 * Unmounts all that is mounted on or below `path` (absolute, no symbolic links, nothing that
 * mountinfo escapes), what lies deepest first. What stays busy for 2 s is detached (MNT_DETACH)
 * and counted in *lazy. Nothing there: done.
 */
int mounts_remove(const char *path, int *lazy, struct err *err);

#endif
