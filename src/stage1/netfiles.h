/* SPDX-License-Identifier: Apache-2.0 */
/* What rkt and people find in the pod directory about its networks (contract 2.2, 5.3, 5.6). */
#ifndef STAGE1_NETFILES_H
#define STAGE1_NETFILES_H

#include <jansson.h>

#include "base/err.h"

/*
 * net-info.json, a copy of each network's configuration below net/, and stage1's rkt-resolv.conf when
 * the pod's name servers are a network's. `nets` as in podfiles.h. Relative to the working directory.
 */
int netfiles_write(const json_t *request, const json_t *nets, struct err *err);

#endif
