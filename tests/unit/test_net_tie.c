/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tie with traffic: a guest's namespace, whose interface is the far end of a veth that stands for
 * the vif, tied in the pod's namespace to a veth as CNI plugins make it, whose far end is the host's.
 */
/* LINK: net proto base */
/* LIBS: nl-3 */
/* WITH: netkit.c framekit.c */
#include "unit.h"

#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "framekit.h"
#include "net/apply.h"
#include "net/dump.h"
#include "net/netns.h"
#include "net/tie.h"
#include "netkit.h"

#define MAC   "02:00:00:00:00:10"
#define OTHER "02:00:00:00:00:11"
#define HOST  "10.1.0.1"
#define GUEST "10.1.0.2"
#define HOST6 "fd00::1"
#define SELF6 "fd00::2"
#define JUMBO 9000

static struct {
	int pod;
	int guest;
	json_t *ifconf;
} net;

static int apply_here(void *arg, struct err *err)
{
	return apply_interface(arg, NETKIT_MS, err);
}

/* All but the tie. */
static int setup(void **state)
{
	struct err err = {0};
	if (netkit_setup(state) < 0)
		return -1;
	net.pod = netkit_ns("pod");
	net.guest = netkit_ns("guest");
	netkit_sh("ip link add host0 mtu 9000 type veth peer name eth0 mtu 9000 address " MAC
		  " netns pod && ip addr add " HOST "/24 dev host0"
		  " && ip addr add " HOST6 "/64 dev host0 nodad && ip link set host0 up"
		  " && ip -n pod addr add " GUEST "/24 dev eth0"
		  " && ip -n pod addr add " SELF6 "/64 dev eth0 nodad"
		  " && ip -n pod link set eth0 up && ip -n pod route add default via " HOST);
	netkit_sh("ip link add vif7.0 type veth peer name enX0 address " MAC " netns guest");
	assert_ok(dump_interface(net.pod, "eth0", &net.ifconf, &err), &err);
	assert_ok(netns_run(net.guest, apply_here, net.ifconf, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	json_decref(net.ifconf);
	close(net.pod);
	close(net.guest);
	return netkit_teardown(state);
}

static void tie(bool dhcp, bool guard)
{
	struct err err = {0};
	const struct tie t = {
		.vif = "vif0", .cni = "eth0", .dhcp = dhcp, .guard = guard ? net.ifconf : NULL};
	assert_ok(tie_move("vif7.0", net.pod, t.vif, &err), &err);
	assert_ok(tie_make(net.pod, &t, &err), &err);
	/* Until the kernel has noticed that the other end is up, it drops what is sent. */
	netkit_sh("for i in $(seq 100); do ip -n guest link show dev eth0 | grep -q 'state UP' &&"
		  " ip -n pod link show dev vif0 | grep -q 'state UP' && exit; sleep 0.02; done; "
		  "false");
}

/* ---- traffic ----------------------------------------------------------------------------------- */

/* A datagram there and back. */
static void talk(int from, const char *from_ip, int to, const char *to_ip, size_t len)
{
	_cleanup_free_ char *data = xcalloc(1, len);
	_cleanup_fd_ int server = netkit_udp(to, to_ip, 7);
	_cleanup_fd_ int client = netkit_udp(from, from_ip, 1007);
	netkit_send(client, to_ip, 7, data, len);
	netkit_echo(server, len);
	netkit_recv(client, len);
}

static void talk_all(void)
{
	talk(net.guest, GUEST, NETNS_OWN, HOST, 10);
	talk(NETNS_OWN, HOST, net.guest, GUEST, 10);
	talk(net.guest, SELF6, NETNS_OWN, HOST6, 10);
	talk(NETNS_OWN, HOST6, net.guest, SELF6, 10);
}

static void both_ways(void **state)
{
	(void)state;
	tie(false, false);
	talk_all();
	/* Nothing of the pod's namespace took part. */
	netkit_sh("! ip -n pod neigh show dev eth0 | grep -q .");
	netkit_sh("[ -z \"$(ip -n pod addr show dev vif0 | grep inet)\" ]");
}

static void both_ways_guarded(void **state)
{
	(void)state;
	tie(false, true);
	talk_all();
}

static void both_ways_with_dhcp(void **state)
{
	(void)state;
	tie(true, true);
	talk_all();
}

/* What is as long as the MTU allows, and must not be cut into pieces. */
static void jumbo_frames(void **state)
{
	const int whole = IP_PMTUDISC_DO;
	const size_t len = JUMBO - 20 - 8;
	_cleanup_free_ char *data = xcalloc(1, len);
	(void)state;
	tie(false, true);
	netkit_sh("ip -n pod link show vif0 | grep -q 'mtu 9000'");
	talk(net.guest, GUEST, NETNS_OWN, HOST, len);
	talk(NETNS_OWN, HOST, net.guest, GUEST, len);
	_cleanup_fd_ int server = netkit_udp(NETNS_OWN, HOST, 7);
	_cleanup_fd_ int client = netkit_udp(net.guest, GUEST, 1007);
	assert_int_equal(setsockopt(client, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof whole), 0);
	netkit_send(client, HOST, 7, data, len);
	netkit_recv(server, len);
}

/* Segments that the sender leaves to the device: larger than any MTU, checksums open. */
static void a_stream(void **state)
{
	const size_t len = 1 << 20;
	_cleanup_free_ char *sent = xmalloc(len);
	_cleanup_free_ char *got = xmalloc(len);
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(7), .sin_addr = {INADDR_ANY}};
	const int room = 1 << 22;
	(void)state;
	tie(false, true);
	_cleanup_fd_ int listener = netkit_socket(NETNS_OWN, AF_INET, SOCK_STREAM, 0);
	_cleanup_fd_ int client = netkit_socket(net.guest, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room), 0);
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room), 0);
	assert_int_equal(bind(listener, (void *)&at, sizeof at), 0);
	assert_int_equal(listen(listener, 1), 0);
	at.sin_addr.s_addr = htonl(0x0a010001);
	assert_int_equal(connect(client, (void *)&at, sizeof at), 0);
	_cleanup_fd_ int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(server >= 0);
	for (size_t i = 0; i < len; i++)
		sent[i] = (char)(i * 31 >> 3);
	assert_int_equal(send(client, sent, len, 0), len);
	assert_int_equal(recv(server, got, len, MSG_WAITALL), len);
	assert_memory_equal(sent, got, len);
}

