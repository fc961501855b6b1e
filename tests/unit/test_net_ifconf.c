/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces dumped in one namespace and applied in another: ip(8) and a second dump must agree. */
/* LINK: net proto base */
/* LIBS: nl-3 */
/* WITH: netkit.c */
#include "unit.h"

#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "net/apply.h"
#include "net/dump.h"
#include "net/netns.h"
#include "netkit.h"

#define MAC0 "02:00:00:00:00:10"
#define MAC1 "02:00:00:00:00:11"

/* In `ns`, an interface whose other end, up as well, is in the test's own namespace. */
static void make_link(const char *ns, const char *name, const char *mac, int mtu)
{
	static int n;
	n++;
	netkit_sh(
		"ip link add name far%d mtu %d type veth peer name near%d && ip link set far%d up",
		n, mtu, n, n);
	netkit_sh("ip link set near%d netns %s name %s address %s mtu %d", n, ns, name, mac, mtu);
}

static json_t *dump(int ns, const char *ifname)
{
	struct err err = {0};
	json_t *j = NULL;
	assert_ok(dump_interface(ns, ifname, &j, &err), &err);
	return j;
}

static int apply_here(void *arg, struct err *err)
{
	return apply_interface(arg, NETKIT_MS, err);
}

static int apply(int ns, json_t *ifconf, struct err *err)
{
	return netns_run(ns, apply_here, ifconf, err);
}

static void assert_same(const json_t *a, const json_t *b)
{
	_cleanup_free_ char *x = json_dumps(a, JSON_INDENT(1) | JSON_SORT_KEYS);
	_cleanup_free_ char *y = json_dumps(b, JSON_INDENT(1) | JSON_SORT_KEYS);
	assert_string_equal(x, y);
}

/* What ip(8) shows of an interface, without what two namespaces may differ in. */
static char *shown(const char *ns, const char *ifname)
{
	return netkit_read("for f in -4 -6; do ip -n %s $f route show dev %s;"
			   " ip -n %s -o $f addr show dev %s; done |"
			   " sed -E 's/^[0-9]+: //; s/@if[0-9]+//; s/ proto [a-z0-9_]+//g;"
			   " s/ (noprefixroute|nodad|tentative)//g; /fe80::/d' | sort",
		ns, ifname, ns, ifname);
}

/* Dumped from `from`, applied in `to` to a fresh interface with that MAC: all must be the same. */
static json_t *round_trip(int from, int to)
{
	struct err err = {0};
	json_t *was = dump(from, "eth0");
	make_link("guest", "enX0", MAC0, 1500);
	assert_ok(apply(to, was, &err), &err);
	_cleanup_json_ json_t *is = dump(to, "eth0");
	assert_same(was, is);
	_cleanup_free_ char *ip_was = shown("pod", "eth0");
	_cleanup_free_ char *ip_is = shown("guest", "eth0");
	assert_string_equal(ip_was, ip_is);
	/* Once more changes nothing. */
	assert_ok(apply(to, was, &err), &err);
	_cleanup_json_ json_t *again = dump(to, "eth0");
	assert_same(was, again);
	return was;
}

/* What CNI's ptp leaves, which its result does not say (design: Network). */
static void what_ptp_makes(void **state)
{
	int pod = netkit_ns("pod");
	int guest = netkit_ns("guest");
	(void)state;
	make_link("pod", "eth0", MAC0, 1500);
	netkit_sh("ip -n pod link set eth0 up"
		  " && ip -n pod addr add 172.16.28.2/24 brd + dev eth0"
		  " && ip -n pod route del 172.16.28.0/24 dev eth0"
		  " && ip -n pod route add 172.16.28.1/32 dev eth0 scope link src 172.16.28.2"
		  " && ip -n pod route add 172.16.28.0/24 via 172.16.28.1 src 172.16.28.2"
		  " && ip -n pod route add default via 172.16.28.1");
	_cleanup_json_ json_t *j = round_trip(pod, guest);
	const char want[] = "{\"ifname\":\"eth0\",\"mac\":\"" MAC0 "\",\"mtu\":1500,"
			    "\"addresses\":[{\"local\":\"172.16.28.2/24\","
			    "\"broadcast\":\"172.16.28.255\",\"scope\":\"global\"}],"
			    "\"routes\":[{\"scope\":\"link\",\"src\":\"172.16.28.2\","
			    "\"dst\":\"172.16.28.1/32\"},"
			    "{\"via\":\"172.16.28.1\",\"scope\":\"global\",\"dst\":\"default\"},"
			    "{\"via\":\"172.16.28.1\",\"scope\":\"global\",\"src\":\"172.16.28.2\","
			    "\"dst\":\"172.16.28.0/24\"}],\"neighbours\":[]}";
	_cleanup_free_ char *text = json_text(j);
	assert_string_equal(text, want);
	close(pod);
	close(guest);
}

