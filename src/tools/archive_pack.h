/* SPDX-License-Identifier: Apache-2.0 */
/* Packs an unpacked image directory as an uncompressed tar; the inner half of archive.h. */
#ifndef TOOLS_ARCHIVE_PACK_H
#define TOOLS_ARCHIVE_PACK_H

#include "base/err.h"

/*
 * Writes `manifest` and `rootfs` below `dir` to `fd`, in name order: the same tree gives the same
 * bytes. Sockets are left out. ERR_UNAVAILABLE when the reader of a pipe has gone.
 */
int archive_pack(const char *dir, int fd, struct err *err);

/*
 * A text (hex) that changes when anything in the image directory, or the one archive file, does;
 * made without reading contents. "" when it was changed so lately that it could change again
 * unseen: then nothing may be remembered by it.
 */
int archive_fingerprint(const char *path, char ret[65], struct err *err);

#endif
