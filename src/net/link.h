/* SPDX-License-Identifier: Apache-2.0 */
/* One interface, as rtnetlink tells it, and what can be changed about it. Used inside this room. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/nlsock.h"
#include "proto/ifconf.h"

struct link {
	int index;
	unsigned flags; /* IFF_... */
	unsigned mtu;
	bool ethernet; /* then it has a MAC */
	char name[IF_NAMESIZE];
	uint8_t mac[IFCONF_MAC_LEN];
};

/* ERR_NOTFOUND: there is none of this name. */
int link_get(struct nl_sock *s, const char *name, struct link *ret, struct err *err);

/* All of them; caller frees. */
int link_list(struct nl_sock *s, struct link **ret, size_t *ret_n, struct err *err);

int link_set_up(struct nl_sock *s, const struct link *l, bool up, struct err *err);
/* It must be down. */
int link_set_name(struct nl_sock *s, const struct link *l, const char *name, struct err *err);
int link_set_mtu(struct nl_sock *s, const struct link *l, unsigned mtu, struct err *err);
/* Into the namespace of this descriptor, down, its name kept; ERR_EXISTS when that is taken there. */
int link_set_netns(struct nl_sock *s, const struct link *l, int netns, struct err *err);
/* It gives itself no IPv6 address, and so asks for no router. */
int link_set_no_ipv6(struct nl_sock *s, const struct link *l, struct err *err);

#endif
