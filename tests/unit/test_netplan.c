/* SPDX-License-Identifier: Apache-2.0 */
/* A request's "network" as the effectors use it: names, plugins' directories, time. */
/* LINK: act cni proto base */
#include "unit.h"

#include <stdlib.h>

#include "act/netplan.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "cni/plugin.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define NET(name)                                                                                  \
	"{\"name\":\"" name "\",\"file\":\"" name ".conf\",\"path\":\"/x\",\"builtin\":false,"     \
	"\"version\":\"0.4.0\",\"disable_check\":false,\"ifname\":\"eth0\",\"args\":\"IP=10.0.0."  \
	"9\","                                                                                     \
	"\"plugins\":[{\"type\":\"ptp\"}]}"

static json_t *parse(const char *text)
{
	struct err err = {0};
	json_t *j = json_parse(text, strlen(text), "network", &err);
	assert_non_null(j);
	return j;
}

static void reads_it(void **state)
{
	struct err err = {0};
	_cleanup_netplan_ struct netplan p = {0};
	_cleanup_json_ json_t *network =
		parse("{\"path\":[\"/a\",\"/b\"],\"nets\":[" NET("one") "," NET("two") "]}");
	(void)state;
	assert_ok(netplan_read(UUID, network, &p, &err), &err);
	assert_string_equal(p.netns, "xenpod-" UUID);
	assert_string_equal(p.path, "/run/netns/xenpod-" UUID);
	assert_string_equal(p.dirs[1], "/b");
	assert_null(p.dirs[2]);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.net[1].name, "two");
	assert_string_equal(p.net[1].args, "IP=10.0.0.9");
	assert_string_equal(p.net[0].ifname, "eth0");
}

static void attaches_with_its_part_of_the_time(void **state)
{
	struct err err = {0};
	_cleanup_netplan_ struct netplan p = {0};
	_cleanup_json_ json_t *network = parse("{\"path\":[\"/a\"],\"nets\":[" NET("one") "]}");
	(void)state;
	assert_ok(netplan_read(UUID, network, &p, &err), &err);
	struct cni_attach at = netplan_attach(&p, true, 1);
	assert_string_equal(at.container, UUID);
	assert_string_equal(at.netns, p.path);
	assert_ptr_equal(at.dirs, p.dirs);
	assert_int_equal(at.timeout_ms, 90000);
	assert_null(netplan_attach(&p, false, 1).netns);
	/* All of it together ends before the supervisor's 240 s. */
	at = netplan_attach(&p, true, SPEC_MAX_NETS);
	assert_true(at.timeout_ms > 5000 && at.timeout_ms + (SPEC_MAX_NETS - 1) * 5000 <= 110000);
	p.until = clock_ms() - 5;
	assert_int_equal(netplan_attach(&p, true, 3).timeout_ms, 1000);
}

static void assert_refused(const char *text, const char *why)
{
	struct err err = {0};
	struct netplan p;
	_cleanup_json_ json_t *network = parse(text);
	assert_fails(netplan_read(UUID, network, &p, &err), &err, ERR_INVALID, why);
	assert_int_equal(p.n, 0);
}

static void names_what_is_wrong(void **state)
{
	(void)state;
	assert_refused("{\"nets\":[]}", "\"path\"");
	assert_refused("{\"path\":[1],\"nets\":[]}", "\"path\"");
	assert_refused("{\"path\":[]}", "\"nets\"");
	assert_refused("{\"path\":[],\"nets\":[" NET("one") ",{\"name\":\"two\"}]}", "\"two\"");
	assert_refused("{\"path\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
		       "\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"],\"nets\":[]}",
		"more than 16");
}

static void too_many_networks(void **state)
{
	struct err err = {0};
	struct netplan p;
	_cleanup_json_ json_t *network = parse("{\"path\":[],\"nets\":[]}");
	(void)state;
	for (int i = 0; i <= SPEC_MAX_NETS; i++)
		json_array_append_new(json_object_get(network, "nets"), parse(NET("n")));
	assert_fails(netplan_read(UUID, network, &p, &err), &err, ERR_INVALID, "more than 16");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_it),
	cmocka_unit_test(attaches_with_its_part_of_the_time),
	cmocka_unit_test(names_what_is_wrong),
	cmocka_unit_test(too_many_networks),
};

UNIT_MAIN(tests, NULL, NULL)
