/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarded ports of the host as the request has them (spec.h, "ports"): when two are the same. */
#ifndef PROTO_HOSTPORT_H
#define PROTO_HOSTPORT_H

#include <jansson.h>
#include <stdbool.h>

/* Every address of the host is meant. */
bool hostport_is_any(const char *ip);

/*
 * Contract 5.5: same protocol and number, and either address is any or both are equal. Addresses are
 * texts in the one form that inet_ntop(3) gives them.
 */
bool hostport_meet(const json_t *a, const json_t *b);

#endif
