/* SPDX-License-Identifier: Apache-2.0 */
/* An interface's configuration: what is accepted, and that each refusal names the member. */
/* LINK: proto base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/ifconf.h"

static const char good[] =
	"{"
	"'ifname':'eth0','mac':'02:00:00:00:00:01','mtu':1500,"
	"'addresses':["
	" {'local':'172.16.28.2/24','broadcast':'172.16.28.255','scope':'global'},"
	" {'local':'10.0.0.1/32','peer':'10.0.0.2','scope':'link'},"
	" {'local':'fd00::2/64','scope':'global'}],"
	"'routes':["
	" {'dst':'172.16.28.1/32','scope':'link','src':'172.16.28.2'},"
	" {'dst':'default','via':'172.16.28.1','scope':'global','metric':4294967295},"
	" {'dst':'default','via':'fd00::1','scope':'global','mtu':1280,'onlink':true},"
	" {'dst':'10.0.0.0/8','via':'fe80::1','scope':'global','table':'main'},"
	" {'dst':'::/0','scope':'global'}],"
	"'neighbours':[{'ip':'fd00::1','mac':'02:00:00:00:00:02'}]}";

static json_t *read_good(void)
{
	struct err err = {0};
	char text[sizeof good];
	for (size_t i = 0; i < sizeof good; i++)
		text[i] = good[i] == '\'' ? '"' : good[i];
	json_t *j = json_parse(text, sizeof good - 1, "test", &err);
	assert_non_null(j);
	return j;
}

/* A path like "routes/1/via" gets another value (JSON, with ' for "); NULL: it is taken away. */
static void put(json_t *j, const char *path, const char *value)
{
	char part[32];
	const char *slash = NULL;
	json_error_t je;
	while ((slash = strchr(path, '/'))) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(part))
				     : json_object_get(j, part);
		assert_non_null(j);
		path = slash + 1;
	}
	char text[128];
	snprintf(text, sizeof text, "%s", value ? value : "null");
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	json_t *v = json_loads(text, JSON_DECODE_ANY, &je);
	assert_non_null(v);
	if (json_is_array(j))
		assert_int_equal(json_array_set_new(j, (size_t)atoi(path), v), 0);
	else
		assert_int_equal(json_object_set_new(j, path, v), 0);
	if (!value)
		assert_int_equal(json_object_del(j, path), 0);
}

static void what_is_meant_is_accepted(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *j = read_good();
	(void)state;
	assert_ok(ifconf_check(j, &err), &err);
	put(j, "mtu", "65535");
	put(j, "ifname", "'a23456789012345'");
	put(j, "addresses", "[]");
	put(j, "routes", "[]");
	put(j, "neighbours", "[]");
	assert_ok(ifconf_check(j, &err), &err);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *path;
		const char *value;
		const char *names;
	} bad[] = {
		{"ifname", NULL, "ifname"},
		{"ifname", "'a234567890123456'", "ifname"},
		{"ifname", "''", "ifname"},
		{"ifname", "'..'", "ifname"},
		{"ifname", "'a/b'", "ifname"},
		{"ifname", "'a b'", "ifname"},
		{"ifname", "'eth%d'", "ifname"},
		{"mac", NULL, "mac"},
		{"mac", "'02:00:00:00:00:1'", "mac"},
		{"mac", "'02:00:00:00:00:001'", "mac"},
		{"mac", "'02-00-00-00-00-01'", "mac"},
		{"mac", "'0x:00:00:00:00:01'", "mac"},
		{"mac", "'03:00:00:00:00:01'", "mac"},
		{"mtu", "67", "mtu"},
		{"mtu", "65536", "mtu"},
		{"mtu", "'1500'", "mtu"},
		{"addresses", NULL, "addresses"},
		{"addresses/0", "1", "addresses"},
		{"addresses/0/local", "'172.16.28.2'", "local"},
		{"addresses/0/local", "'172.16.28.2/33'", "local"},
		{"addresses/0/local", "'172.16.28.2/'", "local"},
		{"addresses/0/local", "'172.16.28.2/+4'", "local"},
		{"addresses/0/local", "'172.16.28.2/024'", "local"},
		{"addresses/0/local", "'172.16.28/24'", "local"},
		{"addresses/0/local", "'/24'", "local"},
		{"addresses/0/scope", "'site'", "scope"},
		{"addresses/0/scope", NULL, "scope"},
		{"addresses/1/peer", "'fd00::1'", "peer"},
		{"addresses/1/peer", "'10.0.0.2/32'", "peer"},
		{"addresses/2/local", "'fd00::2/129'", "local"},
		{"addresses/2/broadcast", "'10.0.0.1'", "broadcast"},
		{"routes/0/dst", NULL, "dst"},
		{"routes/0/dst", "'172.16.28.1'", "dst"},
		{"routes/0/dst", "'172.16.28.1/31'", "dst"},
		{"routes/0/dst", "'Default'", "dst"},
		{"routes/0/src", "'fd00::2'", "src"},
		{"routes/0/scope", "'nowhere'", "scope"},
		{"routes/1/via", "'gateway'", "via"},
		{"routes/1/metric", "4294967296", "metric"},
		{"routes/1/metric", "-1", "metric"},
		{"routes/2/onlink", "1", "onlink"},
		{"routes/2/mtu", "'1280'", "mtu"},
		{"routes/4/via", "'10.0.0.1'", "via"},
		{"routes/3/table", "'local'", "table"},
		{"neighbours/0/ip", "'fd00::1/64'", "ip"},
		{"neighbours/0/ip", NULL, "ip"},
		{"neighbours/0/mac", "''", "mac"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		_cleanup_json_ json_t *j = read_good();
		put(j, bad[i].path, bad[i].value);
		int r = ifconf_check(j, &err);
		if (r == 0 || !strstr(err_msg(&err), bad[i].names))
			fail_msg("%s = %s: %s", bad[i].path, bad[i].value, err_msg(&err));
		assert_int_equal(err.code, ERR_INVALID);
		err_done(&err);
	}
}

