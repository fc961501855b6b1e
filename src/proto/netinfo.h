/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told of a pod's networks: to people by xenpod-status, to `run` by the supervisor, and by
 * `run` to rkt in net-info.json (contract 5.3).
 */
#ifndef PROTO_NETINFO_H
#define PROTO_NETINFO_H

#include <jansson.h>

/*
 * Of what `network` answered (world.h): [{name, ifname, file, plugin, args?, ip?, mask?, dns?,
 * addresses:["A/len"...]}], in its order; [] for NULL. A new reference.
 */
json_t *netinfo_of(const json_t *nets);

#endif
