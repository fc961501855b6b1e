/* SPDX-License-Identifier: Apache-2.0 */
/* Sets an interface to what an ifconf says. */
#ifndef NET_APPLY_H
#define NET_APPLY_H

#include <jansson.h>

#include "base/err.h"

/*
 * In the caller's namespace: waits for the interface with the ifconf's MAC, then sets it down, gives
 * it its name (another that has this name gets out of the way), MTU, up, addresses, routes,
 * neighbours. The ifconf is checked first. The error names the interface and what was refused; what
 * was done until then stays, and applying it again is fine.
 */
int apply_interface(const json_t *ifconf, int timeout_ms, struct err *err);

/* Sets the loopback interface up; the kernel gives it its addresses. */
int apply_loopback(struct err *err);

#endif
