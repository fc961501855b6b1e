/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames pass: the programs of a tie, run by the kernel on a socket. */
/* LINK: net proto base */
/* WITH: framekit.c */
#include "unit.h"

#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "framekit.h"
#include "net/filter.h"
#include "proto/ifconf.h"

#define MINE        "02:00:00:00:00:10"
#define MINE_LOCAL  "fe80::ff:fe00:10"
#define OTHER       "02:00:00:00:00:11"
#define OTHER_LOCAL "fe80::ff:fe00:11"
#define HOST        "10.1.0.1"

static int pair[2] = {-1, -1};

/* The kernel checks the program: no jump out of it, no step that is never reached. */
static void use(const struct filter *f)
{
	struct filter copy = *f;
	const struct sock_fprog prog = {.len = (unsigned short)copy.n, .filter = copy.op};
	if (pair[0] >= 0) {
		close(pair[0]);
		close(pair[1]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog), 0);
}

/* What a socket's filter refuses is dropped without a word. */
static bool passes(const struct frame *f)
{
	uint8_t got[FRAME_MAX];
	assert_int_equal(send(pair[0], f->b, f->n, 0), f->n);
	ssize_t n = recv(pair[1], got, sizeof got, MSG_DONTWAIT);
	assert_true(n == (ssize_t)f->n || (n < 0 && errno == EAGAIN));
	return n > 0;
}

static void check(struct frame f, bool want, const char *what)
{
	if (passes(&f) != want)
		fail_msg("%s: %s", what, want ? "must pass" : "must not pass");
}
#define must_pass(f) check(f, true, #f)
#define must_drop(f) check(f, false, #f)

static json_t *guest(void)
{
	return json_make("{s:s, s:s, s:i, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}], s:[], s:[]}",
		"ifname", "eth0", "mac", MINE, "mtu", 1500, "addresses", "local", "10.1.0.2/24",
		"scope", "global", "local", "10.9.0.3/24", "scope", "global", "local", "fd00::2/64",
		"scope", "global", "routes", "neighbours");
}

static void use_guard(bool dhcp)
{
	struct err err = {0};
	struct filter f;
	_cleanup_json_ json_t *j = guest();
	assert_ok(ifconf_check(j, &err), &err);
	filter_guard(&f, j, dhcp);
	use(&f);
}

static struct frame dhcp_question(const char *src, int sport, int dport)
{
	return frame_udp4(MINE, src, "255.255.255.255", sport, dport);
}

static void ip4_only_from_its_own(void **state)
{
	(void)state;
	use_guard(false);
	must_pass(frame_udp4(MINE, "10.1.0.2", HOST, 1, 2));
	must_pass(frame_udp4(MINE, "10.9.0.3", HOST, 1, 2));
	must_drop(frame_udp4(OTHER, "10.1.0.2", HOST, 1, 2));
	must_drop(frame_udp4("03:00:00:00:00:10", "10.1.0.2", HOST, 1, 2));
	must_drop(frame_udp4("02:00:00:00:01:10", "10.1.0.2", HOST, 1, 2));
	must_drop(frame_udp4(MINE, "10.1.0.3", HOST, 1, 2));
	must_drop(frame_udp4(MINE, "0.0.0.0", HOST, 1, 2));
	must_drop(frame_udp4(MINE, HOST, "10.1.0.2", 1, 2));
	must_drop(dhcp_question("0.0.0.0", 68, 67));
}

static void a_dhcp_client_may_ask(void **state)
{
	(void)state;
	use_guard(true);
	must_pass(frame_udp4(MINE, "10.1.0.2", HOST, 1, 2));
	must_pass(dhcp_question("0.0.0.0", 68, 67));
	must_pass(dhcp_question("10.1.0.2", 68, 67));
	must_drop(dhcp_question("0.0.0.0", 67, 68));
	must_drop(dhcp_question("0.0.0.0", 68, 53));
	must_drop(dhcp_question("0.0.0.0", 1068, 67));
	must_drop(dhcp_question("10.1.0.9", 68, 67));
	struct frame f = dhcp_question("0.0.0.0", 68, 67);
	f.b[ETHER_HDR_LEN + 7] = 1; /* not the first fragment */
	must_drop(f);
	f = dhcp_question("0.0.0.0", 68, 67);
	f.b[ETHER_HDR_LEN + 9] = IPPROTO_TCP;
	must_drop(f);
	f = dhcp_question("0.0.0.0", 68, 67);
	f.b[ETHER_HDR_LEN] = 0x46; /* options: the ports are elsewhere */
	must_drop(f);
}

