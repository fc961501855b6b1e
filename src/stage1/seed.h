/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image has at a mount point becomes the first content of the volume made for it: Docker's
 * rule for data volumes, which rkt follows for images that come from there (contract 3.3).
 */
#ifndef STAGE1_SEED_H
#define STAGE1_SEED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Of all copies for a pod together: an image with one file and many mount points is small. */
struct seed_limits {
	int64_t entries; /* whatever they are, at any depth */
	int64_t bytes;   /* of files' contents; holes are none */
};

/* One for all copies of a pod; begins as {.limits = ...}. */
struct seed {
	const struct seed_limits *limits;
	int64_t entries, bytes; /* so far */
	size_t left_out;        /* sockets, FIFOs and devices that the last copy met */
	int depth;
};

/*
 * Copies what is at `path` in the tree `root` into the empty directory `to`: files, directories and
 * symbolic links with owners, modes and times; the directory's own go to `to`. Links on the way to
 * `path` are resolved inside `root`, those below are copied and never followed. Extended attributes
 * and hard links are not kept, as by rkt.
 * 1: done; 0: nothing is there; ERR_INVALID: it is no directory; ERR_FULL: more than the limits, or
 * than the disk has room for. After an error `to` holds a part.
 */
int seed_copy(struct seed *s, int root, const char *path, int to, struct err *err);

#endif