/* ---- the guard --------------------------------------------------------------------------------- */

static struct {
	int guest; /* packets, raw */
	int host;
} wire;

static void open_wire(void)
{
	wire.guest = netkit_packet(net.guest, "eth0", SOCK_RAW, 0);
	wire.host = netkit_packet(NETNS_OWN, "host0", SOCK_RAW, ETH_P_ALL);
}

static void close_wire(void)
{
	close(wire.guest);
	close(wire.host);
}

/* Does a frame that the guest sends arrive, looking like `as`? One that passes is sent after it. */
static bool arrives(const struct frame *f, const struct frame *as)
{
	static int port = 1000;
	bool seen = false;
	uint8_t got[JUMBO];
	struct frame mark = frame_udp4(MAC, GUEST, HOST, 1, ++port);
	assert_int_equal(send(wire.guest, f->b, f->n, 0), f->n);
	assert_int_equal(send(wire.guest, mark.b, mark.n, 0), mark.n);
	for (;;) {
		ssize_t n = recv(wire.host, got, sizeof got, 0);
		if (n < 0)
			fail_msg("nothing arrives: %s", strerror(errno));
		if (n == (ssize_t)mark.n && memcmp(got, mark.b, mark.n) == 0)
			return seen;
		seen = seen || (n == (ssize_t)as->n && memcmp(got, as->b, as->n) == 0);
	}
}

static void check(struct frame f, bool want, const char *what)
{
	if (arrives(&f, &f) != want)
		fail_msg("%s: %s", what, want ? "must arrive" : "must not arrive");
}
#define must_arrive(f) check(f, true, #f)
#define must_not(f)    check(f, false, #f)