static void all_that_an_ifconf_can_say(void **state)
{
	int pod = netkit_ns("pod");
	int guest = netkit_ns("guest");
	(void)state;
	make_link("pod", "eth0", MAC0, 9000);
	netkit_sh("ip -n pod link set eth0 up"
		  " && ip -n pod addr add 10.1.0.2/16 dev eth0"
		  " && ip -n pod addr add 10.1.0.3/16 dev eth0"
		  " && ip -n pod addr add 10.20.0.2/24 dev eth0"
		  " && ip -n pod route del 10.20.0.0/24 dev eth0"
		  " && ip -n pod addr add 10.9.0.1 peer 10.9.0.2/32 dev eth0 scope link"
		  " && ip -n pod addr add fd00::2/64 dev eth0 nodad"
		  " && ip -n pod addr add fd01::2 peer fd01::1/128 dev eth0 nodad"
		  " && ip -n pod addr add fe80::42/64 dev eth0 nodad");
	netkit_sh("ip -n pod route add default via 10.1.0.1 metric 100 mtu 1400"
		  " && ip -n pod route add default via 10.1.0.9 metric 200 src 10.1.0.3"
		  " && ip -n pod route add 192.168.0.0/16 via 10.77.0.1 dev eth0 onlink"
		  " && ip -n pod route add 10.5.0.0/16 via inet6 fe80::1 dev eth0"
		  " && ip -n pod route add 10.6.0.0/16 dev eth0 scope host"
		  " && ip -n pod -6 route add default via fd00::1 mtu 1280"
		  " && ip -n pod -6 route add fd05::/16 via fe80::1 dev eth0 metric 7"
		  " && ip -n pod -6 route add fd06::/32 dev eth0 src fd00::2"
		  " && ip -n pod neigh add 10.1.0.1 lladdr 02:00:00:00:00:01 nud permanent dev eth0"
		  " && ip -n pod neigh add fd00::1 lladdr 02:00:00:00:00:01 nud permanent dev eth0"
		  " && ip -n pod neigh add 10.1.0.7 lladdr 02:00:00:00:00:07 nud stale dev eth0");
	_cleanup_json_ json_t *j = round_trip(pod, guest);
	assert_int_equal(json_integer_value(json_object_get(j, "mtu")), 9000);
	assert_int_equal(json_array_size(json_object_get(j, "addresses")), 7);
	assert_int_equal(json_array_size(json_object_get(j, "routes")), 13);
	assert_int_equal(json_array_size(json_object_get(j, "neighbours")), 2);
	/* No look for duplicates: it can be bound to at once. */
	close(netkit_udp(guest, "fd00::2", 1));
	close(pod);
	close(guest);
}

/* Both names are taken by the other: whichever comes first in the kernel's eyes. */
static void names_are_exchanged(void **state)
{
	struct err err = {0};
	char text[] = "{\"ifname\":\"eth0\",\"mac\":\"" MAC0 "\",\"mtu\":1500,\"addresses\":[],"
		      "\"routes\":[],\"neighbours\":[]}";
	int guest = netkit_ns("guest");
	(void)state;
	make_link("guest", "eth1", MAC0, 1500);
	make_link("guest", "eth0", MAC1, 1500);
	netkit_sh("ip -n guest link set eth0 up");
	for (int i = 0; i < 2; i++) {
		_cleanup_json_ json_t *j = json_parse(text, strlen(text), "ifconf", &err);
		assert_non_null(j);
		if (i == 1) {
			json_object_set_new(j, "ifname", json_string("eth1"));
			json_object_set_new(j, "mac", json_string(MAC1));
		}
		assert_ok(apply(guest, j, &err), &err);
	}
	netkit_sh("ip -n guest -o link show eth0 | grep UP | grep -q " MAC0);
	netkit_sh("ip -n guest -o link show eth1 | grep UP | grep -q " MAC1);
	close(guest);
}

