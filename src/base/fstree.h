/* SPDX-License-Identifier: Apache-2.0 */
/* Removing trees that a guest or an image has filled: nothing in them is trusted. */
#ifndef BASE_FSTREE_H
#define BASE_FSTREE_H

#include "base/err.h"

/*
 * Removes `name` below `dirfd`, file or tree, at any depth, following no symlink. Never enters
 * another file system: what is mounted inside is somebody's data, so that is ERR_STATE with the
 * path and the rest is left. Absent is fine.
 */
int fstree_remove_at(int dirfd, const char *name, struct err *err);

#endif
