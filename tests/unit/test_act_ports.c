/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarded ports as nftables rules, in a network namespace of the test's own. */
/* LINK: act net proto base */
/* LIBS: nl-3 nftables */
/* WITH: netkit.c */
#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nftables/libnftables.h>

#include "act/ports.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "netkit.h"

#define UUID  "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define OTHER "6ba7b810-9dad-11d1-80b4-00c04fd430c9"

/* What `nft list ruleset` prints; caller frees. */
static char *ruleset(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	assert_non_null(nft);
	nft_ctx_buffer_output(nft);
	assert_int_equal(nft_run_cmd_from_buffer(nft, "list ruleset"), 0);
	char *text = strdup(nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	return text;
}

static bool has_rule(const char *rule)
{
	_cleanup_free_ char *text = ruleset();
	return strstr(text, rule) != NULL;
}

static void assert_rules(const char *const *rules)
{
	_cleanup_free_ char *text = ruleset();
	for (; *rules; rules++)
		if (!strstr(text, *rules))
			fail_msg("no \"%s\" in\n%s", *rules, text);
}

static json_t *port(const char *protocol, const char *ip, int host_port, int to)
{
	return json_make("{s:s, s:s, s:i, s:i}", "protocol", protocol, "host_ip", ip, "host_port",
		host_port, "port", to);
}

/* The network that ports lead to, its addresses as a dump has them; v6 may be NULL. */
static json_t *net_of(const char *v4, const char *v6)
{
	json_t *list = json_array();
	if (v4)
		json_array_append_new(
			list, json_make("{s:s, s:s}", "local", v4, "scope", "global"));
	if (v6)
		json_array_append_new(
			list, json_make("{s:s, s:s}", "local", v6, "scope", "global"));
	return json_make("{s:s, s:{s:s, s:o}}", "name", "net", "ifconf", "ifname", "eth0",
		"addresses", list);
}

/* The host's end of the pod's network. */
static void make_host(void)
{
	netkit_sh("ip link add name host0 type veth peer name pod0; ip link set host0 up; "
		  "ip link set pod0 up; ip addr add 10.0.0.1/24 dev host0; "
		  "ip -6 addr add fd00::1/64 dev host0 nodad");
}

static void opens_and_closes(void **state)
{
	static const char *const rules[] = {"type nat hook prerouting priority dstnat - 1",
		"type nat hook output priority -101",
		"type nat hook postrouting priority srcnat - 1",
		"meta nfproto ipv4 fib daddr type local tcp dport 8080 dnat ip to 10.0.0.2:80",
		"ip daddr 127.0.0.1 udp dport 53 dnat ip to 10.0.0.2:5353",
		"ip saddr 127.0.0.0/8 ip daddr 10.0.0.2 tcp dport 80 masquerade",
		"ip saddr 10.0.0.0/24 ip daddr 10.0.0.2 tcp dport 80 ct status dnat masquerade",
		"iifname != \"lo\" ip daddr 127.0.0.0/8 drop", NULL};
	struct err err = {0};
	_cleanup_json_ json_t *ports = json_make(
		"[o, o]", port("tcp", "0.0.0.0", 8080, 80), port("udp", "127.0.0.1", 53, 5353));
	_cleanup_json_ json_t *net = net_of("10.0.0.2/24", NULL);
	(void)state;
	make_host();
	assert_ok(ports_open(UUID, ports, net, &err), &err);
	assert_true(has_rule("table inet xenpod-" UUID " {"));
	assert_rules(rules);
	assert_false(has_rule("ip6"));
	netkit_sh("[ $(cat /proc/sys/net/ipv4/conf/host0/route_localnet) = 1 ]");
	assert_ok(ports_close(UUID, &err), &err);
	assert_false(has_rule("xenpod-"));
	assert_ok(ports_close(UUID, &err), &err);
	assert_true(has_rule("drop")); /* the host's own stays */
}

static void opened_again_it_is_replaced(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *first = json_make("[o]", port("tcp", "0.0.0.0", 8080, 80));
	_cleanup_json_ json_t *second = json_make("[o]", port("tcp", "0.0.0.0", 9090, 80));
	_cleanup_json_ json_t *net = net_of("10.0.0.2/24", NULL);
	(void)state;
	make_host();
	assert_ok(ports_open(UUID, first, net, &err), &err);
	_cleanup_free_ char *once = ruleset();
	assert_ok(ports_open(UUID, first, net, &err), &err);
	_cleanup_free_ char *twice = ruleset();
	assert_string_equal(once, twice);
	assert_ok(ports_open(UUID, second, net, &err), &err);
	assert_false(has_rule("8080"));
	assert_true(has_rule("9090"));
}

static void each_pod_has_its_own(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *a = json_make("[o]", port("tcp", "0.0.0.0", 8080, 80));
	_cleanup_json_ json_t *b = json_make("[o]", port("tcp", "0.0.0.0", 9090, 80));
	_cleanup_json_ json_t *net_a = net_of("10.0.0.2/24", NULL);
	_cleanup_json_ json_t *net_b = net_of("10.0.0.3/24", NULL);
	(void)state;
	make_host();
	assert_ok(ports_open(UUID, a, net_a, &err), &err);
	_cleanup_free_ char *before = ruleset();
	assert_ok(ports_open(OTHER, b, net_b, &err), &err);
	assert_ok(ports_close(OTHER, &err), &err);
	_cleanup_free_ char *after = ruleset();
	assert_string_equal(before, after);
}

static void both_families(void **state)
{
	static const char *const rules[] = {
		"meta nfproto ipv4 fib daddr type local tcp dport 8080 dnat ip to 10.0.0.2:80",
		"local ip6 daddr != ::1 tcp dport 8080 dnat ip6 to [fd00::2]:80",
		"ip6 daddr fd00::1 udp dport 53 dnat ip6 to [fd00::2]:53",
		"ip6 saddr fd00::/64 ip6 daddr fd00::2 tcp dport 80 ct status dnat masquerade",
		NULL};
	struct err err = {0};
	_cleanup_json_ json_t *ports = json_make(
		"[o, o]", port("tcp", "0.0.0.0", 8080, 80), port("udp", "fd00::1", 53, 53));
	_cleanup_json_ json_t *net = net_of("10.0.0.2/24", "fd00::2/64");
	(void)state;
	make_host();
	assert_ok(ports_open(UUID, ports, net, &err), &err);
	assert_rules(rules);
}

static void an_address_that_the_pod_cannot_answer(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *v6 = json_make("[o]", port("tcp", "fd00::1", 8080, 80));
	_cleanup_json_ json_t *own = json_make("[o]", port("tcp", "::1", 8080, 80));
	_cleanup_json_ json_t *v4 = json_make("[o]", port("tcp", "127.0.0.1", 8080, 80));
	_cleanup_json_ json_t *any = json_make("[o]", port("tcp", "0.0.0.0", 8080, 80));
	_cleanup_json_ json_t *net4 = net_of("10.0.0.2/24", NULL);
	_cleanup_json_ json_t *net6 = net_of(NULL, "fd00::2/64");
	_cleanup_json_ json_t *none = net_of(NULL, NULL);
	(void)state;
	make_host();
	assert_fails(ports_open(UUID, v6, net4, &err), &err, ERR_INVALID, "no IPv6 address");
	assert_fails(ports_open(UUID, v4, net6, &err), &err, ERR_INVALID, "no IPv4 address");
	assert_fails(ports_open(UUID, own, net6, &err), &err, ERR_INVALID, "::1");
	assert_fails(ports_open(UUID, any, none, &err), &err, ERR_INVALID, "8080");
	assert_ok(ports_open(UUID, any, net6, &err), &err);
	assert_true(has_rule("dnat ip6 to [fd00::2]:80"));
}

/* A stranger's rules that do not load leave what was there, and one line says so. */
static void no_way_to_the_pod(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *ports = json_make("[o]", port("tcp", "0.0.0.0", 8080, 80));
	_cleanup_json_ json_t *net = net_of("10.9.9.9/24", NULL);
	(void)state;
	assert_fails(ports_open(UUID, ports, net, &err), &err, ERR_SYSTEM, "forward ports: ");
	assert_false(has_rule("xenpod-"));
}

/* The pod is a namespace that answers; this host reaches it through each of its own addresses. */
static void the_host_reaches_the_pod(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *ports = json_make("[o]", port("udp", "0.0.0.0", 8080, 5353));
	_cleanup_json_ json_t *net = net_of("10.0.0.2/24", NULL);
	_cleanup_fd_ int pod = netkit_ns("pod");
	(void)state;
	make_host();
	netkit_sh("ip link set pod0 netns pod; ip -n pod addr add 10.0.0.2/24 dev pod0; "
		  "ip -n pod link set pod0 up");
	assert_ok(ports_open(UUID, ports, net, &err), &err);
	_cleanup_fd_ int server = netkit_udp(pod, "10.0.0.2", 5353);
	static const char *const ways[] = {"127.0.0.1", "10.0.0.1"};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_fd_ int client = netkit_udp(-1, "0.0.0.0", 0);
		netkit_send(client, ways[i], 8080, "hello", 5);
		netkit_echo(server, 5);
		netkit_recv(client, 5);
	}
	assert_ok(ports_close(UUID, &err), &err);
}

static const struct CMUnitTest tests[] = {
	net_test(opens_and_closes),
	net_test(opened_again_it_is_replaced),
	net_test(each_pod_has_its_own),
	net_test(both_families),
	net_test(an_address_that_the_pod_cannot_answer),
	net_test(no_way_to_the_pod),
	net_test(the_host_reaches_the_pod),
};

UNIT_MAIN(tests, NULL, NULL)