static void what_is_refused_is_named(void **state)
{
	struct err err = {0};
	int guest = netkit_ns("guest");
	(void)state;
	_cleanup_json_ json_t *j = json_make("{s:s, s:s, s:i, s:[], s:[], s:[]}", "ifname", "eth0",
		"mac", MAC0, "mtu", 1500, "addresses", "routes", "neighbours");
	make_link("guest", "enX0", MAC0, 1500);
	make_link("guest", "enX1", MAC0, 1500);
	assert_fails(apply(guest, j, &err), &err, ERR_EXISTS, "both have the MAC " MAC0);
	netkit_sh("ip -n guest link del enX1");
	json_t *routes = json_object_get(j, "routes");
	json_object_set_new(j, "mtu", json_integer(1500));
	json_array_append_new(routes, json_make("{s:s, s:s, s:s}", "dst", "default", "via",
					      "10.200.0.1", "scope", "global"));
	assert_fails(apply(guest, j, &err), &err, ERR_SYSTEM,
		"interface eth0: add the route to default via 10.200.0.1: ");
	json_array_clear(routes);
	json_object_set_new(j, "ifname", json_string("eth0/"));
	assert_fails(apply(guest, j, &err), &err, ERR_INVALID, "ifname");
	close(guest);
}

static int apply_at_once(void *arg, struct err *err)
{
	return apply_interface(arg, 20, err);
}

static void an_interface_that_does_not_come(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *j = json_make("{s:s, s:s, s:i, s:[], s:[], s:[]}", "ifname", "eth0",
		"mac", MAC0, "mtu", 1500, "addresses", "routes", "neighbours");
	(void)state;
	assert_fails(netns_run(NETNS_OWN, apply_at_once, j, &err), &err, ERR_TIMEOUT,
		"interface eth0: no interface with the MAC " MAC0);
}

static void what_cannot_be_carried_is_refused(void **state)
{
	struct err err = {0};
	json_t *j = NULL;
	int pod = netkit_ns("pod");
	(void)state;
	make_link("pod", "eth0", MAC0, 1500);
	netkit_sh("ip -n pod link set eth0 up && ip -n pod addr add 10.1.0.2/24 dev eth0");
	assert_fails(dump_interface(pod, "eth1", &j, &err), &err, ERR_NOTFOUND, "eth1");
	assert_fails(
		dump_interface(pod, "lo", &j, &err), &err, ERR_UNSUPPORTED, "lo is no Ethernet");
	netkit_sh("ip -n pod route add 10.7.0.0/16 nexthop via 10.1.0.1 nexthop via 10.1.0.3");
	assert_fails(dump_interface(pod, "eth0", &j, &err), &err, ERR_UNSUPPORTED,
		"10.7.0.0/16 through eth0 has several next hops");
	netkit_sh("ip -n pod route del 10.7.0.0/16 && ip -n pod route add 10.8.0.0/16 tos 8 dev "
		  "eth0");
	assert_fails(dump_interface(pod, "eth0", &j, &err), &err, ERR_UNSUPPORTED, "10.8.0.0/16");
	netkit_sh("ip -n pod route del 10.8.0.0/16 tos 8 &&"
		  " for i in $(seq 100); do ip -n pod route add 10.9.$i.0/24 dev eth0; done");
	assert_fails(dump_interface(pod, "eth0", &j, &err), &err, ERR_INVALID, "routes");
	assert_null(j);
	close(pod);
}

/* Other tables, other interfaces, other kinds: not the guest's. */
static void only_its_own_is_dumped(void **state)
{
	int pod = netkit_ns("pod");
	(void)state;
	make_link("pod", "eth0", MAC0, 1500);
	make_link("pod", "eth1", MAC1, 1500);
	netkit_sh(
		"ip -n pod link set eth0 up && ip -n pod link set eth1 up"
		" && ip -n pod addr add 10.1.0.2/24 dev eth1"
		" && ip -n pod addr add fd00::1/64 dev eth1"
		" && ip -n pod addr add fd00::5/64 dev eth0 valid_lft 100 preferred_lft 100"
		" && ip -n pod route add 10.2.0.0/16 dev eth0 table 7"
		" && ip -n pod route add blackhole 10.3.0.0/16"
		" && ip -n pod -6 route add fd09::/64 dev eth0 proto ra"
		" && ip -n pod -6 route del fd00::/64 dev eth0"
		" && ip -n pod neigh add 10.1.0.1 lladdr 02:00:00:00:00:01 nud permanent dev eth1");
	_cleanup_json_ json_t *j = dump(pod, "eth0");
	_cleanup_free_ char *text = json_text(j);
	assert_string_equal(text, "{\"ifname\":\"eth0\",\"mac\":\"" MAC0 "\",\"mtu\":1500,"
				  "\"addresses\":[],\"routes\":[],\"neighbours\":[]}");
	close(pod);
}

static const struct CMUnitTest tests[] = {
	net_test(what_ptp_makes),
	net_test(all_that_an_ifconf_can_say),
	net_test(names_are_exchanged),
	net_test(what_is_refused_is_named),
	net_test(an_interface_that_does_not_come),
	net_test(what_cannot_be_carried_is_refused),
	net_test(only_its_own_is_dumped),
};

UNIT_MAIN(tests, NULL, NULL)