static void an_element_and_its_interface_are_named(void **state)
{
	struct err err = {0};
	_cleanup_json_ json_t *j = read_good();
	_cleanup_json_ json_t *none = json_array();
	(void)state;
	put(j, "routes/1/via", "'x'");
	assert_fails(ifconf_check(j, &err), &err, ERR_INVALID,
		"interface \"eth0\": \"routes\", element 2: \"via\"");
	assert_fails(ifconf_check(none, &err), &err, ERR_INVALID, "object");
}

static void counts_are_bounded(void **state)
{
	static const struct {
		const char *member;
		size_t max;
	} lists[] = {
		{"addresses", IFCONF_MAX_ADDRESSES},
		{"routes", IFCONF_MAX_ROUTES},
		{"neighbours", IFCONF_MAX_NEIGHBOURS},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct err err = {0};
		_cleanup_json_ json_t *j = read_good();
		json_t *a = json_object_get(j, lists[i].member);
		while (json_array_size(a) < lists[i].max)
			json_array_append(a, json_array_get(a, 0));
		assert_ok(ifconf_check(j, &err), &err);
		json_array_append(a, json_array_get(a, 0));
		assert_fails(ifconf_check(j, &err), &err, ERR_INVALID, lists[i].member);
	}
}

static void default_is_of_the_family_it_belongs_to(void **state)
{
	struct ipaddr a;
	_cleanup_json_ json_t *four = json_make("{s:s, s:s}", "dst", "default", "via", "10.0.0.1");
	_cleanup_json_ json_t *six = json_make("{s:s, s:s}", "dst", "default", "via", "fe80::1");
	_cleanup_json_ json_t *mixed =
		json_make("{s:s, s:s, s:s}", "dst", "default", "via", "fe80::1", "src", "10.0.0.2");
	_cleanup_json_ json_t *bare = json_make("{s:s}", "dst", "default");
	(void)state;
	assert_int_equal(ifconf_parse_dst(four, &a), 0);
	assert_int_equal(a.family, AF_INET);
	assert_int_equal(a.prefix, 0);
	assert_int_equal(ifconf_parse_dst(six, &a), 0);
	assert_int_equal(a.family, AF_INET6);
	assert_int_equal(a.len, 16);
	assert_int_equal(ifconf_parse_dst(mixed, &a), 0);
	assert_int_equal(a.family, AF_INET);
	assert_int_equal(ifconf_parse_dst(bare, &a), 0);
	assert_int_equal(a.family, AF_INET);
}

static void texts_come_back(void **state)
{
	static const char *const prefixes[] = {"0.0.0.0/0", "172.16.28.2/24", "255.255.255.255/32",
		"::/0", "fd00::1/64", "fe80::1/128"};
	char text[IFCONF_ADDR_TEXT];
	char mactext[IFCONF_MAC_TEXT];
	uint8_t mac[IFCONF_MAC_LEN];
	struct ipaddr a;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		assert_int_equal(ifconf_parse_prefix(prefixes[i], &a), 0);
		ifconf_prefix_text(&a, text);
		assert_string_equal(text, prefixes[i]);
	}
	assert_int_equal(ifconf_parse_mac("02:aB:0c:ff:00:01", mac), 0);
	ifconf_mac_text(mac, mactext);
	assert_string_equal(mactext, "02:ab:0c:ff:00:01");
	a = ifconf_link_local(mac);
	ifconf_addr_text(&a, text);
	assert_string_equal(text, "fe80::ab:cff:feff:1");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_meant_is_accepted),
	cmocka_unit_test(what_is_wrong_is_named),
	cmocka_unit_test(an_element_and_its_interface_are_named),
	cmocka_unit_test(counts_are_bounded),
	cmocka_unit_test(default_is_of_the_family_it_belongs_to),
	cmocka_unit_test(texts_come_back),
};

UNIT_MAIN(tests, NULL, NULL)
