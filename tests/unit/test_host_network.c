/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host network`: what it makes of what is there, and of what it is asked for. */
/* LINK: host net proto base */
/* LIBS: nl-3 nftables md */
#include "unit.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/network.h"

/* ---- routes ---------------------------------------------------------------------------------------------- */

static struct net_route routes[] = {
	{{0}, 0, 600, RT_TABLE_MAIN, true, "wlan0"},
	{{0}, 0, 100, RT_TABLE_MAIN, true, "eth0"},
	{{0}, 0, 0, 100, true, "vpn0"},
	{{0}, 0, 0, RT_TABLE_MAIN, false, ""},
	{{192, 168, 1, 0}, 24, 0, RT_TABLE_MAIN, true, "eth0"},
	{{10, 1, 0, 0}, 24, 0, RT_TABLE_MAIN, true, "eth1"},
	{{10, 9, 0, 0}, 16, 0, 100, true, "vpn0"},
	{{10, 1, 1, 0}, 24, 0, RT_TABLE_MAIN, true, "xenbr0"},
	{{10, 1, 1, 1}, 32, 0, RT_TABLE_LOCAL, true, "xenbr0"},
};

static void the_way_out(void **st)
{
	(void)st;
	struct net_seen seen = {routes, ARRAY_SIZE(routes)};
	assert_string_equal(network_default(&seen), "eth0");
	seen.n = 1;
	assert_string_equal(network_default(&seen), "wlan0");
	seen = (struct net_seen){routes + 2, 3};
	assert_null(network_default(&seen));
}

static void overlaps(void **st)
{
	static const struct {
		const char *net;
		const char *with; /* NULL: nothing */
	} table[] = {
		{"10.1.1.0/24", NULL}, /* the bridge's own */
		{"10.1.0.0/24", "eth1"},
		{"10.1.0.128/25", "eth1"},
		{"10.0.0.0/8", "eth1"},
		{"10.9.7.0/24", "vpn0"},
		{"10.10.0.0/16", NULL},
		{"192.168.0.0/16", "eth0"},
		{"192.168.2.0/24", NULL},
	};
	const struct net_seen seen = {routes, ARRAY_SIZE(routes)};
	(void)st;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct ipaddr net;
		assert_int_equal(ifconf_parse_prefix(table[i].net, &net), 0);
		const struct net_route *r = network_overlap(&seen, &net, "xenbr0");
		assert_string_equal(r ? r->link : "-", table[i].with ? table[i].with : "-");
	}
}

/* ---- firewalls ------------------------------------------------------------------------------------------- */

static void who_has_made_rules(void **st)
{
	(void)st;
	assert_false(network_iptables_used(""));
	assert_false(network_iptables_used("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"));
	assert_false(
		network_iptables_used("*filter\n:forward - [0:0]\n-A forward -j DROP\nCOMMIT\n"));
	assert_false(network_iptables_used("# Table `nat' is incompatible, use 'nft' tool.\n"));
	assert_true(network_iptables_used("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"));
	assert_true(network_iptables_used(
		"*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\n"));
}

static void chains_that_drop(void **st)
{
	static const char listed[] =
		"table inet strict {\n\tchain f {\n"
		"\t\ttype filter hook forward priority filter; policy drop;\n\t}\n"
		"\tchain in {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n"
		"table ip6 strict {\n\tchain f {\n"
		"\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n"
		"table ip filter {\n\tchain FORWARD {\n"
		"\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n"
		"table ip open {\n\tchain f {\n"
		"\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}\n";
	bool firewalld = true;
	(void)st;
	char **c = network_drop_chains(listed, &firewalld);
	assert_string_equal(c[0], "inet strict f");
	assert_string_equal(c[1], "ip filter FORWARD");
	assert_null(c[2]);
	assert_false(firewalld);
	for (size_t i = 0; c[i]; i++)
		free(c[i]);
	free(c);
	c = network_drop_chains("table inet firewalld {\n\tchain filter_FORWARD {\n"
				"\t\ttype filter hook forward priority filter + 10; policy drop;\n",
		&firewalld);
	assert_null(c[0]);
	assert_true(firewalld);
	free(c);
}

static void a_table_shows_what_it_was_made_of(void **st)
{
	(void)st;
	_cleanup_json_ json_t *a = network_nft_table("one @\ntwo @\n");
	_cleanup_json_ json_t *b = network_nft_table("one @\ntwx @\n");
	assert_int_equal(json_int_opt(a, "rules", 0), 2);
	assert_true(thing_nft_table.same(a, a));
	assert_false(thing_nft_table.same(a, b));
	json_object_set_new(b, "mark", json_incref(json_object_get(a, "mark")));
	json_object_set_new(b, "rules", json_integer(1));
	assert_false(thing_nft_table.same(b, a));
}

static void macs(void **st)
{
	(void)st;
	uint8_t a[IFCONF_MAC_LEN];
	uint8_t b[IFCONF_MAC_LEN];
	network_mac("xenbr0", a);
	network_mac("xenbr1", b);
	assert_int_equal(a[0] & 3, 2); /* of one station, locally administered */
	assert_memory_not_equal(a, b, sizeof(a));
	network_mac("xenbr0", b);
	assert_memory_equal(a, b, sizeof(a));
}

/* ---- what is asked for ----------------------------------------------------------------------------------- */

static void asked_done(struct network_ask *a)
{
	free(a->bridge);
	free(a->address);
	free(a->out);
}

static void refused(const char *bridge, const char *address, const char *want)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_(asked_done) struct network_ask a = {.firewall = -1, .persistent = -1, .port = -1};
	a.bridge = bridge ? xstrdup(bridge) : NULL;
	a.address = address ? xstrdup(address) : NULL;
	assert_int_equal(network_complete(&a, NULL, &err), -1);
	assert_non_null(strstr(err_msg(&err), want));
}

static void bad_questions(void **st)
{
	static const char *const addresses[] = {"", "10.1.1.1", "10.1.1.1/31", "10.1.1.1/7",
		"10.1.1.0/24", "10.1.1.255/24", "127.0.0.1/8", "0.0.0.1/24", "224.0.0.1/24",
		"fd00::1/64", "10.1.1.1/24 ", "10.1.1.256/24"};
	static const char *const names[] = {"", "a b", "a/b", "abcdefghij", "..", "-x", "a\"b"};
	(void)st;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		refused(NULL, addresses[i], "--address=");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		refused(names[i], NULL, "--bridge=");
}

static void the_record_fills_in(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_(asked_done) struct network_ask a = {
		.firewall = -1, .persistent = -1, .port = -1, .address = xstrdup("10.2.2.1/24")};
	_cleanup_json_ json_t *record = json_make("{s:{s:s,s:s,s:s,s:i,s:b,s:b}}", "options",
		"bridge", "br7", "address", "10.3.3.1/24", "out", "wlan0", "firewall", NET_IPTABLES,
		"persistent", 1, "port", 0);
	assert_ok(network_complete(&a, record, &err), &err);
	assert_string_equal(a.bridge, "br7");
	assert_string_equal(a.address, "10.2.2.1/24");
	assert_string_equal(a.out, "wlan0");
	assert_int_equal(a.firewall, NET_IPTABLES);
	assert_int_equal(a.persistent, 1);
	assert_int_equal(a.port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_way_out),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(who_has_made_rules),
		cmocka_unit_test(chains_that_drop),
		cmocka_unit_test(a_table_shows_what_it_was_made_of),
		cmocka_unit_test(macs),
		cmocka_unit_test(bad_questions),
		cmocka_unit_test(the_record_fills_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
