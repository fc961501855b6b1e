/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image has at a mount point becomes the first content of the volume made for it: Docker's
 * rule for data volumes, which rkt follows for images that come from there (contract 3.3).
 */
#ifndef STAGE1_SEED_H
#define STAGE1_SEED_H

#include <stddef.h>

#include "base/err.h"

/*
 * Copies what is at `path` in the tree `root` into the empty directory `to`: files, directories and
 * symbolic links with owners, modes and times; the directory's own go to `to`. Links on the way to
 * `path` are resolved inside `root`, those below are copied and never followed. Extended attributes
 * and hard links are not kept, as by rkt. *ret_left_out: sockets, FIFOs and devices.
 * 1: done; 0: nothing is there; ERR_INVALID: it is no directory.
 */
int seed_copy(int root, const char *path, int to, size_t *ret_left_out, struct err *err);

#endif