static struct frame vlan_frame(void)
{
	struct frame inner = frame_udp4(MAC, GUEST, HOST, 1, 4095);
	struct frame f = frame_eth(MAC, ETHERTYPE_VLAN);
	const uint8_t tag[] = {0, 5, 8, 0};
	frame_add(&f, tag, sizeof tag);
	frame_add(&f, inner.b + ETHER_HDR_LEN, inner.n - ETHER_HDR_LEN);
	return f;
}

/* A packet socket is given the tag apart, see packet(7). */
static bool vlan_arrives(void)
{
	struct frame tagged = vlan_frame();
	struct frame as = frame_udp4(MAC, GUEST, HOST, 1, 4095);
	return arrives(&tagged, &as);
}

static void check_spoofed(bool arrive)
{
	check(frame_udp4(MAC, "10.1.0.9", HOST, 1, 2), arrive, "IPv4 source");
	check(frame_udp4(OTHER, GUEST, HOST, 1, 2), arrive, "MAC");
	check(frame_arp(MAC, MAC, HOST), arrive, "ARP sender's IP");
	check(frame_arp(MAC, OTHER, GUEST), arrive, "ARP sender's MAC");
	check(frame_nd(MAC, "fd00::9", ICMP6_ECHO_REQUEST, "::"), arrive, "IPv6 source");
	check(frame_nd(MAC, SELF6, ND_NEIGHBOR_ADVERT, HOST6), arrive, "neighbour");
	check(frame_eth(MAC, 0x88cc), arrive, "LLDP");
	assert_int_equal(vlan_arrives(), arrive);
}

static void without_a_guard_spoofed_frames_arrive(void **state)
{
	(void)state;
	tie(false, false);
	open_wire();
	check_spoofed(true);
	close_wire();
}

static void with_a_guard_spoofed_frames_are_dropped(void **state)
{
	(void)state;
	uint8_t got[JUMBO];
	tie(false, true);
	/* Behind tc: what this sees, the namespace's own stack would take. */
	_cleanup_fd_ int stack = netkit_packet(net.pod, "vif0", SOCK_DGRAM, ETH_P_IP);
	open_wire();
	check_spoofed(false);
	assert_int_equal(recv(stack, got, sizeof got, MSG_DONTWAIT), -1);
	must_arrive(frame_arp(MAC, MAC, GUEST));
	must_arrive(frame_nd(MAC, SELF6, ND_NEIGHBOR_ADVERT, SELF6));
	must_not(frame_udp4(MAC, "0.0.0.0", "255.255.255.255", 68, 67));
	close_wire();
}

static void with_dhcp_a_client_may_ask(void **state)
{
	(void)state;
	tie(true, true);
	open_wire();
	check_spoofed(false);
	must_arrive(frame_udp4(MAC, "0.0.0.0", "255.255.255.255", 68, 67));
	close_wire();
}

/* ---- DHCP -------------------------------------------------------------------------------------- */

/* As CNI's dhcp daemon listens: after tc, unlike a socket for every protocol. */
static void answers_reach_the_daemon(void **state)
{
	uint8_t got[JUMBO];
	(void)state;
	tie(true, false);
	_cleanup_fd_ int daemon = netkit_packet(net.pod, "eth0", SOCK_DGRAM, ETH_P_IP);
	_cleanup_fd_ int host = netkit_udp(NETNS_OWN, HOST, 67);
	_cleanup_fd_ int client = netkit_udp(net.guest, GUEST, 68);
	_cleanup_fd_ int other = netkit_udp(net.guest, GUEST, 69);
	netkit_send(host, GUEST, 68, "lease", 5);
	assert_int_equal(recv(daemon, got, sizeof got, 0), 20 + 8 + 5);
	assert_int_equal(got[22] << 8 | got[23], 68);
	netkit_send(host, GUEST, 69, "else", 4);
	netkit_recv(other, 4);
	assert_int_equal(recv(client, got, sizeof got, MSG_DONTWAIT), -1);
	assert_int_equal(recv(daemon, got, sizeof got, MSG_DONTWAIT), -1);
}

