/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of a host volume, opened once: what is looked at is what is cloned, whatever happens
 * to its path meanwhile.
 */
#ifndef STAGE1_SOURCE_H
#define STAGE1_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "appc/volume.h"
#include "base/err.h"

/* What one 9p export can hold: a directory of one file system, or a file. */
struct source_part {
	int fd;    /* O_PATH */
	char *rel; /* below the source; "" is the source itself */
};

/* {0} is valid and empty. */
struct source {
	struct source_part *part; /* part[0] is the source itself */
	size_t n;
	bool is_file;
};

/*
 * Opens it and, when the volume is recursive, each file system that is mounted and visible below.
 * Refused: what no 9p export can carry (sockets, FIFOs, devices; below a source: mounted files).
 */
int source_open(const struct appc_volume *v, struct source *ret, struct err *err);
void source_done(struct source *s);

/* Is `dir` in what it gives, or is a part of it inside `dir`? `dir` is absolute and clean. */
bool source_overlaps(const struct source *s, const char *dir);

#endif
