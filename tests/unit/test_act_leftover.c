/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins leave that are gone themselves: leases, and rules of the real iptables(8). */
/* LINK: act cni net proto base */
/* LIBS: nl-3 */
/* WITH: netkit.c */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "act/leftover.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "netkit.h"

#define UUID  "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define OTHER "6ba7b810-9dad-11d1-80b4-00c04fd430c9"
#define CHAIN "CNI-0123456789abcdef01234567"

static char dir[] = "/tmp/xenpod-test-leftover-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	_cleanup_free_ char *cmd = xasprintf("rm -rf %s", dir);
	return system(cmd);
}

/* ---- leases ---- */

static void lease(const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/net/%s", dir, name);
	_cleanup_file_ FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void assert_leases(const char *want)
{
	_cleanup_free_ char *got = netkit_read("ls %s/net | grep -v lock | xargs", dir);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, want);
}

static void only_the_pods_leases_go(void **state)
{
	struct err err = {0};
	(void)state;
	netkit_sh("mkdir -p %s/net", dir);
	lease("10.0.0.2", UUID "\r\neth0");
	lease("10.0.0.3", OTHER "\r\neth0");
	lease("10.0.0.4", UUID);
	lease("10.0.0.5", UUID "\neth1");
	lease("10.0.0.6", UUID "x\r\neth0");
	lease("10.0.0.7", "");
	lease("fd00::2", UUID "\r\neth0");
	lease("last_reserved_ip.0", "10.0.0.5");
	lease("note", UUID "\r\neth0");
	assert_ok(leftover_leases(dir, "net", UUID, &err), &err);
	assert_leases("10.0.0.3 10.0.0.6 10.0.0.7 last_reserved_ip.0 note");
	assert_ok(leftover_leases(dir, "net", UUID, &err), &err);
	assert_leases("10.0.0.3 10.0.0.6 10.0.0.7 last_reserved_ip.0 note");
}

static void no_leases_at_all(void **state)
{
	struct err err = {0};
	(void)state;
	assert_ok(leftover_leases(dir, "nowhere", UUID, &err), &err);
	netkit_sh("[ ! -e %s/nowhere ]", dir);
	netkit_sh("touch %s/file", dir);
	assert_fails(leftover_leases(dir, "file", UUID, &err), &err, ERR_SYSTEM, "/file");
}

/* ---- rules, as text ---- */

static void no_rules_of_the_pods(void **state)
{
	(void)state;
	assert_null(leftover_rules("", "n", UUID));
	assert_null(leftover_rules("*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n", "n", UUID));
	assert_null(leftover_rules(
		"-A POSTROUTING -m comment --comment \"name: \\\"n\\\" id: \\\"" OTHER
		"\\\"\" -j " CHAIN "\n",
		"n", UUID));
	assert_null(leftover_rules(
		"-A POSTROUTING -m comment --comment \"name: \\\"other\\\" id: \\\"" UUID
		"\\\"\" -j " CHAIN "\n",
		"n", UUID));
	assert_null(leftover_rules(
		"-A POSTROUTING -m comment --comment \"" UUID "\" -j X\n", "n", UUID));
}

static void rules_and_their_chain(void **state)
{
	(void)state;
	_cleanup_free_ char *script = leftover_rules(
		"*nat\n:" CHAIN " - [0:0]\n"
		"-A POSTROUTING -s 10.0.0.9/32 -j MASQUERADE\n"
		"-A POSTROUTING -s 10.0.0.2/32 -m comment --comment \"name: \\\"n\\\" id: \\\"" UUID
		"\\\"\" -j " CHAIN
		"\n-A SHARED -m comment --comment \"name: \\\"n\\\" id: \\\"" UUID
		"\\\"\" -j CNI-HOSTPORT-MASQ",
		"n", UUID);
	assert_non_null(script);
	assert_string_equal(script,
		"*nat\n"
		"-D POSTROUTING -s 10.0.0.2/32 -m comment --comment \"name: \\\"n\\\" id: \\\"" UUID
		"\\\"\" -j " CHAIN
		"\n-D SHARED -m comment --comment \"name: \\\"n\\\" id: \\\"" UUID
		"\\\"\" -j CNI-HOSTPORT-MASQ\n"
		"-F " CHAIN "\n-X " CHAIN "\nCOMMIT\n");
}

