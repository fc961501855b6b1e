/* SPDX-License-Identifier: Apache-2.0 */
/* Links, addresses, routes and neighbours of the kernel as JSON: see dump.h. */
#include "net/dump.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "net/link.h"

#ifndef IFA_PROTO /* linux 5.18 */
#define IFA_PROTO 11
#endif

struct dump {
	struct nl_sock *sock;
	struct link link;
	json_t *addresses;
	size_t n_ip4;   /* of these; they come first */
	json_t *onlink; /* routes that need no other */
	json_t *via;    /* routes whose gateway must be reachable already */
	json_t *neighbours;
};

/* ---- attributes -------------------------------------------------------------------------------- */

static bool get_addr(const struct nlattr *a, int family, struct ipaddr *ret)
{
	struct ipaddr r = {.family = family, .len = family == AF_INET ? 4 : 16};
	if (!a || nla_len(a) != (int)r.len)
		return false;
	memcpy(r.bytes, nla_data(a), r.len);
	r.prefix = r.len * 8;
	*ret = r;
	return true;
}

static void put_addr(json_t *o, const char *member, const struct ipaddr *a)
{
	char text[IFCONF_ADDR_TEXT];
	ifconf_addr_text(a, text);
	json_object_set_new(o, member, json_string(text));
}

static void put_prefix(json_t *o, const char *member, const struct ipaddr *a)
{
	char text[IFCONF_ADDR_TEXT];
	ifconf_prefix_text(a, text);
	json_object_set_new(o, member, json_string(text));
}

static const char *scope_name(unsigned scope)
{
	if (scope == RT_SCOPE_LINK)
		return "link";
	return scope == RT_SCOPE_HOST ? "host" : "global";
}

