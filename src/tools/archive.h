/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image bytes in and out: unpacks an ACI (tar, or tar in gzip, bzip2, xz, zstd) from a descriptor
 * into a directory, safe against whatever the archive holds, and packs a directory the same way.
 * Knows the ACI layout (`manifest`, `rootfs/`), not what a manifest means.
 */
#ifndef TOOLS_ARCHIVE_H
#define TOOLS_ARCHIVE_H

#include <stdint.h>

#include "base/err.h"

#define ARCHIVE_DEPTH_MAX    256
#define ARCHIVE_MANIFEST_MAX (4 << 20)

struct archive_limits {
	int64_t entries;
	int64_t bytes; /* of all files together, unpacked */
};

/*
 * "sha512-" and the first half of the SHA-512 of the uncompressed archive in hex: the image id, cut
 * as rkt's store cuts it (contract 2.1).
 */
#define IMAGE_ID_LEN  (7 + 64)
#define IMAGE_ID_SIZE (IMAGE_ID_LEN + 1)

/*
 * Unpacks what `fd` delivers (a file or a pipe) into the empty directory `dirfd`, in a confined
 * child. Refuses, naming the entry: paths that are absolute, hold "..", or lead through a symlink;
 * hard links out of rootfs; a second entry for one path; device nodes, FIFOs and sockets outside
 * rootfs/dev (inside they are left out: the guest makes its own /dev); anything beside manifest and
 * rootfs; more than `limits`. Keeps owners, modes with setuid, times, user.* attributes and file
 * capabilities; leaves out all other extended attributes (trusted.overlay.* would speak to the
 * host's overlayfs). On error the directory holds rubbish that the caller removes.
 */
int archive_unpack(int fd, int dirfd, const struct archive_limits *limits,
	char ret_id[IMAGE_ID_SIZE], struct err *err);

/*
 * As archive_unpack, but from an unpacked image directory (manifest, rootfs/): packed in name order
 * by one child, unpacked by another, so that both ways in pass the same checks.
 */
int archive_unpack_dir(const char *from, int dirfd, const struct archive_limits *limits,
	char ret_id[IMAGE_ID_SIZE], struct err *err);

#endif
