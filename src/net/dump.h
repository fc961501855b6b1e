/* SPDX-License-Identifier: Apache-2.0 */
/* What an interface is set to, as the kernel tells it. */
#ifndef NET_DUMP_H
#define NET_DUMP_H

#include <jansson.h>

#include "base/err.h"

/*
 * One interface of the namespace (a descriptor or NETNS_OWN) as a good ifconf (proto/ifconf.h).
 * ERR_NOTFOUND: no such interface. ERR_UNSUPPORTED: it is no Ethernet, or a route through it is of a
 * kind that an ifconf cannot say (several next hops, an encapsulation, a type of service).
 */
int dump_interface(int netns, const char *ifname, json_t **ret, struct err *err);

#endif
