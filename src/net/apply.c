/* SPDX-License-Identifier: Apache-2.0 */
/* An ifconf becomes requests to the kernel, one an element, in its order: see apply.h. */
#include "net/apply.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "net/link.h"
#include "net/links.h"
#include "net/netns.h"

struct apply {
	struct nl_sock *sock;
	struct link link;
	const json_t *ifconf;
};

static const char *text_of(const json_t *o, const char *member)
{
	return json_str_opt(o, member, NULL);
}

/* A member that was checked; false: it is not there. */
static bool get_addr(const json_t *o, const char *member, struct ipaddr *ret)
{
	const char *text = text_of(o, member);
	return text && ifconf_parse_addr(text, ret) == 0;
}

static void put_addr(struct nl_msg *msg, int attr, const struct ipaddr *a)
{
	nlsock_put(msg, attr, a->bytes, a->len);
}

static uint8_t scope_of(const json_t *o)
{
	const char *scope = json_str_opt(o, "scope", "global");
	if (strcmp(scope, "link") == 0)
		return RT_SCOPE_LINK;
	return strcmp(scope, "host") == 0 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
}

/* ---- the interface ----------------------------------------------------------------------------- */

/* Its name is wanted: "eth0" of one boot is the other of two in the next. */
static int move_away(const struct apply *ap, const char *name, struct err *err)
{
	struct link other;
	char spare[32];
	if (link_get(ap->sock, name, &other, err) < 0)
		return -1;
	snprintf(spare, sizeof spare, "was%d", other.index);
	if (link_set_up(ap->sock, &other, false, err) < 0)
		return -1;
	return link_set_name(ap->sock, &other, spare, err);
}

static int give_name(struct apply *ap, const char *name, struct err *err)
{
	if (strcmp(ap->link.name, name) == 0)
		return 0;
	if (link_set_name(ap->sock, &ap->link, name, err) < 0) {
		if (errno != EEXIST)
			return -1;
		err_done(err);
		if (move_away(ap, name, err) < 0 ||
			link_set_name(ap->sock, &ap->link, name, err) < 0)
			return -1;
	}
	snprintf(ap->link.name, sizeof ap->link.name, "%s", name);
	return 0;
}

static int apply_link(struct apply *ap, struct err *err)
{
	unsigned mtu = (unsigned)json_int_opt(ap->ifconf, "mtu", 0);
	if (link_set_up(ap->sock, &ap->link, false, err) < 0 ||
		give_name(ap, text_of(ap->ifconf, "ifname"), err) < 0)
		return -1;
	if (ap->link.mtu != mtu && link_set_mtu(ap->sock, &ap->link, mtu, err) < 0)
		return -1;
	return link_set_up(ap->sock, &ap->link, true, err);
}

/* ---- addresses, routes, neighbours ------------------------------------------------------------- */

/*
 * No route of its own: they are all in the ifconf. No look for duplicates: the address was another
 * interface's of the same pod a moment ago, and an app must find it usable.
 */
static int apply_address(struct apply *ap, const json_t *o, struct err *err)
{
	struct ipaddr a = {0};
	struct ipaddr peer;
	uint32_t flags = IFA_F_NOPREFIXROUTE;
	ifconf_parse_prefix(json_str_opt(o, "local", ""), &a);
	const struct ifaddrmsg head = {
		.ifa_family = (uint8_t)a.family,
		.ifa_prefixlen = (uint8_t)a.prefix,
		.ifa_scope = scope_of(o),
		.ifa_index = (unsigned)ap->link.index,
	};
	struct nl_msg *msg =
		nlsock_msg(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);
	put_addr(msg, IFA_LOCAL, &a);
	put_addr(msg, IFA_ADDRESS, get_addr(o, "peer", &peer) ? &peer : &a);
	if (get_addr(o, "broadcast", &peer))
		put_addr(msg, IFA_BROADCAST, &peer);
	if (a.family == AF_INET6)
		flags |= IFA_F_NODAD;
	nlsock_put_u32(msg, IFA_FLAGS, flags);
	if (nlsock_do(ap->sock, msg, err) < 0)
		return err_wrap(err, "add the address %s", text_of(o, "local"));
	return 0;
}

static void put_via(struct nl_msg *msg, const json_t *o, int family)
{
	struct ipaddr gateway;
	const struct rtvia via = {.rtvia_family = AF_INET6};
	uint8_t other[sizeof via + sizeof gateway.bytes];
	if (!get_addr(o, "via", &gateway))
		return;
	if (gateway.family == family) {
		put_addr(msg, RTA_GATEWAY, &gateway);
		return;
	}
	memcpy(other, &via, sizeof via);
	memcpy(other + sizeof via, gateway.bytes, sizeof gateway.bytes);
	nlsock_put(msg, RTA_VIA, other, sizeof other);
}

