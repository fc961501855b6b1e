/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod host network`: an internal bridge for pods, and the way out of it. The host has an address on the
 * bridge and forwards, by NAT, what comes from there out of one interface. All of it is things of a plan
 * (plan.h); those of the kernel end with the boot. Forwarding is switched on for the two interfaces alone:
 * the host becomes no router between others, and net.ipv4.ip_forward, whose change the kernel lets change
 * more (Documentation/networking/ip-sysctl.rst), is not touched.
 */
#ifndef HOST_NETWORK_H
#define HOST_NETWORK_H

#include <net/if.h>

#include "host/plan.h"
#include "proto/ifconf.h"

#define NETWORK_BRIDGE  "xenbr0"
#define NETWORK_ADDRESS "10.1.1.1/24"

/* ---- things ---- */

/* {"type": "bridge" | "dummy", "mac", "up", "master"?}: with a MAC that tells that it is ours. */
extern const struct thing thing_link;
/* true; name "xenbr0 10.1.1.1/24" */
extern const struct thing thing_address;
/* "0" | "1": does the kernel forward IPv4 that comes in by this link; null: there is no such link. */
extern const struct thing thing_forwarding;
/* {"mark", "rules", "text"}: a table, name "ip xenpod_host"; network_nft_table() makes the value. */
extern const struct thing thing_nft_table;
/* "RULE": first in a chain of somebody else; name "ip filter FORWARD WORD", WORD is in the rule's comment. */
extern const struct thing thing_nft_rule;
/* true; name "filter FORWARD RULE...", as iptables(8) takes it behind -A. */
extern const struct thing thing_iptables;
/* true: a table of iptables that is there, "nat"; taken back it goes when nothing is in it. */
extern const struct thing thing_iptables_table;
/*
 * A file of systemd-networkd, which is told of it: as thing_file. One that runs and has a file for all
 * interfaces takes them out of bridges, and addresses off that it has not given (seen with version 252).
 */
extern const struct thing thing_networkd;

/* Its text has "@" where each rule's comment goes. */
json_t *network_nft_table(const char *text);
/* Ours have such a MAC: made of the name, for a locally administered one (IEEE 802, bit 2 of byte 1). */
void network_mac(const char *link, uint8_t ret[IFCONF_MAC_LEN]);

/* ---- what is there ---- */

struct net_route {
	uint8_t dst[4];
	unsigned prefix; /* 0: a default route */
	unsigned metric;
	unsigned table;
	bool unicast;
	char link[IF_NAMESIZE]; /* "": several, or none */
};

struct net_seen {
	struct net_route *route; /* IPv4: routes, and each address as one with table 0 */
	size_t n;
};

int network_see(struct net_seen *ret, struct err *err);
void network_seen_done(struct net_seen *seen);
/* The interface of the default route, that of the least metric; NULL: there is none. */
const char *network_default(const struct net_seen *seen);
/* What overlaps with it and does not leave by `bridge`; NULL: nothing. */
const struct net_route *network_overlap(
	const struct net_seen *seen, const struct ipaddr *net, const char *bridge);
/* Ports of a bridge but for `except`, in words, with spaces between; "" for none; caller frees. */
char *network_ports(const char *bridge, const char *except, size_t *ret_n);

/* Does what iptables-save has printed hold rules of iptables, or a policy that is not ACCEPT? */
bool network_iptables_used(const char *saved);

/*
 * The chains of nftables' `list chains` that every forwarded IPv4 packet passes and whose policy is drop,
 * each "ip filter FORWARD", NULL-terminated; caller frees each and all. *ret_firewalld: one is firewalld's,
 * which lets nobody else into its table; it is not among them.
 */
char **network_drop_chains(const char *listed, bool *ret_firewalld);
/* Runs commands of nft(8); *ret (may be NULL): what they print, caller frees. */
int network_nft(const char *commands, char **ret, struct err *err);

/* ---- the command ---- */

enum net_firewall { NET_AUTO, NET_NFTABLES, NET_IPTABLES };

/* What is asked for; texts NULL: not given. */
struct network_ask {
	const struct host *h;
	char *bridge;
	char *address;  /* "A/len" */
	char *out;      /* NULL: that of the default route */
	int firewall;   /* enum net_firewall; -1: not given */
	int persistent; /* -1: not given */
	int port;       /* a dummy port: -1: not given */
	bool force;
	bool json;
	bool dry_run;
};

/* From the record, for what is not given; then the defaults. */
int network_complete(struct network_ask *a, const json_t *record, struct err *err);
/* What `up` does: p->options and p->steps. Refuses what cannot be. *ret_firewalld as above. */
int network_plan(const struct network_ask *a, const json_t *record, struct plan *p,
	bool *ret_firewalld, struct err *err);
extern const struct thing *const network_kinds[];
/* Where systemd-networkd runs or is enabled, it is told to leave the bridge and its ports alone. */
void network_add_networkd(const struct network_ask *a, struct plan *p);
/* The unit of --persistent. ERR_UNSUPPORTED: systemd does not run here. */
int network_add_unit(const struct network_ask *a, struct plan *p, struct err *err);
/* Before all is taken back: one that tries again would bring it back. What goes wrong is told. */
void network_unit_stop(void);
/* Its file is another one now, or gone; nothing for what the unit itself has called (INVOCATION_ID, systemd.exec(5)). */
void network_unit_changed(void);

#endif
