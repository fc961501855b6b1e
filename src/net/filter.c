/* SPDX-License-Identifier: Apache-2.0 */
/* Programs over frames, put together: see filter.h. */
#include "net/filter.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/ifconf.h"

/* Where things stand in a frame: RFC 894, 826, 791, 8200. */
enum {
	ETH_SOURCE = 6,
	ETH_TYPE = 12,
	BODY = ETH_HLEN,
	ARP_KIND = BODY, /* 32 bits: hardware, protocol */
	ARP_SIZES = BODY + 4,
	ARP_SHA = BODY + 8,
	ARP_SIP = BODY + 14,
	IP4_FRAGMENT = BODY + 6,
	IP4_PROTO = BODY + 9,
	IP4_SOURCE = BODY + 12,
	IP6_NEXT = BODY + 6,
	IP6_SOURCE = BODY + 8,
	IP6_BODY = BODY + 40,
	ICMP6_TARGET = IP6_BODY + 8,
	HOP_BODY = IP6_BODY + 8, /* behind the shortest of these headers */
};

#define ARP_ETHERNET_IP4 ((uint32_t)ARPHRD_ETHER << 16 | ETH_P_IP)
#define ARP_SIZES_IP4    (IFCONF_MAC_LEN << 8 | 4)
#define FRAGMENT_OFFSET  0x1fff
#define DHCP_SERVER      67
#define DHCP_CLIENT      68
#define MLD2_REPORT      143 /* RFC 3810 */

/* ---- single steps ------------------------------------------------------------------------------ */

static void op(struct filter *f, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (f->n >= FILTER_MAX)
		abort();
	f->op[f->n++] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
}

static void load(struct filter *f, uint16_t size, uint32_t at)
{
	op(f, (uint16_t)(BPF_LD | BPF_ABS | size), at, 0, 0);
}

static void answer(struct filter *f, uint32_t yes)
{
	op(f, BPF_RET | BPF_K, yes, 0, 0);
}

