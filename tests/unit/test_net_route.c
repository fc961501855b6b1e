/* SPDX-License-Identifier: Apache-2.0 */
/* By which interface something leaves, asked of the kernel and of ip(8). */
/* LINK: net proto base */
/* LIBS: nl-3 */
/* WITH: netkit.c */
#include "unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "net/route.h"
#include "netkit.h"

static void assert_leaves_by(const char *ip, const char *want)
{
	char name[IF_NAMESIZE];
	struct err err = {0};
	assert_ok(route_interface(ip, name, &err), &err);
	assert_string_equal(name, want);
	netkit_sh("ip route get %s | grep -q ' dev %s '", ip, want);
}

static void the_longest_prefix_counts(void **state)
{
	(void)state;
	netkit_sh("for i in va vb vc; do ip link add name $i type veth peer name p$i; "
		  "ip link set $i up; ip link set p$i up; done; "
		  "ip addr add 10.0.0.1/24 dev va; ip addr add 10.1.0.1/16 dev vb; "
		  "ip route add 10.1.2.3/32 dev va; ip route add default via 10.0.0.9 dev va; "
		  "ip -6 addr add fd00::1/64 dev vc nodad");
	assert_leaves_by("10.0.0.2", "va");
	assert_leaves_by("10.1.2.2", "vb");
	assert_leaves_by("10.1.2.3", "va");
	assert_leaves_by("192.0.2.1", "va");
	assert_leaves_by("127.0.0.1", "lo");
	assert_leaves_by("fd00::2", "vc");
}

static void no_route(void **state)
{
	char name[IF_NAMESIZE];
	struct err err = {0};
	(void)state;
	assert_fails(route_interface("192.0.2.1", name, &err), &err, ERR_SYSTEM, "192.0.2.1");
	assert_fails(route_interface("2001:db8::1", name, &err), &err, ERR_SYSTEM, "2001:db8::1");
	assert_fails(route_interface("here", name, &err), &err, ERR_INVALID, "\"here\"");
}

static const struct CMUnitTest tests[] = {
	net_test(the_longest_prefix_counts),
	net_test(no_route),
};

UNIT_MAIN(tests, NULL, NULL)
