/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's interfaces. */
#ifndef GUEST_NET_H
#define GUEST_NET_H

#include <jansson.h>

#include "base/err.h"

/* Loopback, and each of `net` (proto/ifconf.h; NULL: none) as its configuration says. */
int net_up(const json_t *net, struct err *err);

#endif
