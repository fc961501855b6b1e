/* SPDX-License-Identifier: Apache-2.0 */
/* Named network namespaces, and interfaces that come and go. */
/* LINK: net proto base */
/* LIBS: nl-3 */
/* WITH: netkit.c */
#include "unit.h"

#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/apply.h"
#include "net/links.h"
#include "net/netns.h"
#include "netkit.h"

static ino_t ns_inode(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static bool there(const char *name)
{
	struct err err = {0};
	bool is = false;
	assert_ok(netns_exists(name, &is, &err), &err);
	return is;
}

static void makes_what_ip_netns_knows(void **state)
{
	struct err err = {0};
	ino_t mine = ns_inode("/proc/self/ns/net");
	(void)state;
	assert_false(there("xenpod-1"));
	assert_ok(netns_make("xenpod-1", &err), &err);
	assert_ok(netns_make("xenpod-2", &err), &err);
	assert_true(there("xenpod-1"));
	assert_int_equal(ns_inode("/proc/self/ns/net"), mine);
	assert_int_not_equal(ns_inode("/run/netns/xenpod-1"), mine);
	assert_int_not_equal(ns_inode("/run/netns/xenpod-1"), ns_inode("/run/netns/xenpod-2"));
	netkit_sh("[ \"$(ip netns list | sort | tr '\\n' ' ')\" = 'xenpod-1 xenpod-2 ' ]");
	netkit_sh("ip -n xenpod-1 -o link show lo | grep -q UP");
	netkit_sh("ip -n xenpod-1 -o addr show lo | grep -q 127.0.0.1");
	/* The directory is one shared mount of its own, not two. */
	netkit_sh("[ $(grep -c ' /run/netns .* shared:' /proc/self/mountinfo) = 1 ]");
}

static void making_again_keeps_it(void **state)
{
	struct err err = {0};
	(void)state;
	assert_ok(netns_make("one", &err), &err);
	netkit_sh("ip -n one link add name veth0 type veth peer name veth1; ip -n one link set lo "
		  "down");
	ino_t ns = ns_inode("/run/netns/one");
	assert_ok(netns_make("one", &err), &err);
	assert_int_equal(ns_inode("/run/netns/one"), ns);
	netkit_sh("ip -n one link show veth0 >/dev/null && ip -n one -o link show lo | grep -q UP");
}

/* Killed between file and mount: the file is there, and nothing is mounted on it. */
static void a_half_made_one_is_none(void **state)
{
	struct err err = {0};
	int fd = -1;
	(void)state;
	netkit_sh("mkdir -p /run/netns && : >/run/netns/half");
	assert_false(there("half"));
	assert_fails(netns_open("half", &fd, &err), &err, ERR_NOTFOUND, "\"half\"");
	assert_ok(netns_make("half", &err), &err);
	assert_true(there("half"));
	netkit_sh("umount /run/netns/half");
	assert_ok(netns_remove("half", &err), &err);
	netkit_sh("[ ! -e /run/netns/half ]");
}

static void removes_as_often_as_asked(void **state)
{
	struct err err = {0};
	int fd = netkit_ns("gone");
	(void)state;
	netkit_sh("mount --bind /run/netns/gone /run/netns/gone");
	assert_ok(netns_remove("gone", &err), &err);
	assert_ok(netns_remove("gone", &err), &err);
	assert_false(there("gone"));
	netkit_sh("[ ! -e /run/netns/gone ]");
	close(fd);
	netkit_sh("rm -rf /run/netns 2>/dev/null || umount /run/netns && rmdir /run/netns");
	assert_ok(netns_remove("gone", &err), &err);
}

static void names_that_are_none(void **state)
{
	struct err err = {0};
	const char *const bad[] = {"", ".", "..", "../x", "a/b", ".x",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_fails(netns_make(bad[i], &err), &err, ERR_INVALID, bad[i]);
		assert_fails(netns_remove(bad[i], &err), &err, ERR_INVALID, "name");
	}
}

static int fails_inside(void *arg, struct err *err)
{
	*(ino_t *)arg = ns_inode("/proc/thread-self/ns/net");
	return err_set(err, ERR_FULL, "said inside");
}

static void runs_inside_and_comes_back(void **state)
{
	struct err err = {0};
	ino_t inside = 0;
	ino_t mine = ns_inode("/proc/self/ns/net");
	int fd = netkit_ns("in");
	(void)state;
	assert_fails(netns_run(fd, fails_inside, &inside, &err), &err, ERR_FULL, "said inside");
	assert_int_equal(inside, ns_inode("/run/netns/in"));
	assert_int_equal(ns_inode("/proc/thread-self/ns/net"), mine);
	assert_fails(netns_run(NETNS_OWN, fails_inside, &inside, &err), &err, ERR_FULL, "inside");
	assert_int_equal(inside, mine);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_fails(netns_run(fd, fails_inside, &inside, &err), &err, ERR_SYSTEM, "enter");
	close(fd);
}

/* ---- interfaces -------------------------------------------------------------------------------- */

static void finds_interfaces(void **state)
{
	struct err err = {0};
	char name[IF_NAMESIZE];
	bool is = true;
	int fd = netkit_ns("pod");
	(void)state;
	assert_ok(links_exists(fd, "vif1.0", &is, &err), &err);
	assert_false(is);
	assert_ok(links_find(fd, "vif", name, &err), &err);
	assert_string_equal(name, "");
	netkit_sh("ip link add name vif1.0 type veth peer name x1; ip link set vif1.0 netns pod");
	assert_ok(links_exists(fd, "vif1.0", &is, &err), &err);
	assert_true(is);
	assert_ok(links_exists(NETNS_OWN, "vif1.0", &is, &err), &err);
	assert_false(is);
	assert_ok(links_find(fd, "vif", name, &err), &err);
	assert_string_equal(name, "vif1.0");
	assert_fails(links_exists(fd, "no/name", &is, &err), &err, ERR_INVALID, "no/name");
	close(fd);
}

static void *make_late(void *arg)
{
	(void)arg;
	netkit_sh("sleep 0.1; ip link add name vif2.0 type veth peer name x0");
	netkit_sh("sleep 0.1; ip link add name vif2.1 address 02:00:00:00:00:07 type veth peer "
		  "name x1");
	return NULL;
}

static void waits_for_names(void **state)
{
	struct err err = {0};
	pthread_t thread;
	const char *const names[] = {"vif2.0", "vif2.1"};
	const uint8_t mac[] = {2, 0, 0, 0, 0, 7};
	char name[IF_NAMESIZE];
	(void)state;
	assert_fails(links_wait(NETNS_OWN, names, 2, 0, &err), &err, ERR_TIMEOUT, "vif2.0");
	assert_int_equal(pthread_create(&thread, NULL, make_late, NULL), 0);
	assert_fails(links_wait_mac(NETNS_OWN, mac, 0, name, &err), &err, ERR_TIMEOUT,
		"02:00:00:00:00:07");
	assert_ok(links_wait(NETNS_OWN, names, 2, NETKIT_MS, &err), &err);
	pthread_join(thread, NULL);
	assert_ok(links_wait(NETNS_OWN, names, 2, 0, &err), &err);
	assert_ok(links_wait_mac(NETNS_OWN, mac, 0, name, &err), &err);
	assert_string_equal(name, "vif2.1");
	netkit_sh("ip link del vif2.1");
	assert_fails(links_wait(NETNS_OWN, names, 2, 20, &err), &err, ERR_TIMEOUT, "vif2.1");
}

static void loopback_comes_up(void **state)
{
	struct err err = {0};
	(void)state;
	netkit_sh("ip link set lo down");
	assert_ok(apply_loopback(&err), &err);
	netkit_sh("ip -o addr show lo | grep -q 127.0.0.1");
}

static const struct CMUnitTest tests[] = {
	net_test(makes_what_ip_netns_knows),
	net_test(making_again_keeps_it),
	net_test(a_half_made_one_is_none),
	net_test(removes_as_often_as_asked),
	net_test(names_that_are_none),
	net_test(runs_inside_and_comes_back),
	net_test(finds_interfaces),
	net_test(waits_for_names),
	net_test(loopback_comes_up),
};

UNIT_MAIN(tests, NULL, NULL)
