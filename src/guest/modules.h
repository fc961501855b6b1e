/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the kernel modules that the ramdisk brings, in the order of its list. */
#ifndef GUEST_MODULES_H
#define GUEST_MODULES_H

#include "base/err.h"

#define MODULES_LIST "/lib/xenpod/modules" /* one path per line; dist/initrd.sh writes it */

/* A module that is built in or loaded already is fine; any other failure ends the list. */
int modules_load(const char *list, struct err *err);

#endif
