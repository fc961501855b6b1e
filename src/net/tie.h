/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain's vif as the far end of the interface that a CNI plugin made: both are in the pod's
 * network namespace, and tc hands every frame that one receives to the other to send, before the
 * namespace's own network stack sees it.
 */
#ifndef NET_TIE_H
#define NET_TIE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct tie {
	const char *vif; /* names in the namespace */
	const char *cni;
	/* A daemon on the host renews the lease: what comes for UDP port 68 stays on the interface. */
	bool dhcp;
	/*
	 * NULL, or the guest's ifconf. Then only frames leave the guest that come from its MAC and, by
	 * protocol, from its own addresses: IPv4; ARP's sender; IPv6, with the link-local address of the
	 * MAC, with :: while it looks for duplicates, and without claims for others' addresses or to be
	 * a router. What is neither of these, or has a VLAN's tag, is dropped. With `dhcp` a client's
	 * questions (0.0.0.0, port 68 to 67) pass as well.
	 */
	const json_t *guard;
};

/*
 * Moves `name` from the caller's namespace into `netns` (a descriptor), where it is called `as`. Done
 * already, or half: ends the same. ERR_NOTFOUND when it is in neither.
 */
int tie_move(const char *name, int netns, const char *as, struct err *err);

/*
 * Ties the two: the vif gets the other's MTU and no IPv6 address of its own, both are up, frames go
 * both ways. Whatever part was done before is done again and ends the same. Nothing unties them:
 * interfaces go, and tc's rules with them.
 */
int tie_make(int netns, const struct tie *t, struct err *err);

#endif
