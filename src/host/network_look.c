/* SPDX-License-Identifier: Apache-2.0 */
/* What networks a host has already, and which way is out: see network.h. */
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/network.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/nlsock.h"

static void add(struct net_seen *seen, const struct net_route *route)
{
	seen->route = xreallocarray(seen->route, seen->n + 1, sizeof(*seen->route));
	seen->route[seen->n++] = *route;
}

static int read_route(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct net_seen *seen = arg;
	struct nlattr *a[RTA_MAX + 1];
	struct rtmsg head;
	if (!h) {
		seen->n = 0;
		return 0;
	}
	if (h->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlsock_parse(h, sizeof(head), a, RTA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof(head));
	if (head.rtm_family != AF_INET)
		return 0;
	struct net_route r = {.prefix = head.rtm_dst_len,
		.metric = nlsock_u32(a[RTA_PRIORITY], 0),
		.table = nlsock_u32(a[RTA_TABLE], head.rtm_table),
		.unicast = head.rtm_type == RTN_UNICAST};
	if (a[RTA_DST])
		memcpy(r.dst, nla_data(a[RTA_DST]), sizeof(r.dst));
	if (a[RTA_OIF])
		if_indextoname(nla_get_u32(a[RTA_OIF]), r.link);
	add(seen, &r);
	return 0;
}

struct addresses {
	struct net_seen *seen;
	size_t n; /* without them */
};

static int read_addr(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct addresses *to = arg;
	struct nlattr *a[IFA_MAX + 1];
	struct ifaddrmsg head;
	if (!h) {
		to->seen->n = to->n;
		return 0;
	}
	if (h->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (nlsock_parse(h, sizeof(head), a, IFA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof(head));
	if (head.ifa_family != AF_INET || !a[IFA_LOCAL])
		return 0;
	struct net_route r = {.prefix = head.ifa_prefixlen, .unicast = true};
	memcpy(r.dst, nla_data(a[IFA_LOCAL]), sizeof(r.dst));
	if_indextoname(head.ifa_index, r.link);
	add(to->seen, &r);
	return 0;
}

int network_see(struct net_seen *ret, struct err *err)
{
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	struct addresses to = {.seen = ret};
	*ret = (struct net_seen){0};
	if (!s || nlsock_dump(s, RTM_GETROUTE, read_route, ret, err) < 0)
		return -1;
	to.n = ret->n;
	return nlsock_dump(s, RTM_GETADDR, read_addr, &to, err);
}

void network_seen_done(struct net_seen *seen)
{
	free(seen->route);
	*seen = (struct net_seen){0};
}

const char *network_default(const struct net_seen *seen)
{
	const struct net_route *best = NULL;
	for (size_t i = 0; i < seen->n; i++) {
		const struct net_route *r = &seen->route[i];
		if (r->prefix == 0 && r->table == RT_TABLE_MAIN && r->unicast && *r->link &&
			(!best || r->metric < best->metric))
			best = r;
	}
	return best ? best->link : NULL;
}

/* Are the first bits the same? */
static bool agree(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

const struct net_route *network_overlap(
	const struct net_seen *seen, const struct ipaddr *net, const char *bridge)
{
	for (size_t i = 0; i < seen->n; i++) {
		const struct net_route *r = &seen->route[i];
		unsigned bits = r->prefix < net->prefix ? r->prefix : net->prefix;
		if (r->prefix > 0 && r->table != RT_TABLE_LOCAL && strcmp(r->link, bridge) != 0 &&
			agree(r->dst, net->bytes, bits))
			return r;
	}
	return NULL;
}

/* ---- ports of a bridge ------------------------------------------------------------------------------------- */

struct ports {
	unsigned master;
	const char *except;
	char *words;
	size_t n;
};

static int read_port(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct ports *p = arg;
	struct nlattr *a[IFLA_MAX + 1];
	if (!h) {
		p->n = 0;
		*p->words = '\0';
		return 0;
	}
	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (nlsock_parse(h, sizeof(struct ifinfomsg), a, IFLA_MAX, err) < 0)
		return -1;
	const char *name = a[IFLA_IFNAME] ? nla_data(a[IFLA_IFNAME]) : "";
	if (nlsock_u32(a[IFLA_MASTER], 0) != p->master || !strcmp(name, p->except))
		return 0;
	char *words = xasprintf("%s%s%s", p->words, p->n++ ? " " : "", name);
	free(p->words);
	p->words = words;
	return 0;
}

char *network_ports(const char *bridge, const char *except, size_t *ret_n)
{
	struct ports p = {.master = if_nametoindex(bridge), .except = except, .words = xstrdup("")};
	_cleanup_err_ struct err why = {0};
	_cleanup_nlsock_ struct nl_sock *s = p.master ? nlsock_open(NETNS_OWN, &why) : NULL;
	if (s)
		(void)nlsock_dump(s, RTM_GETLINK, read_port, &p, &why);
	*ret_n = p.n;
	return p.words;
}
