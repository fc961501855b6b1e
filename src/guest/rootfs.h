/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read and made inside an app's root, where every symbolic link stays inside (base/inroot.h).
 */
#ifndef GUEST_ROOTFS_H
#define GUEST_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

/* stat(2) of what the path leads to; with `nofollow` of a final symbolic link itself. */
int rootfs_stat(int root, const char *path, int nofollow, struct stat *ret);
/* A regular file's whole text, at most `max` bytes; never waits on a FIFO. Caller frees *ret. */
int rootfs_read(int root, const char *path, size_t max, char **ret, struct err *err);
/* Makes the directory when there is nothing (its parent must exist) and opens it, O_PATH. */
int rootfs_make_dir(int root, const char *path, mode_t mode, struct err *err);

/*
 * Where something is to be mounted: opens it, O_PATH. What is missing is made, parents and
 * directories 0755, a file empty; a link that leads to nothing has it made where it points, inside.
 * ERR_INVALID when a file is there and a directory is meant, or the other way round.
 */
int rootfs_make_target(int root, const char *path, bool dir, struct err *err);

#endif
