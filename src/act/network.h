/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's network namespace and what CNI plugins make in it, as a whole: made and given back. */
#ifndef ACT_NETWORK_H
#define ACT_NETWORK_H

#include <jansson.h>

#include "base/err.h"

/*
 * Gives everything back: forwarded ports, DEL of each network in reverse, what a missing plugin would
 * have removed (leftover.h), the namespace. All of it is tried, the first error is reported. Nothing
 * there: done. `nets`: what `network` answered, NULL when that is not known. ERR_STATE: a domain's vif
 * is in the namespace still.
 */
int network_undo(const char *uuid, const json_t *network, const json_t *nets, struct err *err);

#endif
