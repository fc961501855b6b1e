/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the kernel where it would send something. */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include <net/if.h>

#include "base/err.h"

/* In the caller's namespace: the interface by which packets to `ip` (v4 or v6, text) leave. */
int route_interface(const char *ip, char ret_name[IF_NAMESIZE], struct err *err);

#endif
