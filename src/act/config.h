/* SPDX-License-Identifier: Apache-2.0 */
/* A create request as libxl's domain configuration. Reads the request; does nothing to the world.
 */
#ifndef ACT_CONFIG_H
#define ACT_CONFIG_H

#include "act/act.h"

/*
 * Fills `config` (libxl_domain_config_init() done by the caller, who disposes of it). `kernel` and
 * `ramdisk` are descriptors of this process: libxl is given their /proc/self/fd names, so they
 * must stay open until the domain is built.
 */
int config_make(const struct act *a, struct hv *hv, int kernel, int ramdisk,
	libxl_domain_config *config, struct err *err);

/* Is there memory for it? ERR_FULL says what it needs and what there is. */
int config_check_memory(struct hv *hv, libxl_domain_config *config, struct err *err);

#endif
