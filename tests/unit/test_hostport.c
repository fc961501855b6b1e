/* SPDX-License-Identifier: Apache-2.0 */
/* When two forwarded ports are one and the same of the host. */
/* LINK: proto base */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/hostport.h"

static json_t *port(const char *protocol, const char *ip, int number)
{
	return json_make("{s:s, s:s, s:i, s:i}", "protocol", protocol, "host_ip", ip, "host_port",
		number, "port", 80);
}

static bool meet(json_t *a /* stolen */, json_t *b /* stolen */)
{
	_cleanup_json_ json_t *one = a;
	_cleanup_json_ json_t *other = b;
	assert_int_equal(hostport_meet(one, other), hostport_meet(other, one));
	return hostport_meet(one, other);
}

static void any_address_is_every_address(void **state)
{
	(void)state;
	assert_true(meet(port("tcp", "0.0.0.0", 80), port("tcp", "0.0.0.0", 80)));
	assert_true(meet(port("tcp", "0.0.0.0", 80), port("tcp", "10.0.0.1", 80)));
	assert_true(meet(port("tcp", "::", 80), port("tcp", "10.0.0.1", 80)));
	assert_true(meet(port("tcp", "10.0.0.1", 80), port("tcp", "10.0.0.1", 80)));
}

static void others_are_apart(void **state)
{
	(void)state;
	assert_false(meet(port("tcp", "10.0.0.1", 80), port("tcp", "10.0.0.2", 80)));
	assert_false(meet(port("tcp", "0.0.0.0", 80), port("tcp", "0.0.0.0", 81)));
	assert_false(meet(port("tcp", "0.0.0.0", 80), port("udp", "0.0.0.0", 80)));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(any_address_is_every_address),
	cmocka_unit_test(others_are_apart),
};

UNIT_MAIN(tests, NULL, NULL)
