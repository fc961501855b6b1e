/* SPDX-License-Identifier: Apache-2.0 */
/* What one archive entry may be: the checks of archive_unpack, kept apart so that tests reach them.
 */
#ifndef TOOLS_ARCHIVE_ENTRY_H
#define TOOLS_ARCHIVE_ENTRY_H

#include <archive_entry.h>

#include "base/err.h"

enum entry_verdict {
	ENTRY_TAKE,
	ENTRY_SKIP, /* the archive's own ".", or a node in rootfs/dev */
};

/*
 * Normalises an entry's path: "./" and doubled slashes go. ERR_INVALID for absolute paths, "..",
 * too deep or too long ones. *ret is malloc'ed and may be "." only.
 */
int entry_path(const char *raw, char **ret, struct err *err);

/*
 * Judges `e` and, when it is taken, gives it its normalised path and link target and removes the
 * attributes that must not reach the host's file system. Looks at the current directory for what
 * is there already: that is the directory which is unpacked into.
 */
int entry_check(struct archive_entry *e, enum entry_verdict *ret, struct err *err);

#endif