/* What was loaded must be this, or the answer is no. */
static void must_be(struct filter *f, uint32_t k)
{
	op(f, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	answer(f, 0);
}

/* If it is this, that is the answer. */
static void if_then(struct filter *f, uint32_t k, uint32_t yes)
{
	op(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	answer(f, yes);
}

/* If it is this, on to a place that land() says later. Conditional jumps reach 255 steps only. */
static size_t if_jump(struct filter *f, uint32_t k)
{
	op(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	op(f, BPF_JMP | BPF_JA, 0, 0, 0);
	return f->n - 1;
}

static void land(struct filter *f, size_t jump)
{
	f->op[jump].k = (uint32_t)(f->n - jump - 1);
}

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void must_be_mac(struct filter *f, uint32_t at, const uint8_t mac[IFCONF_MAC_LEN])
{
	load(f, BPF_W, at);
	must_be(f, word(mac));
	load(f, BPF_H, at + 4);
	must_be(f, (uint32_t)mac[4] << 8 | mac[5]);
}

/* If this IPv6 address is there, goes on at the next step; else at the one behind it. */
static void compare_ip6(struct filter *f, uint32_t at, const uint8_t bytes[16])
{
	for (uint8_t i = 0; i < 4; i++) {
		load(f, BPF_W, at + 4U * i);
		op(f, BPF_JMP | BPF_JEQ | BPF_K, word(bytes + (size_t)4 * i), 0,
			(uint8_t)(7 - 2 * i));
	}
}

/* ---- the simple ones --------------------------------------------------------------------------- */

void filter_all(struct filter *f)
{
	f->n = 0;
	answer(f, FILTER_PASS);
}

/* Loads the UDP port at this place of the header behind IPv4's, whose length varies. */
static void load_port(struct filter *f, uint32_t at)
{
	op(f, BPF_LDX | BPF_B | BPF_MSH, BODY, 0, 0);
	op(f, BPF_LD | BPF_H | BPF_IND, BODY + at, 0, 0);
}

void filter_no_dhcp(struct filter *f)
{
	f->n = 0;
	load(f, BPF_H, ETH_TYPE);
	op(f, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0);
	answer(f, FILTER_PASS);
	load(f, BPF_B, IP4_PROTO);
	op(f, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
	answer(f, FILTER_PASS);
	load(f, BPF_H, IP4_FRAGMENT);
	op(f, BPF_JMP | BPF_JSET | BPF_K, FRAGMENT_OFFSET, 0, 1);
	answer(f, FILTER_PASS);
	load_port(f, 2);
	if_then(f, DHCP_CLIENT, 0);
	answer(f, FILTER_PASS);
}

/* ---- the guard --------------------------------------------------------------------------------- */

struct own {
	uint8_t mac[IFCONF_MAC_LEN];
	struct ipaddr addr[IFCONF_MAX_ADDRESSES + 1];
	size_t n;
};

static void read_own(const json_t *ifconf, struct own *own)
{
	size_t i = 0;
	json_t *o = NULL;
	if (ifconf_parse_mac(json_str_opt(ifconf, "mac", ""), own->mac) < 0)
		abort();
	own->addr[own->n++] = ifconf_link_local(own->mac);
	json_array_foreach (json_object_get(ifconf, "addresses"), i, o)
		if (own->n < ARRAY_SIZE(own->addr) &&
			ifconf_parse_prefix(json_str_opt(o, "local", ""), &own->addr[own->n]) == 0)
			own->n++;
}

/* What was loaded is one of its IPv4 addresses: yes. */
static void pass_own_ip4(struct filter *f, const struct own *own)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->addr[i].family == AF_INET)
			if_then(f, word(own->addr[i].bytes), FILTER_PASS);
}

/* What was loaded is the source: a client that has no address yet asks for one. */
static void pass_dhcp_client(struct filter *f)
{
	must_be(f, INADDR_ANY);
	load(f, BPF_B, IP4_PROTO);
	must_be(f, IPPROTO_UDP);
	load(f, BPF_H, IP4_FRAGMENT);
	op(f, BPF_JMP | BPF_JSET | BPF_K, FRAGMENT_OFFSET, 0, 1);
	answer(f, 0);
	load_port(f, 0);
	must_be(f, DHCP_CLIENT);
	load_port(f, 2);
	must_be(f, DHCP_SERVER);
	answer(f, FILTER_PASS);
}

static void guard_ip4(struct filter *f, const struct own *own, bool dhcp)
{
	load(f, BPF_W, IP4_SOURCE);
	pass_own_ip4(f, own);
	if (dhcp)
		pass_dhcp_client(f);
	answer(f, 0);
}

static void guard_arp(struct filter *f, const struct own *own)
{
	load(f, BPF_W, ARP_KIND);
	must_be(f, ARP_ETHERNET_IP4);
	load(f, BPF_H, ARP_SIZES);
	must_be(f, ARP_SIZES_IP4);
	must_be_mac(f, ARP_SHA, own->mac);
	load(f, BPF_W, ARP_SIP);
	pass_own_ip4(f, own);
	answer(f, 0);
}

/*
 * Behind a hop-by-hop header only reports of multicast listeners (RFC 2710, 3810), which must have
 * one: anything else there could hide what guard_nd() looks for.
 */
static void pass_listener(struct filter *f)
{
	load(f, BPF_B, IP6_BODY);
	must_be(f, IPPROTO_ICMPV6);
	load(f, BPF_B, IP6_BODY + 1);
	must_be(f, 0); /* 8 bytes */
	load(f, BPF_B, HOP_BODY);
	if_then(f, MLD_LISTENER_REPORT, FILTER_PASS);
	if_then(f, MLD_LISTENER_REDUCTION, FILTER_PASS);
	if_then(f, MLD2_REPORT, FILTER_PASS);
	answer(f, 0);
}

/* Neighbour discovery: what ARP's sender is to IPv4, an advertisement's target is to IPv6. */
static void guard_nd(struct filter *f, const struct own *own)
{
	load(f, BPF_B, IP6_BODY);
	if_then(f, ND_ROUTER_ADVERT, 0);
	if_then(f, ND_REDIRECT, 0);
	op(f, BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 1, 0);
	answer(f, FILTER_PASS);
	for (size_t i = 0; i < own->n; i++) {
		if (own->addr[i].family != AF_INET6)
			continue;
		compare_ip6(f, ICMP6_TARGET, own->addr[i].bytes);
		answer(f, FILTER_PASS);
	}
	answer(f, 0);
}

/* The source is its own. Fragments pass: nobody takes neighbour discovery from one (RFC 6980). */
static void guard_ip6_next(struct filter *f, const struct own *own, size_t hop_before)
{
	load(f, BPF_B, IP6_NEXT);
	size_t nd = if_jump(f, IPPROTO_ICMPV6);
	size_t hop = if_jump(f, IPPROTO_HOPOPTS);
	if_then(f, IPPROTO_ROUTING, 0);
	if_then(f, IPPROTO_DSTOPTS, 0);
	answer(f, FILTER_PASS);
	land(f, hop);
	land(f, hop_before);
	pass_listener(f);
	land(f, nd);
	guard_nd(f, own);
}

static void guard_ip6(struct filter *f, const struct own *own)
{
	static const uint8_t unspecified[16];
	size_t good[ARRAY_SIZE(own->addr)];
	size_t n = 0;
	for (size_t i = 0; i < own->n; i++) {
		if (own->addr[i].family != AF_INET6)
			continue;
		compare_ip6(f, IP6_SOURCE, own->addr[i].bytes);
		good[n++] = f->n;
		op(f, BPF_JMP | BPF_JA, 0, 0, 0);
	}
	/* Without an address: is anybody using mine (RFC 4862, 5.4)? */
	compare_ip6(f, IP6_SOURCE, unspecified);
	op(f, BPF_JMP | BPF_JA, 1, 0, 0);
	answer(f, 0);
	load(f, BPF_B, IP6_NEXT);
	size_t hop = if_jump(f, IPPROTO_HOPOPTS);
	must_be(f, IPPROTO_ICMPV6);
	load(f, BPF_B, IP6_BODY);
	must_be(f, ND_NEIGHBOR_SOLICIT);
	answer(f, FILTER_PASS);
	while (n > 0)
		land(f, good[--n]);
	guard_ip6_next(f, own, hop);
}

void filter_guard(struct filter *f, const json_t *ifconf, bool dhcp)
{
	struct own own = {.n = 0};
	f->n = 0;
	read_own(ifconf, &own);
	load(f, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	must_be(f, 0);
	must_be_mac(f, ETH_SOURCE, own.mac);
	load(f, BPF_H, ETH_TYPE);
	size_t ip4 = if_jump(f, ETH_P_IP);
	size_t arp = if_jump(f, ETH_P_ARP);
	must_be(f, ETH_P_IPV6);
	guard_ip6(f, &own);
	land(f, ip4);
	guard_ip4(f, &own, dhcp);
	land(f, arp);
	guard_arp(f, &own);
}
