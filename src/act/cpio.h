/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the cpio "newc" format that the kernel unpacks as its initramfs (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). Into memory: what we add is small.
 */
#ifndef ACT_CPIO_H
#define ACT_CPIO_H

#include <stddef.h>
#include <sys/types.h>

struct cpio {
	char *data;
	size_t len;
	size_t cap;
	unsigned inode; /* last number given */
};

/* {0} is a valid, empty archive. */
void cpio_done(struct cpio *c);
#define _cleanup_cpio_ __attribute__((cleanup(cpio_done)))

/* `name` is relative to the root, without a leading slash. Owner 0:0, time 0: same in, same out. */
void cpio_add_dir(struct cpio *c, const char *name, mode_t mode);
void cpio_add_file(struct cpio *c, const char *name, mode_t mode, const void *data, size_t len);
/* The trailer; nothing may be added after it. */
void cpio_end(struct cpio *c);

#endif
