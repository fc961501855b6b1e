/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this a Dom-0 whose Xen and xenstored can be reached? Asked before libxl is touched, because
 * libxl answers a missing Xen with several lines that name no way out, and because libxenstore
 * falls back to /dev/xen/xenbus, where every request waits for ever when nobody serves it.
 * Needs no Xen library.
 */
#ifndef BASE_XENHOST_H
#define BASE_XENHOST_H

#include "base/err.h"

/* 0, or ERR_UNAVAILABLE (ERR_DENIED without the rights) naming what is missing and the way out. */
int xenhost_check(struct err *err);

#endif
