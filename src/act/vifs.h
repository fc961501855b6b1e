/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domain's network devices: one vif for each network, with the MAC of the interface that the CNI
 * plugin made, moved into the pod's namespace and tied to it while the domain is still paused.
 */
#ifndef ACT_VIFS_H
#define ACT_VIFS_H

#include "act/act.h"

/* `nets` of a create request into the configuration. */
int vifs_configure(const json_t *nets, libxl_domain_config *config, struct err *err);
/* After the domain was created. */
int vifs_tie(const struct act *a, uint32_t domid, struct err *err);
/* Into the guest's spec: interfaces, and resolv.conf of the first network that has name servers. */
int vifs_describe(const json_t *request, json_t *spec, struct err *err);

#endif
