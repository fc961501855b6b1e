/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's own plugins, in a network and a mount namespace of the test's: ADD gives what the conf says,
 * DEL leaves nothing, and works when the pod's namespace is gone.
 */
/* LINK: cni base */
/* VALGRIND: no, valgrind does not know pidfd_open(2), by which a plugin is waited for */
#include "unit.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/chain.h"
#include "mountns.h"

static const char *const dirs[] = {"/usr/lib/cni", NULL};
static char *netns;
static struct cni_attach at = {
	.container = "6b4b8a6c-0d0c-4d1e-8f5e-0a1b2c3d4e5f", .dirs = dirs, .timeout_ms = 60000};

static int setup(void **state)
{
	if (mountns_setup(state) < 0 || unshare(CLONE_NEWNET) < 0)
		return -1;
	netns = xasprintf("%s/netns", mountns_dir);
	return system("ip link set lo up");
}

static int teardown(void **state)
{
	free(netns);
	return mountns_teardown(state);
}

static void shell(const char *cmd)
{
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

static int pod_setup(void **state)
{
	(void)state;
	at.netns = netns;
	at.capabilities = NULL;
	return system("touch netns && unshare --net=netns true");
}

static int pod_teardown(void **state)
{
	(void)state;
	umount2("netns", MNT_DETACH);
	return unlink("netns");
}

static void parse(const char *text, struct cni_net *ret)
{
	struct err err = {0};
	assert_ok(cni_net_parse("/etc/cni/10-test.conflist", text, strlen(text), ret, &err), &err);
	strcpy(ret->ifname, "eth0");
}

/* What is left of a network: leases, interfaces, rules. */
static void nothing_is_left(void)
{
	shell("! ls leases/*/* | grep -v 'lock\\|last_reserved_ip'");
	shell("! ip -o link | grep veth");
	shell("! iptables -t nat -S | grep 'CNI-[0-9a-f]\\|CNI-DN'");
}

/* The shape of rkt's default network, with the conf's version that rkt's confs have: none. */
static void rkts_default_network(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_free_ char *conf = xasprintf(
		"{\"name\":\"default\",\"plugins\":[{\"type\":\"ptp\",\"ipMasq\":true,\"ipam\":{"
		"\"type\":\"host-local\",\"subnet\":\"172.16.28.0/24\",\"dataDir\":\"%s/leases\","
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"dns\":{\"nameservers\":[\"9.9.9.9\"]}}]}",
		mountns_dir);
	parse(conf, &n);
	n.args = xstrdup("IP=172.16.28.77");
	assert_ok(cni_net_add(&n, &at, &r, &err), &err);
	_cleanup_json_ json_t *sum = cni_result_summary(&r);
	_cleanup_free_ char *text = json_text(sum);
	assert_string_equal(text,
		"{\"addresses\":[{\"address\":\"172.16.28.77/24\",\"gateway\":\"172.16.28.1\"}],"
		"\"dns\":{\"nameservers\":[\"9.9.9.9\"]},"
		"\"ip\":\"172.16.28.77\",\"mask\":\"255.255.255.0\"}");
	shell("nsenter --net=netns ip -o -4 address show eth0 | grep -qw 172.16.28.77");
	shell("ls leases/default/172.16.28.77 >/dev/null");
	shell("iptables -t nat -S | grep -q CNI-");
	/* Another pod that wants the same address: the plugin's error, in its own words. */
	struct cni_result again;
	struct cni_attach other = at;
	_cleanup_free_ char *theirs = xasprintf("%s/netns2", mountns_dir);
	other.container = "other";
	other.netns = theirs;
	shell("touch netns2 && unshare --net=netns2 true");
	assert_fails(cni_net_add(&n, &other, &again, &err), &err, ERR_SYSTEM,
		"network \"default\": plugin \"ptp\": failed to allocate for range 0: requested IP "
		"address 172.16.28.77 is not available");
	shell("umount netns2 && rm netns2");
	assert_ok(cni_net_del(&n, &at, r.raw, &err), &err);
	nothing_is_left();
}

static void a_chain_of_todays_plugins(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	_cleanup_cni_net_ struct cni_net stored = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_free_ char *conf =
		xasprintf("{\"cniVersion\":\"1.0.0\",\"name\":\"web\",\"plugins\":["
			  "{\"type\":\"bridge\",\"bridge\":\"xpbr0\",\"isGateway\":true,"
			  "\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"%s/leases\",\"ranges\":["
			  "[{\"subnet\":\"10.77.0.0/24\"}],[{\"subnet\":\"fd77::/64\"}]]}},"
			  "{\"type\":\"tuning\",\"mac\":\"02:77:00:00:00:01\",\"mtu\":1400},"
			  "{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}",
			mountns_dir);
	_cleanup_json_ json_t *ports = json_make("{s:[{s:i,s:i,s:s}]}", "portMappings", "hostPort",
		8080, "containerPort", 80, "protocol", "tcp");
	parse(conf, &n);
	at.capabilities = ports;
	assert_ok(cni_net_judge(&n, &err), &err);
	assert_ok(cni_net_add(&n, &at, &r, &err), &err);
	assert_string_equal(r.mac, "02:77:00:00:00:01");
	assert_int_equal(r.n_ips, 2);
	assert_string_equal(r.ips[0].address, "10.77.0.2/24");
	assert_string_equal(r.ips[1].address, "fd77::2/64");
	assert_string_equal(r.ips[1].gateway, "fd77::1");
	shell("nsenter --net=netns ip -o link show eth0 | grep -q 'mtu 1400.*02:77:00:00:00:01'");
	shell("iptables -t nat -S | grep -q 'dport 8080 .*10.77.0.2:80'");
	/* From what is stored, with the pod's namespace gone: as after a reboot. */
	_cleanup_json_ json_t *j = cni_net_json(&n);
	assert_ok(cni_net_from_json(j, &stored, &err), &err);
	shell("umount netns");
	at.netns = NULL;
	assert_ok(cni_net_del(&stored, &at, r.raw, &err), &err);
	nothing_is_left();
	assert_ok(cni_net_del(&stored, &at, r.raw, &err), &err);
	assert_ok(cni_net_del(&stored, &at, NULL, &err), &err);
	shell("ip link del xpbr0");
}

static void check_finds_what_has_gone(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_free_ char *conf = xasprintf(
		"{\"cniVersion\":\"0.4.0\",\"name\":\"checked\",\"plugins\":[{\"type\":\"ptp\","
		"\"ipam\":{"
		"\"type\":\"host-local\",\"subnet\":\"10.80.0.0/24\",\"dataDir\":\"%s/leases\"}}]}",
		mountns_dir);
	parse(conf, &n);
	assert_ok(cni_net_add(&n, &at, &r, &err), &err);
	assert_ok(cni_net_check(&n, &at, r.raw, &err), &err);
	shell("nsenter --net=netns ip address flush dev eth0");
	assert_fails(cni_net_check(&n, &at, r.raw, &err), &err, ERR_SYSTEM,
		"network \"checked\": plugin \"ptp\": ");
	assert_ok(cni_net_del(&n, &at, r.raw, &err), &err);
	nothing_is_left();
}

/* The second plugin fails: the first one's interface and lease go. */
static void a_failed_chain_leaves_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	struct cni_result r;
	_cleanup_cni_net_ struct cni_net n = {0};
	_cleanup_free_ char *conf = xasprintf(
		"{\"cniVersion\":\"0.4.0\",\"name\":\"half\",\"plugins\":[{\"type\":\"ptp\","
		"\"ipam\":{"
		"\"type\":\"host-local\",\"subnet\":\"10.78.0.0/24\",\"dataDir\":\"%s/leases\"}},"
		"{\"type\":\"tuning\",\"mac\":\"no mac\"}]}",
		mountns_dir);
	parse(conf, &n);
	assert_fails(cni_net_add(&n, &at, &r, &err), &err, ERR_SYSTEM,
		"network \"half\": plugin \"tuning\"");
	nothing_is_left();
}