static void arp_only_for_its_own(void **state)
{
	(void)state;
	use_guard(true);
	must_pass(frame_arp(MINE, MINE, "10.1.0.2"));
	must_pass(frame_arp(MINE, MINE, "10.9.0.3"));
	must_drop(frame_arp(OTHER, MINE, "10.1.0.2"));
	must_drop(frame_arp(MINE, OTHER, "10.1.0.2"));
	must_drop(frame_arp(MINE, MINE, HOST));
	must_drop(frame_arp(MINE, MINE, "0.0.0.0"));
	struct frame f = frame_arp(MINE, MINE, "10.1.0.2");
	f.b[ETHER_HDR_LEN + 1] = 6; /* IEEE 802's ARP, which some kernels take for Ethernet's */
	must_drop(f);
	f = frame_arp(MINE, MINE, "10.1.0.2");
	f.b[ETHER_HDR_LEN + 4] = 8;
	must_drop(f);
}

static void ip6_only_from_its_own(void **state)
{
	(void)state;
	use_guard(false);
	must_pass(frame_ip6(MINE, "fd00::2", IPPROTO_UDP));
	must_pass(frame_ip6(MINE, MINE_LOCAL, IPPROTO_UDP));
	must_pass(frame_ip6(MINE, "fd00::2", IPPROTO_FRAGMENT));
	must_drop(frame_ip6(OTHER, "fd00::2", IPPROTO_UDP));
	must_drop(frame_ip6(MINE, "fd00::3", IPPROTO_UDP));
	must_drop(frame_ip6(MINE, "fd01::2", IPPROTO_UDP));
	must_drop(frame_ip6(MINE, OTHER_LOCAL, IPPROTO_UDP));
	must_drop(frame_ip6(MINE, "::", IPPROTO_UDP));
	must_drop(frame_ip6(MINE, "fd00::2", IPPROTO_ROUTING));
	must_drop(frame_ip6(MINE, "fd00::2", IPPROTO_DSTOPTS));
}

static void neighbours_are_not_deceived(void **state)
{
	(void)state;
	use_guard(false);
	must_pass(frame_nd(MINE, "fd00::2", ND_NEIGHBOR_ADVERT, "fd00::2"));
	must_pass(frame_nd(MINE, "fd00::2", ND_NEIGHBOR_ADVERT, MINE_LOCAL));
	must_pass(frame_nd(MINE, MINE_LOCAL, ND_NEIGHBOR_SOLICIT, "fd00::1"));
	must_pass(frame_nd(MINE, MINE_LOCAL, ND_ROUTER_SOLICIT, "::"));
	must_pass(frame_nd(MINE, "fd00::2", ICMP6_ECHO_REQUEST, "::"));
	must_pass(frame_nd(MINE, "::", ND_NEIGHBOR_SOLICIT, "fd00::2"));
	must_drop(frame_nd(MINE, "fd00::2", ND_NEIGHBOR_ADVERT, "fd00::1"));
	must_drop(frame_nd(MINE, "fd00::1", ND_NEIGHBOR_ADVERT, "fd00::2"));
	must_drop(frame_nd(MINE, MINE_LOCAL, ND_ROUTER_ADVERT, "::"));
	must_drop(frame_nd(MINE, MINE_LOCAL, ND_REDIRECT, "fd00::9"));
	must_drop(frame_nd(MINE, "::", ND_NEIGHBOR_ADVERT, "fd00::2"));
	must_drop(frame_nd(MINE, "::", ICMP6_ECHO_REQUEST, "::"));
}

static struct frame behind_hop(const char *src, int next, int len, int type)
{
	struct frame f = frame_ip6(MINE, src, IPPROTO_HOPOPTS);
	const uint8_t hop[] = {(uint8_t)next, (uint8_t)len, 5, 2, 0, 0, 1, 0};
	const uint8_t icmp[24] = {(uint8_t)type};
	frame_add(&f, hop, sizeof hop);
	frame_add(&f, icmp, sizeof icmp);
	return f;
}

static void nothing_hides_behind_a_header(void **state)
{
	(void)state;
	use_guard(false);
	must_pass(behind_hop(MINE_LOCAL, IPPROTO_ICMPV6, 0, MLD_LISTENER_REPORT));
	must_pass(behind_hop(MINE_LOCAL, IPPROTO_ICMPV6, 0, MLD_LISTENER_REDUCTION));
	must_pass(behind_hop("::", IPPROTO_ICMPV6, 0, 143));
	must_drop(behind_hop("fd00::9", IPPROTO_ICMPV6, 0, 143));
	must_drop(behind_hop(MINE_LOCAL, IPPROTO_ICMPV6, 0, ND_NEIGHBOR_ADVERT));
	must_drop(behind_hop(MINE_LOCAL, IPPROTO_ICMPV6, 0, ND_ROUTER_ADVERT));
	must_drop(behind_hop(MINE_LOCAL, IPPROTO_ICMPV6, 1, 143));
	must_drop(behind_hop(MINE_LOCAL, IPPROTO_UDP, 0, 143));
}

