/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What well-known plugins leave on the host for a container, for the day on which they are gone
 * themselves and cannot be asked to remove it: host-local's leases, and the rules of iptables with
 * which ptp and bridge masquerade. What is in the pod's namespace goes with that.
 */
#ifndef ACT_LEFTOVER_H
#define ACT_LEFTOVER_H

#include "base/err.h"
#include "cni/conf.h"

/* Removes what is there of this pod in this network, nothing of anybody else. */
int leftover_remove(const struct cni_net *net, const char *uuid, struct err *err);

/* One network's leases (below `dir`, host-local's dataDir) of the pod. */
int leftover_leases(const char *dir, const char *network, const char *uuid, struct err *err);

/*
 * Of the nat table as iptables-save(8) prints it: what iptables-restore(8) --noflush has to be told so
 * that the rules with this network's and this pod's comment are gone, and the chains that only they led
 * to. Of this network alone: a plugin that is yet to be asked does not bear that its chain is gone.
 * Caller frees; NULL when there are none.
 */
char *leftover_rules(const char *saved, const char *network, const char *uuid);

#endif
