/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one interface of a pod is set to: dumped from the interface that a CNI plugin made, carried in
 * the pod's spec, applied in the guest. Plain JSON; this header names the members and checks one.
 *
 *   ifname       what it is called in the pod: "eth0"
 *   mac          "02:00:00:00:00:01", of one station
 *   mtu          integer, bytes
 *   addresses    [{local, peer?, broadcast?, scope}]
 *                local: "A/len"; peer, broadcast: "A" (len is then the peer's)
 *   routes       [{dst, via?, scope, src?, metric?, onlink?, mtu?}] of the table main, in an order in
 *                which they can be added. dst: "A/len"; "default" is that of src's family, or of
 *                via's, else IPv4's (0.0.0.0/0 and ::/0 are fine as well). via: "A", for IPv4 of
 *                either family. They are all: an address alone makes no route
 *   neighbours   [{ip, mac}] the permanent ones
 *   scope        "global" | "link" | "host"
 *
 * Link-local addresses, and all that routers advertise, are not in it: a kernel makes these itself.
 */
#ifndef PROTO_IFCONF_H
#define PROTO_IFCONF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* An anti-spoofing filter, a spec and a person can take that many. */
#define IFCONF_MAX_ADDRESSES  16
#define IFCONF_MAX_ROUTES     64
#define IFCONF_MAX_NEIGHBOURS 64
#define IFCONF_NAME_MAX       15 /* IFNAMSIZ without its NUL */
#define IFCONF_MTU_MIN        68 /* RFC 791 */
#define IFCONF_MTU_MAX        65535
#define IFCONF_MAC_LEN        6

/* An address or a network. */
struct ipaddr {
	int family;      /* AF_INET, AF_INET6 */
	unsigned len;    /* bytes that count: 4 or 16 */
	unsigned prefix; /* bits: all of them for an address alone */
	uint8_t bytes[16];
};

/* ERR_INVALID names the member, and the interface where its name is good. */
int ifconf_check(const json_t *ifconf, struct err *err);

/* What the checked texts say; -1 for what is none. Nothing else is accepted than what is written here. */
int ifconf_parse_addr(const char *text, struct ipaddr *ret);   /* "A" */
int ifconf_parse_prefix(const char *text, struct ipaddr *ret); /* "A/len" */
int ifconf_parse_mac(const char *text, uint8_t ret[IFCONF_MAC_LEN]);
/* The destination of a checked route, "default" included. */
int ifconf_parse_dst(const json_t *route, struct ipaddr *ret);
/* A name that the kernel takes: 1 to 15 of what is no slash, colon, blank or "%"; not "." or "..". */
bool ifconf_name_valid(const char *name);

/* The texts: "A", "A/len", "02:..". */
#define IFCONF_ADDR_TEXT 64
#define IFCONF_MAC_TEXT  18
void ifconf_addr_text(const struct ipaddr *a, char ret[IFCONF_ADDR_TEXT]);
void ifconf_prefix_text(const struct ipaddr *a, char ret[IFCONF_ADDR_TEXT]);
void ifconf_mac_text(const uint8_t mac[IFCONF_MAC_LEN], char ret[IFCONF_MAC_TEXT]);
/* fe80:: with the interface identifier that the kernel makes of the MAC (RFC 4291, appendix A). */
struct ipaddr ifconf_link_local(const uint8_t mac[IFCONF_MAC_LEN]);

#endif
