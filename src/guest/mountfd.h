/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting between descriptors: neither the source nor the target is a path here, so no link of an
 * image or a volume can lead a mount astray between looking and mounting.
 */
#ifndef GUEST_MOUNTFD_H
#define GUEST_MOUNTFD_H

#include <stdint.h>

#include "base/err.h"

/* A new file system on `target`; the rest as mount(2). */
int mountfd_new(
	int target, const char *type, unsigned long flags, const char *options, struct err *err);

/*
 * What `source` is (a directory, or any file) also appears on `target`, above what is mounted there
 * already. Only its own file system, not what is mounted below. `attrs`: MOUNT_ATTR_... to add to
 * those that the source's mount has.
 */
int mountfd_bind(int source, int target, uint64_t attrs, struct err *err);

/* Makes the mount read-only whose root `fd` is; the file system's other mounts are as they were. */
int mountfd_read_only(int fd, struct err *err);

#endif