static void nothing_else_passes(void **state)
{
	(void)state;
	use_guard(true);
	struct frame f = frame_eth(MINE, ETHERTYPE_VLAN);
	frame_add(&f, "0123456789012345678901234567890123456789", 40);
	must_drop(f);
	f = frame_eth(MINE, 0x88cc); /* LLDP */
	frame_add(&f, "0123456789012345678901234567890123456789", 40);
	must_drop(f);
	must_drop(frame_eth(MINE, ETHERTYPE_IP));
	f = frame_nd(MINE, "fd00::2", ND_NEIGHBOR_ADVERT, "fd00::2");
	while (f.n-- > 1) { /* cut short anywhere: the target's end is its last byte */
		if (passes(&f))
			fail_msg("%zu bytes of an advertisement pass", f.n);
	}
}

/* With all the addresses that an ifconf may have, each passes, and no jump is too far. */
static void as_many_addresses_as_there_can_be(void **state)
{
	struct err err = {0};
	struct filter f;
	char text[IFCONF_ADDR_TEXT];
	(void)state;
	for (int six = 0; six < 2; six++) {
		_cleanup_json_ json_t *j = guest();
		json_t *a = json_object_get(j, "addresses");
		json_array_clear(a);
		for (int i = 0; i < IFCONF_MAX_ADDRESSES; i++) {
			snprintf(text, sizeof text, six ? "fd00::%x/64" : "10.1.0.%d/24", i);
			json_array_append_new(
				a, json_make("{s:s, s:s}", "local", text, "scope", "global"));
		}
		assert_ok(ifconf_check(j, &err), &err);
		filter_guard(&f, j, true);
		use(&f);
		for (int i = 0; i <= IFCONF_MAX_ADDRESSES; i++) {
			snprintf(text, sizeof text, six ? "fd00::%x" : "10.1.0.%d", i);
			bool want = i < IFCONF_MAX_ADDRESSES;
			check(six ? frame_ip6(MINE, text, IPPROTO_UDP)
				  : frame_udp4(MINE, text, HOST, 1, 2),
				want, text);
			if (six)
				check(frame_nd(MINE, "fd00::1", ND_NEIGHBOR_ADVERT, text), want,
					text);
		}
	}
}

static void without_a_guard_all_passes(void **state)
{
	struct filter f;
	(void)state;
	filter_all(&f);
	use(&f);
	must_pass(frame_udp4(OTHER, HOST, HOST, 67, 68));
	must_pass(frame_eth(OTHER, 0x88cc));
}

static void what_is_for_a_dhcp_client_stays(void **state)
{
	struct filter f;
	(void)state;
	filter_no_dhcp(&f);
	use(&f);
	must_drop(frame_udp4(OTHER, HOST, "10.1.0.2", 67, 68));
	must_pass(frame_udp4(OTHER, HOST, "10.1.0.2", 68, 67));
	must_pass(frame_ip4(OTHER, HOST, "10.1.0.2", IPPROTO_TCP));
	must_pass(frame_arp(OTHER, OTHER, HOST));
	must_pass(frame_nd(OTHER, "fd00::1", ND_NEIGHBOR_SOLICIT, "fd00::2"));
	struct frame frag = frame_udp4(OTHER, HOST, "10.1.0.2", 67, 68);
	frag.b[ETHER_HDR_LEN + 7] = 9;
	must_pass(frag);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ip4_only_from_its_own),
	cmocka_unit_test(a_dhcp_client_may_ask),
	cmocka_unit_test(arp_only_for_its_own),
	cmocka_unit_test(ip6_only_from_its_own),
	cmocka_unit_test(neighbours_are_not_deceived),
	cmocka_unit_test(nothing_hides_behind_a_header),
	cmocka_unit_test(nothing_else_passes),
	cmocka_unit_test(as_many_addresses_as_there_can_be),
	cmocka_unit_test(without_a_guard_all_passes),
	cmocka_unit_test(what_is_for_a_dhcp_client_stays),
};

UNIT_MAIN(tests, NULL, NULL)
