/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host that lead to pods: no two pods may have the same one (contract 5.5). */
#ifndef DAEMON_PORTS_H
#define DAEMON_PORTS_H

#include "daemon/engine.h"

/*
 * May the new pod have the ports that it asks for? ERR_EXISTS names the port and who has it. A pod has
 * its ports until its domain is gone and they are given back, so until it has left clearing.
 */
int ports_check(struct engine *e, const struct pod *p, struct err *err);

#endif
