/* SPDX-License-Identifier: Apache-2.0 */
/* A request's "network" (proto/spec.h) as the effectors use it, and its namespace's name. */
#ifndef ACT_NETPLAN_H
#define ACT_NETPLAN_H

#include <stdint.h>

#include "base/uuid.h"
#include "cni/chain.h"
#include "proto/spec.h"

#define NETPLAN_NETNS "xenpod-%s" /* of a pod's UUID, below NETNS_DIR */

struct netplan {
	char netns[UUID_TEXT_SIZE + 8]; /* NETPLAN_NETNS */
	char path[UUID_TEXT_SIZE + 32]; /* of it */
	const char *uuid;               /* borrowed */
	struct cni_net net[SPEC_MAX_NETS];
	size_t n;
	const char *dirs[SPEC_MAX_DIRS + 1]; /* borrowed from the request */
	int64_t until;                       /* clock_ms(): all of it together */
};

/* ERR_INVALID names what is wrong. `network` must outlive *ret. */
int netplan_read(const char *uuid, const json_t *network, struct netplan *ret, struct err *err);
/* All of the time again. */
void netplan_restart(struct netplan *p);
void netplan_done(struct netplan *p);
#define _cleanup_netplan_ __attribute__((cleanup(netplan_done)))

/* What a network is attached to, with the time that it may take of what is left for `rest` networks. */
struct cni_attach netplan_attach(const struct netplan *p, bool has_netns, size_t rest);

#endif
