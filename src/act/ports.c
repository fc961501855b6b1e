/* SPDX-License-Identifier: Apache-2.0 */
/* Port forwarding by nftables: see ports.h. */
#include "act/ports.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "net/route.h"
#include "proto/hostport.h"
#include "proto/ifconf.h"

#define FAMILIES 2

struct target {
	char ip[FAMILIES][INET6_ADDRSTRLEN];  /* IPv4, IPv6; "": it has none */
	char net[FAMILIES][IFCONF_ADDR_TEXT]; /* the same with its prefix */
};

static const char *const family_name[FAMILIES] = {"ip", "ip6"};
static const char *const any_ip[FAMILIES] = {"0.0.0.0", "::"};

/* ---- whereto ---- */

/* The pod's first address of each family. */
static void find_target(const json_t *net, struct target *ret)
{
	size_t i;
	const json_t *a;
	*ret = (struct target){0};
	json_array_foreach (json_object_get(json_object_get(net, "ifconf"), "addresses"), i, a) {
		struct ipaddr addr;
		if (ifconf_parse_prefix(json_str_opt(a, "local", ""), &addr) < 0)
			continue;
		int f = addr.family == AF_INET6;
		if (ret->ip[f][0])
			continue;
		inet_ntop(addr.family, addr.bytes, ret->ip[f], sizeof ret->ip[f]);
		ifconf_prefix_text(&addr, ret->net[f]);
	}
}

/* 0.0.0.0 is "any address of the host" (contract 5.5), so of IPv6 as well when the pod has that. */
static bool applies(const json_t *port, int f)
{
	const char *ip = json_str_opt(port, "host_ip", "");
	bool v6 = strchr(ip, ':') != NULL;
	return v6 == (f == 1) || !strcmp(ip, any_ip[0]);
}

static int check_target(const json_t *ports, const struct target *t, struct err *err)
{
	size_t i;
	const json_t *port;
	json_array_foreach (ports, i, port) {
		const char *ip = json_str_opt(port, "host_ip", "");
		int f = strchr(ip, ':') != NULL;
		if (!strcmp(ip, "::1"))
			return err_set(err, ERR_INVALID,
				"port %lld of ::1 cannot lead to the pod: the kernel has that for "
				"127.0.0.1 only",
				(long long)json_int_opt(port, "host_port", 0));
		if (!t->ip[f][0] && (strcmp(ip, any_ip[0]) != 0 || !t->ip[1][0]))
			return err_set(err, ERR_INVALID,
				"port %lld of %s cannot lead to the pod: it has no %s address",
				(long long)json_int_opt(port, "host_port", 0), ip,
				f ? "IPv6" : "IPv4");
	}
	return 0;
}

/* ---- the rules ---- */

static void print_dnat(FILE *out, const json_t *port, const struct target *t, int f)
{
	const char *ip = json_str_opt(port, "host_ip", "");
	bool any = hostport_is_any(ip);
	/* What is not addressed to this host is nobody's to take (contract 5.5). Nor is ::1: for it there
	 * is no route_localnet, and a caller of "localhost" shall go on to 127.0.0.1. */
	fprintf(out, "\t\tmeta nfproto ipv%d fib daddr type local", f ? 6 : 4);
	if (!any)
		fprintf(out, " %s daddr %s", family_name[f], ip);
	else if (f)
		fprintf(out, " ip6 daddr != ::1");
	fprintf(out, " %s dport %lld dnat %s to %s%s%s:%lld\n", json_str_opt(port, "protocol", ""),
		(long long)json_int_opt(port, "host_port", 0), family_name[f], f ? "[" : "",
		t->ip[f], f ? "]" : "", (long long)json_int_opt(port, "port", 0));
}

/*
 * 127.0.0.1 means nothing to the pod, and whom it can answer directly it would answer under another
 * address than was called: what comes from there leaves with the host's (contract 5.5; the second is the
 * pod itself, and its neighbours on one bridge, by a port of the host).
 */