/* ---- rules of iptables ---- */

/* As the plugins' SetupIPMasq() makes them (contract 5.4), for each address of one network. */
static void masquerade(const char *chain, const char *uuid, const char *ip)
{
	_cleanup_free_ char *why =
		xasprintf("-m comment --comment 'name: \"net\" id: \"%s\"'", uuid);
	netkit_sh("iptables -t nat -N %s 2>/dev/null || :", chain);
	netkit_sh("iptables -t nat -A %s -d %s/24 -j ACCEPT %s", chain, ip, why);
	netkit_sh("iptables -t nat -A %s ! -d 224.0.0.0/4 -j MASQUERADE %s", chain, why);
	netkit_sh("iptables -t nat -A POSTROUTING -s %s -j %s %s", ip, chain, why);
}

static int parse_net(const char *text, struct cni_net *net, struct err *err)
{
	return cni_net_parse("/x/net.conf", text, strlen(text), net, err);
}

static char *saved(void)
{
	return netkit_read("iptables-save -t nat | grep -v '^#' | sed 's/\\[.*//'");
}

static void removes_of_this_pod_alone(void **state)
{
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net net = {0};
	(void)state;
	assert_ok(parse_net("{\"name\":\"net\",\"type\":\"ptp\"}", &net, &err), &err);
	netkit_sh("iptables -t nat -A POSTROUTING -s 192.0.2.1 -j MASQUERADE");
	masquerade("CNI-aaaaaaaaaaaaaaaaaaaaaaaa", OTHER, "10.0.0.3");
	_cleanup_free_ char *before = saved();
	masquerade(CHAIN, UUID, "10.0.0.2");
	_cleanup_free_ char *between = saved();
	assert_non_null(strstr(between, CHAIN));
	assert_ok(leftover_remove(&net, UUID, &err), &err);
	_cleanup_free_ char *after = saved();
	assert_string_equal(after, before);
	assert_ok(leftover_remove(&net, UUID, &err), &err);
}

/* A network with two addresses has two rules that lead to the one chain. */
static void removes_a_chain_of_two_addresses(void **state)
{
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net net = {0};
	(void)state;
	assert_ok(parse_net("{\"name\":\"net\",\"type\":\"ptp\"}", &net, &err), &err);
	masquerade(CHAIN, UUID, "10.0.0.2");
	masquerade(CHAIN, UUID, "10.1.0.2");
	assert_ok(leftover_remove(&net, UUID, &err), &err);
	_cleanup_free_ char *after = saved();
	assert_null(strstr(after, UUID));
	assert_null(strstr(after, CHAIN));
}

static void removes_leases_where_the_conf_has_them(void **state)
{
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net net = {0};
	_cleanup_free_ char *text =
		xasprintf("{\"name\":\"net\",\"type\":\"ptp\",\"ipam\":{\"type\":"
			  "\"host-local\",\"dataDir\":\"%s\"}}",
			dir);
	(void)state;
	assert_ok(parse_net(text, &net, &err), &err);
	netkit_sh("rm -rf %s/net; mkdir -p %s/net", dir, dir);
	lease("10.0.0.2", UUID "\r\neth0");
	lease("10.0.0.3", OTHER "\r\neth0");
	assert_ok(leftover_remove(&net, UUID, &err), &err);
	assert_leases("10.0.0.3");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(only_the_pods_leases_go),
	cmocka_unit_test(no_leases_at_all),
	cmocka_unit_test(no_rules_of_the_pods),
	cmocka_unit_test(rules_and_their_chain),
	net_test(removes_of_this_pod_alone),
	net_test(removes_a_chain_of_two_addresses),
	net_test(removes_leases_where_the_conf_has_them),
};

UNIT_MAIN(tests, setup, teardown)