static void put_route(struct nl_msg *msg, const struct apply *ap, const json_t *o, int family)
{
	struct ipaddr src;
	uint32_t metric = (uint32_t)json_int_opt(o, "metric", 0);
	uint32_t mtu = (uint32_t)json_int_opt(o, "mtu", 0);
	nlsock_put_u32(msg, RTA_OIF, (uint32_t)ap->link.index);
	put_via(msg, o, family);
	if (get_addr(o, "src", &src))
		put_addr(msg, RTA_PREFSRC, &src);
	if (metric)
		nlsock_put_u32(msg, RTA_PRIORITY, metric);
	if (mtu) {
		struct nlattr *metrics = nlsock_nest(msg, RTA_METRICS);
		nlsock_put_u32(msg, RTAX_MTU, mtu);
		nla_nest_end(msg, metrics);
	}
}

static int apply_route(struct apply *ap, const json_t *o, struct err *err)
{
	struct ipaddr dst = {0};
	const char *via = text_of(o, "via");
	ifconf_parse_dst(o, &dst);
	const struct rtmsg head = {
		.rtm_family = (uint8_t)dst.family,
		.rtm_dst_len = (uint8_t)dst.prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = scope_of(o),
		.rtm_type = RTN_UNICAST,
		.rtm_flags = json_bool_opt(o, "onlink", false) ? RTNH_F_ONLINK : 0,
	};
	/* Not in place of another interface's to the same destination; for IPv6 APPEND would make one
	 * route of two. */
	int how = NLM_F_CREATE | (dst.family == AF_INET ? NLM_F_APPEND : 0);
	struct nl_msg *msg = nlsock_msg(RTM_NEWROUTE, how, &head, sizeof head);
	if (dst.prefix)
		put_addr(msg, RTA_DST, &dst);
	put_route(msg, ap, o, dst.family);
	if (nlsock_do(ap->sock, msg, err) == 0)
		return 0;
	if (errno == EEXIST) { /* applied once more */
		err_done(err);
		return 0;
	}
	return err_wrap(err, "add the route to %s%s%s", text_of(o, "dst"), via ? " via " : "",
		via ? via : "");
}

static int apply_neighbour(struct apply *ap, const json_t *o, struct err *err)
{
	struct ipaddr ip = {0};
	uint8_t mac[IFCONF_MAC_LEN] = {0};
	get_addr(o, "ip", &ip);
	ifconf_parse_mac(json_str_opt(o, "mac", ""), mac);
	const struct ndmsg head = {
		.ndm_family = (uint8_t)ip.family,
		.ndm_ifindex = ap->link.index,
		.ndm_state = NUD_PERMANENT,
	};
	struct nl_msg *msg =
		nlsock_msg(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);
	put_addr(msg, NDA_DST, &ip);
	nlsock_put(msg, NDA_LLADDR, mac, sizeof mac);
	if (nlsock_do(ap->sock, msg, err) < 0)
		return err_wrap(err, "add the neighbour %s", text_of(o, "ip"));
	return 0;
}

static int apply_each(struct apply *ap, const char *member,
	int (*one)(struct apply *ap, const json_t *o, struct err *err), struct err *err)
{
	size_t i = 0;
	json_t *o = NULL;
	json_array_foreach (json_object_get(ap->ifconf, member), i, o)
		if (one(ap, o, err) < 0)
			return -1;
	return 0;
}

/* ---- all of it --------------------------------------------------------------------------------- */

static int apply_all(struct apply *ap, int timeout_ms, struct err *err)
{
	uint8_t mac[IFCONF_MAC_LEN] = {0};
	char name[IF_NAMESIZE];
	ifconf_parse_mac(json_str_opt(ap->ifconf, "mac", ""), mac);
	if (links_wait_mac(NETNS_OWN, mac, timeout_ms, name, err) < 0 ||
		link_get(ap->sock, name, &ap->link, err) < 0 || apply_link(ap, err) < 0 ||
		apply_each(ap, "addresses", apply_address, err) < 0 ||
		apply_each(ap, "routes", apply_route, err) < 0)
		return -1;
	return apply_each(ap, "neighbours", apply_neighbour, err);
}

int apply_interface(const json_t *ifconf, int timeout_ms, struct err *err)
{
	struct apply ap = {.ifconf = ifconf};
	if (ifconf_check(ifconf, err) < 0)
		return -1;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	if (!s)
		return -1;
	ap.sock = s;
	if (apply_all(&ap, timeout_ms, err) < 0)
		return err_wrap(err, "interface %s", text_of(ifconf, "ifname"));
	return 0;
}

int apply_loopback(struct err *err)
{
	struct link lo;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	if (!s || link_get(s, "lo", &lo, err) < 0)
		return -1;
	return link_set_up(s, &lo, true, err);
}