static void print_masquerade(FILE *out, const json_t *port, const struct target *t, int f)
{
	const char *protocol = json_str_opt(port, "protocol", "");
	long long to = (long long)json_int_opt(port, "port", 0);
	if (f == 0)
		fprintf(out, "\t\tip saddr 127.0.0.0/8 ip daddr %s %s dport %lld masquerade\n",
			t->ip[f], protocol, to);
	fprintf(out, "\t\t%s saddr %s %s daddr %s %s dport %lld ct status dnat masquerade\n",
		family_name[f], t->net[f], family_name[f], t->ip[f], protocol, to);
}

static void print_rules(FILE *out, const json_t *ports, const struct target *t,
	void (*print)(FILE *, const json_t *, const struct target *, int))
{
	size_t i;
	const json_t *port;
	json_array_foreach (ports, i, port)
		for (int f = 0; f < FAMILIES; f++)
			if (t->ip[f][0] && applies(port, f))
				print(out, port, t, f);
}

/* Before the CNI plugins' own chains, so that what they masquerade is not ours. */
static char *ruleset(const char *uuid, const json_t *ports, const struct target *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		abort(); /* no memory, as everywhere */
	/* Made if it is not there, so that it can be removed: all in one transaction. */
	fprintf(out, "table inet xenpod-%s\ndelete table inet xenpod-%s\n", uuid, uuid);
	fprintf(out, "table inet xenpod-%s {\n", uuid);
	fprintf(out, "\tchain prerouting {\n\t\ttype nat hook prerouting priority dstnat - 1;\n");
	print_rules(out, ports, t, print_dnat);
	/* dstnat - 1 again: nft(8) knows the name in prerouting only. */
	fprintf(out, "\t}\n\tchain output {\n\t\ttype nat hook output priority -101;\n");
	print_rules(out, ports, t, print_dnat);
	fprintf(out, "\t}\n\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat - "
		     "1;\n");
	print_rules(out, ports, t, print_masquerade);
	fprintf(out, "\t}\n}\n");
	fclose(out);
	return text;
}

static int run_nft(const char *text, struct err *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft)
		return err_set(err, ERR_SYSTEM, "libnftables does not start");
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	int r = nft_run_cmd_from_buffer(nft, text);
	if (r) {
		const char *why = nft_ctx_get_error_buffer(nft);
		err_set(err, ERR_SYSTEM, "nftables: %.*s", (int)strcspn(why ? why : "", "\n"),
			why ? why : "");
	}
	nft_ctx_free(nft);
	return r ? -1 : 0;
}

/* ---- 127.0.0.1 ---- */

/*
 * Elsewhere than on lo the kernel takes 127.0.0.0/8 for a mistake and drops it. Where calls of 127.0.0.1
 * leave for the pod that must not be (Documentation/networking/ip-sysctl.rst, route_localnet); but then
 * whoever is behind that interface could call services that listen on 127.0.0.1 alone
 * (CVE-2020-8558). So what the kernel dropped is dropped here, first and for good: the setting outlives
 * the pod where the interface does.
 */
static const char localnet_rules[] =
	"add table inet xenpod\n"
	"add chain inet xenpod localnet { type filter hook prerouting priority raw; }\n"
	"flush chain inet xenpod localnet\n"
	"add rule inet xenpod localnet iifname != \"lo\" ip daddr 127.0.0.0/8 drop\n";

static int allow_localnet(const char *ip, struct err *err)
{
	char ifname[IF_NAMESIZE];
	if (run_nft(localnet_rules, err) < 0 || route_interface(ip, ifname, err) < 0)
		return -1;
	_cleanup_free_ char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/route_localnet", ifname);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) < 0)
		return err_sys(err, "write %s", path);
	return 0;
}

int ports_open(const char *uuid, const json_t *ports, const json_t *net, struct err *err)
{
	struct target t;
	find_target(net, &t);
	if (check_target(ports, &t, err) < 0)
		return -1;
	if (t.ip[0][0] && allow_localnet(t.ip[0], err) < 0)
		return err_wrap(err, "forward ports");
	_cleanup_free_ char *text = ruleset(uuid, ports, &t);
	return run_nft(text, err) < 0 ? err_wrap(err, "forward ports") : 0;
}

int ports_close(const char *uuid, struct err *err)
{
	_cleanup_free_ char *text =
		xasprintf("table inet xenpod-%s\ndelete table inet xenpod-%s\n", uuid, uuid);
	return run_nft(text, err) < 0 ? err_wrap(err, "end the forwarding of ports") : 0;
}