static bool is_ip(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool is_link_local(const struct ipaddr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* ---- addresses --------------------------------------------------------------------------------- */

/* What the guest's kernel makes as well: of its MAC, or of what a router says (those have an end). */
static bool is_kernels_own(const struct dump *d, const struct ipaddr *a, uint32_t flags, int proto)
{
	struct ipaddr own = ifconf_link_local(d->link.mac);
	if (a->family != AF_INET6)
		return false;
	if (is_link_local(a) &&
		(proto == IFAPROT_KERNEL_LL || memcmp(a->bytes, own.bytes, 16) == 0))
		return true;
	return !(flags & IFA_F_PERMANENT);
}

static void add_address(struct dump *d, const struct ifaddrmsg *head, struct nlattr **a)
{
	struct ipaddr local;
	struct ipaddr other;
	int proto = a[IFA_PROTO] && nla_len(a[IFA_PROTO]) >= 1 ? nla_get_u8(a[IFA_PROTO]) : 0;
	bool has_other = get_addr(a[IFA_ADDRESS], head->ifa_family, &other);
	/* IPv6 has no IFA_LOCAL unless there is a peer; IPv4 always has, and IFA_ADDRESS is the peer. */
	if (!get_addr(a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS], head->ifa_family, &local))
		return;
	if (is_kernels_own(d, &local, nlsock_u32(a[IFA_FLAGS], head->ifa_flags), proto))
		return;
	local.prefix = head->ifa_prefixlen;
	json_t *o = json_object();
	put_prefix(o, "local", &local);
	if (has_other && memcmp(other.bytes, local.bytes, local.len) != 0)
		put_addr(o, "peer", &other);
	if (get_addr(a[IFA_BROADCAST], head->ifa_family, &other))
		put_addr(o, "broadcast", &other);
	json_object_set_new(o, "scope", json_string(scope_name(head->ifa_scope)));
	/* The kernel puts IPv4 addresses behind those of their scope, IPv6 addresses before. */
	if (local.family == AF_INET)
		json_array_insert_new(d->addresses, d->n_ip4++, o);
	else
		json_array_insert_new(d->addresses, d->n_ip4, o);
}

static int on_address(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct dump *d = arg;
	struct nlattr *a[IFA_PROTO + 1];
	struct ifaddrmsg head;
	if (!h) {
		d->n_ip4 = 0;
		return json_array_clear(d->addresses);
	}
	if (h->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (nlsock_parse(h, sizeof head, a, IFA_PROTO, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof head);
	if ((int)head.ifa_index == d->link.index && is_ip(head.ifa_family))
		add_address(d, &head, a);
	return 0;
}

/* ---- routes ------------------------------------------------------------------------------------ */

static int refuse(const struct dump *d, const struct ipaddr *dst, const char *why, struct err *err)
{
	char text[IFCONF_ADDR_TEXT];
	ifconf_prefix_text(dst, text);
	return err_set(err, ERR_UNSUPPORTED,
		"the route to %s through %s %s, which cannot be given to a domain", text,
		d->link.name, why);
}

/* A next hop of another family: struct rtvia, the family and then the address (RFC 5549). */
static bool get_via(struct nlattr **a, int family, struct ipaddr *ret)
{
	struct rtvia via;
	if (get_addr(a[RTA_GATEWAY], family, ret))
		return true;
	if (!a[RTA_VIA] || nla_len(a[RTA_VIA]) != (int)sizeof via + 16)
		return false;
	memcpy(&via, nla_data(a[RTA_VIA]), sizeof via);
	*ret = (struct ipaddr){.family = AF_INET6, .len = 16, .prefix = 128};
	memcpy(ret->bytes, (char *)nla_data(a[RTA_VIA]) + sizeof via, 16);
	return via.rtvia_family == AF_INET6;
}

static uint32_t mtu_of(struct nlattr *metrics)
{
	struct nlattr *m[RTAX_MAX + 1];
	if (!metrics || nla_parse_nested(m, RTAX_MAX, metrics, NULL) < 0)
		return 0;
	return nlsock_u32(m[RTAX_MTU], 0);
}

/* "default" where that alone says of which family it is, see ifconf_parse_dst(). */
static void put_dst(json_t *o, const struct ipaddr *dst)
{
	struct ipaddr read;
	json_object_set_new(o, "dst", json_string("default"));
	if (dst->prefix > 0 || ifconf_parse_dst(o, &read) < 0 || read.family != dst->family)
		put_prefix(o, "dst", dst);
}

static int add_route(
	struct dump *d, const struct rtmsg *head, struct nlattr **a, struct ipaddr *dst)
{
	struct ipaddr other;
	uint32_t metric = nlsock_u32(a[RTA_PRIORITY], 0);
	uint32_t mtu = mtu_of(a[RTA_METRICS]);
	bool gateway = get_via(a, head->rtm_family, &other);
	json_t *o = json_object();
	if (gateway)
		put_addr(o, "via", &other);
	json_object_set_new(o, "scope", json_string(scope_name(head->rtm_scope)));
	if (get_addr(a[RTA_PREFSRC], head->rtm_family, &other))
		put_addr(o, "src", &other);
	if (metric)
		json_object_set_new(o, "metric", json_integer(metric));
	if (head->rtm_flags & RTNH_F_ONLINK)
		json_object_set_new(o, "onlink", json_true());
	if (mtu)
		json_object_set_new(o, "mtu", json_integer(mtu));
	put_dst(o, dst);
	return json_array_append_new(gateway ? d->via : d->onlink, o);
}

/* The interface is among the next hops of a multipath route. */
static bool is_hop(const struct nlattr *a, int index)
{
	const struct rtnexthop *hop = nla_data(a);
	int left = nla_len(a);
	while (left >= (int)sizeof *hop && hop->rtnh_len >= sizeof *hop && hop->rtnh_len <= left) {
		if (hop->rtnh_ifindex == index)
			return true;
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		hop = (const void *)((const char *)hop + RTNH_ALIGN(hop->rtnh_len));
	}
	return false;
}

/*
 * Routes of the table main through the interface, but for those that kernels make for link-local
 * addresses and on a router's word.
 */
static bool is_ours(const struct dump *d, const struct rtmsg *head, struct nlattr **a)
{
	if (!is_ip(head->rtm_family) || head->rtm_type != RTN_UNICAST ||
		head->rtm_flags & RTM_F_CLONED || head->rtm_protocol == RTPROT_RA ||
		nlsock_u32(a[RTA_TABLE], head->rtm_table) != RT_TABLE_MAIN)
		return false;
	if (a[RTA_MULTIPATH])
		return is_hop(a[RTA_MULTIPATH], d->link.index);
	return (int)nlsock_u32(a[RTA_OIF], 0) == d->link.index;
}

static int on_route(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct dump *d = arg;
	struct nlattr *a[RTA_MAX + 1];
	struct rtmsg head;
	struct ipaddr dst = {0};
	if (!h)
		return json_array_clear(d->onlink) < 0 ? -1 : json_array_clear(d->via);
	if (h->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlsock_parse(h, sizeof head, a, RTA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof head);
	if (!is_ours(d, &head, a))
		return 0;
	if (!get_addr(a[RTA_DST], head.rtm_family, &dst))
		dst = (struct ipaddr){
			.family = head.rtm_family, .len = head.rtm_family == AF_INET ? 4 : 16};
	dst.prefix = head.rtm_dst_len;
	if (is_link_local(&dst) && head.rtm_protocol == RTPROT_KERNEL)
		return 0;
	if (a[RTA_MULTIPATH])
		return refuse(d, &dst, "has several next hops", err);
	if (a[RTA_ENCAP])
		return refuse(d, &dst, "is encapsulated", err);
	if (head.rtm_tos || head.rtm_src_len)
		return refuse(d, &dst, "depends on a type of service or a source", err);
	return add_route(d, &head, a, &dst);
}

/* ---- neighbours -------------------------------------------------------------------------------- */

static int on_neighbour(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct dump *d = arg;
	struct nlattr *a[NDA_MAX + 1];
	struct ndmsg head;
	struct ipaddr ip;
	char mac[IFCONF_MAC_TEXT];
	if (!h)
		return json_array_clear(d->neighbours);
	if (h->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	if (nlsock_parse(h, sizeof head, a, NDA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof head);
	if (head.ndm_ifindex != d->link.index || !is_ip(head.ndm_family) ||
		!(head.ndm_state & NUD_PERMANENT) || head.ndm_flags & NTF_PROXY)
		return 0;
	if (!get_addr(a[NDA_DST], head.ndm_family, &ip) || !a[NDA_LLADDR] ||
		nla_len(a[NDA_LLADDR]) != IFCONF_MAC_LEN)
		return 0;
	json_t *o = json_object();
	put_addr(o, "ip", &ip);
	ifconf_mac_text(nla_data(a[NDA_LLADDR]), mac);
	json_object_set_new(o, "mac", json_string(mac));
	return json_array_append_new(d->neighbours, o);
}

/* ---- all of it --------------------------------------------------------------------------------- */

static int dump_tables(struct dump *d, struct err *err)
{
	if (nlsock_dump(d->sock, RTM_GETADDR, on_address, d, err) < 0 ||
		nlsock_dump(d->sock, RTM_GETROUTE, on_route, d, err) < 0)
		return -1;
	return nlsock_dump(d->sock, RTM_GETNEIGH, on_neighbour, d, err);
}

static json_t *ifconf_of(const struct dump *d)
{
	char mac[IFCONF_MAC_TEXT];
	_cleanup_json_ json_t *routes = json_copy(d->onlink);
	json_array_extend(routes, d->via);
	ifconf_mac_text(d->link.mac, mac);
	return json_make("{s:s, s:s, s:i, s:O, s:O, s:O}", "ifname", d->link.name, "mac", mac,
		"mtu", (int)d->link.mtu, "addresses", d->addresses, "routes", routes, "neighbours",
		d->neighbours);
}

static int dump_link(struct dump *d, const char *ifname, json_t **ret, struct err *err)
{
	if (link_get(d->sock, ifname, &d->link, err) < 0)
		return -1;
	if (!d->link.ethernet)
		return err_set(err, ERR_UNSUPPORTED,
			"the interface %s is no Ethernet: a domain cannot have it", ifname);
	if (dump_tables(d, err) < 0)
		return err_wrap(err, "read what the interface %s is set to", ifname);
	_cleanup_json_ json_t *ifconf = ifconf_of(d);
	/* Too much of something: the same words as at its other end. */
	if (ifconf_check(ifconf, err) < 0)
		return -1;
	*ret = TAKE_PTR(ifconf);
	return 0;
}

int dump_interface(int netns, const char *ifname, json_t **ret, struct err *err)
{
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(netns, err);
	if (!s)
		return -1;
	struct dump d = {
		.sock = s,
		.addresses = json_array(),
		.onlink = json_array(),
		.via = json_array(),
		.neighbours = json_array(),
	};
	int r = dump_link(&d, ifname, ret, err);
	json_decref(d.addresses);
	json_decref(d.onlink);
	json_decref(d.via);
	json_decref(d.neighbours);
	return r;
}
