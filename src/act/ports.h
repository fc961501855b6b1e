/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of the host that lead to a pod (contract 5.5): one nftables table for each pod, "xenpod-<uuid>",
 * made and removed as a whole in one transaction, so nothing of it can be half there or left over. One
 * more, "xenpod", is the host's and stays: it drops what comes for 127.0.0.0/8 from other hosts and pods.
 */
#ifndef ACT_PORTS_H
#define ACT_PORTS_H

#include <jansson.h>

#include "base/err.h"

/*
 * `ports`: spec.h's; `net`: what became of the network they lead to (world.h's nets). A port whose
 * host_ip is of a family in which the pod has no address is ERR_INVALID. Made again, it is replaced.
 */
int ports_open(const char *uuid, const json_t *ports, const json_t *net, struct err *err);
/* Nothing there: done. */
int ports_close(const char *uuid, struct err *err);

#endif