static void without_dhcp_the_guest_has_them(void **state)
{
	uint8_t got[JUMBO];
	(void)state;
	tie(false, false);
	_cleanup_fd_ int daemon = netkit_packet(net.pod, "eth0", SOCK_DGRAM, ETH_P_IP);
	_cleanup_fd_ int host = netkit_udp(NETNS_OWN, HOST, 67);
	_cleanup_fd_ int client = netkit_udp(net.guest, GUEST, 68);
	netkit_send(host, GUEST, 68, "lease", 5);
	netkit_recv(client, 5);
	assert_int_equal(recv(daemon, got, sizeof got, MSG_DONTWAIT), -1);
}

/* ---- again ------------------------------------------------------------------------------------- */

static char *rules(void)
{
	return netkit_read("for i in eth0 vif0; do tc -n pod filter show dev $i ingress;"
			   " tc -n pod qdisc show dev $i; done | sed 's/index [0-9]*//'");
}

static void tying_again_changes_nothing(void **state)
{
	struct err err = {0};
	(void)state;
	tie(true, true);
	_cleanup_free_ char *before = rules();
	tie(true, true);
	_cleanup_free_ char *after = rules();
	assert_string_equal(before, after);
	assert_non_null(strstr(before, "Redirect to device vif0"));
	assert_non_null(strstr(before, "Redirect to device eth0"));
	talk_all();
	assert_fails(tie_move("vif7.0", net.pod, "vif1", &err), &err, ERR_NOTFOUND, "vif7.0");
}

/* Killed between any two steps. */
static void half_a_tie_is_completed(void **state)
{
	(void)state;
	netkit_sh("ip link set vif7.0 netns pod && ip -n pod link set vif7.0 up"
		  " && tc -n pod qdisc add dev eth0 ingress");
	tie(false, true);
	talk_all();
}

/* What is asked for last is what holds. */
static void another_tie_takes_the_place(void **state)
{
	(void)state;
	tie(true, false);
	tie(false, true);
	_cleanup_free_ char *one = rules();
	open_wire();
	check_spoofed(false);
	close_wire();
	tie(true, false);
	tie(false, true);
	_cleanup_free_ char *two = rules();
	assert_string_equal(one, two);
}

static void what_is_missing_is_named(void **state)
{
	struct err err = {0};
	struct tie t = {.vif = "vif0", .cni = "eth7"};
	(void)state;
	assert_fails(tie_move("vif8.0", net.pod, "vif0", &err), &err, ERR_NOTFOUND, "vif8.0");
	assert_ok(tie_move("vif7.0", net.pod, "vif0", &err), &err);
	assert_fails(tie_make(net.pod, &t, &err), &err, ERR_NOTFOUND,
		"tie vif0 to eth7: there is no interface eth7");
	t.cni = "eth0";
	json_object_set_new(net.ifconf, "mac", json_string("x"));
	t.guard = net.ifconf;
	assert_fails(tie_make(net.pod, &t, &err), &err, ERR_INVALID, "mac");
	netkit_sh("ip link add vif8.0 type veth peer name x8");
	assert_fails(tie_move("vif8.0", net.pod, "eth0", &err), &err, ERR_EXISTS, "eth0");
}

#define tie_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	tie_test(both_ways),
	tie_test(both_ways_guarded),
	tie_test(both_ways_with_dhcp),
	tie_test(jumbo_frames),
	tie_test(a_stream),
	tie_test(without_a_guard_spoofed_frames_arrive),
	tie_test(with_a_guard_spoofed_frames_are_dropped),
	tie_test(with_dhcp_a_client_may_ask),
	tie_test(answers_reach_the_daemon),
	tie_test(without_dhcp_the_guest_has_them),
	tie_test(tying_again_changes_nothing),
	tie_test(half_a_tie_is_completed),
	tie_test(another_tie_takes_the_place),
	tie_test(what_is_missing_is_named),
};

UNIT_MAIN(tests, NULL, NULL)
