/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ramdisk of one pod: the image's base cpio, as it is, and behind it a small cpio with the
 * pod's spec. It lives in a memfd, so nothing of it (specs hold secrets) is left on the host.
 */
#ifndef ACT_RAMDISK_H
#define ACT_RAMDISK_H

#include <stddef.h>

#include "base/err.h"

/* Returns an O_CLOEXEC memfd, or -1. `base` is read from its start; its offset is not used. */
int ramdisk_make(int base, const char *spec, size_t len, struct err *err);

#endif