/* A plugin chained by itself to a network of rkt's time. */
static void portmap_for_an_old_network(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net net = {0};
	_cleanup_cni_net_ struct cni_net forward = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_cni_result_ struct cni_result passed = {0};
	_cleanup_free_ char *conf =
		xasprintf("{\"name\":\"old\",\"plugins\":[{\"type\":\"ptp\",\"ipam\":{\"type\":"
			  "\"host-local\","
			  "\"subnet\":\"10.79.0.0/24\",\"dataDir\":\"%s/leases\"}}]}",
			mountns_dir);
	parse(conf, &net);
	parse("{\"cniVersion\":\"1.0.0\",\"name\":\"old\",\"plugins\":[{\"type\":\"portmap\","
	      "\"capabilities\":{\"portMappings\":true}}]}",
		&forward);
	assert_ok(cni_net_add(&net, &at, &r, &err), &err);
	_cleanup_json_ json_t *prev = cni_result_current(&r, "eth0", netns);
	_cleanup_json_ json_t *ports = json_make("{s:[{s:i,s:i,s:s,s:s}]}", "portMappings",
		"hostPort", 8081, "containerPort", 81, "protocol", "udp", "hostIP", "127.0.0.1");
	struct cni_attach with = at;
	with.capabilities = ports;
	with.prev = prev;
	assert_ok(cni_net_add(&forward, &with, &passed, &err), &err);
	shell("iptables -t nat -S | grep -q 'dport 8081 .*10.79.0.2:81'");
	assert_ok(cni_net_del(&forward, &with, passed.raw, &err), &err);
	shell("! iptables -t nat -S | grep -q 8081");
	assert_ok(cni_net_del(&net, &at, r.raw, &err), &err);
	nothing_is_left();
}

#define pod_test(test) cmocka_unit_test_setup_teardown(test, pod_setup, pod_teardown)

static const struct CMUnitTest tests[] = {
	pod_test(rkts_default_network),
	pod_test(a_chain_of_todays_plugins),
	pod_test(check_finds_what_has_gone),
	pod_test(a_failed_chain_leaves_nothing),
	pod_test(portmap_for_an_old_network),
};

UNIT_MAIN(tests, setup, teardown)
