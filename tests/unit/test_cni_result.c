/* SPDX-License-Identifier: Apache-2.0 */
/* Results of plugins, in the shape of each version. */
/* LINK: cni base */
#include "unit.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/result.h"

#define INSIDE "{\"name\":\"eth0\",\"mac\":\"02:Aa:00:00:00:01\",\"sandbox\":\"/run/netns/x\"}"
#define HOST   "{\"name\":\"veth1\",\"mac\":\"02:bb:00:00:00:01\"}"

/* What is read of a result, as the summary's text. */
static void reads(enum cni_version version, const char *text, const char *want)
{
	struct err err = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	assert_ok(cni_result_parse(text, version, "eth0", &r, &err), &err);
	_cleanup_json_ json_t *sum = cni_result_summary(&r);
	_cleanup_free_ char *got = json_text(sum);
	assert_string_equal(got, want);
	assert_string_equal(json_str_opt(r.raw, "cniVersion", ""), cni_version_text(r.version));
}

static void results_of_every_version_are_read(void **state)
{
	(void)state;
	reads(CNI_0_1_0, "{}", "{\"addresses\":[],\"ip\":\"\",\"mask\":\"\"}");
	reads(CNI_1_0_0, "{}", "{\"addresses\":[],\"ip\":\"\",\"mask\":\"\"}");
	reads(CNI_0_1_0,
		"{\"ip4\":{\"ip\":\"172.16.28.2/24\",\"gateway\":\"172.16.28.1\",\"routes\":"
		"[{\"dst\":\"0.0.0.0/0\"}]},\"dns\":{}}",
		"{\"addresses\":[{\"address\":\"172.16.28.2/24\",\"gateway\":\"172.16.28.1\"}],"
		"\"ip\":\"172.16.28.2\",\"mask\":\"255.255.255.0\"}");
	reads(CNI_0_1_0,
		"{\"cniVersion\":\"0.2.0\",\"ip4\":null,\"ip6\":{\"ip\":\"FD00:0::5/64\"},"
		"\"dns\":{\"nameservers\":[\"fe80::1%eth0\",\"1.1.1.1\"],\"domain\":\"a.b\","
		"\"search\":[\"x\"],\"options\":[\"ndots:2\"]}}",
		"{\"addresses\":[{\"address\":\"fd00::5/64\"}],\"dns\":{\"nameservers\":["
		"\"fe80::1%eth0\",\"1.1.1.1\"],\"search\":[\"x\"],\"options\":[\"ndots:2\"],"
		"\"domain\":\"a.b\"},\"ip\":\"\",\"mask\":\"\"}");
	reads(CNI_0_3_1,
		"{\"cniVersion\":\"0.3.1\",\"interfaces\":[" HOST "," INSIDE "],\"ips\":["
		"{\"version\":\"4\",\"interface\":0,\"address\":\"10.0.0.1/8\"},"
		"{\"version\":\"6\",\"interface\":1,\"address\":\"fd00::9/64\",\"gateway\":"
		"\"fd00::1\"},{\"version\":\"4\",\"interface\":1,\"address\":\"10.1.2.3/30\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{\"domain\":\"\",\"search\":null}}",
		"{\"addresses\":[{\"address\":\"fd00::9/64\",\"gateway\":\"fd00::1\"},"
		"{\"address\":\"10.1.2.3/30\"}],\"mac\":\"02:Aa:00:00:00:01\","
		"\"ip\":\"10.1.2.3\",\"mask\":\"255.255.255.252\"}");
	reads(CNI_1_0_0, "{\"ips\":[{\"address\":\"0.0.0.0/0\"},{\"address\":\"9.9.9.9\"}]}",
		"{\"addresses\":[{\"address\":\"0.0.0.0/0\"},{\"address\":\"9.9.9.9/32\"}],"
		"\"ip\":\"0.0.0.0\",\"mask\":\"0.0.0.0\"}");
}

/* A plugin that forgets the sandbox; a host's interface of the same name beside the pod's. */
static void the_pods_interface_is_found(void **state)
{
	(void)state;
	reads(CNI_1_0_0,
		"{\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:07\"}],"
		"\"ips\":[{\"address\":\"1.2.3.4/24\",\"interface\":0}]}",
		"{\"addresses\":[{\"address\":\"1.2.3.4/24\"}],\"mac\":\"02:00:00:00:00:07\","
		"\"ip\":\"1.2.3.4\",\"mask\":\"255.255.255.0\"}");
	reads(CNI_1_0_0,
		"{\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:07\"}," INSIDE "],"
		"\"ips\":[{\"address\":\"1.2.3.4/24\",\"interface\":0}]}",
		"{\"addresses\":[],\"mac\":\"02:Aa:00:00:00:01\",\"ip\":\"\",\"mask\":\"\"}");
	reads(CNI_1_0_0, "{\"interfaces\":[" HOST "]}",
		"{\"addresses\":[],\"ip\":\"\",\"mask\":\"\"}");
}

#define IP(text)  "{\"ips\":[{\"address\":" text "}]}"
#define DNS(text) "{\"dns\":{" text "}}"

static void what_is_wrong_is_refused(void **state)
{
	(void)state;
	static const struct {
		enum cni_version version;
		const char *text;
		enum err_code code;
		const char *says;
	} bad[] = {
		{CNI_1_0_0, "", ERR_INVALID, "it printed nothing"},
		{CNI_1_0_0, "hello", ERR_INVALID, "the 5 bytes it printed are garbage"},
		{CNI_1_0_0, "{} {}", ERR_INVALID, "garbage"},
		{CNI_1_0_0, "[]", ERR_INVALID, "result: it must be a JSON object"},
		{CNI_1_0_0, "{\"cniVersion\":\"7\"}", ERR_UNSUPPORTED, "is not known"},
		{CNI_1_0_0, "{\"cniVersion\":7}", ERR_INVALID, "\"cniVersion\" must be"},
		{CNI_0_1_0, "{\"ip4\":[]}", ERR_INVALID, "\"ip4\" must be an object"},
		{CNI_0_1_0, "{\"ip4\":{}}", ERR_INVALID, "ip4: \"ip\" is missing"},
		{CNI_0_1_0, "{\"ip4\":{\"ip\":\"fd00::1/64\"}}", ERR_INVALID, "other family"},
		{CNI_0_2_0, "{\"ip6\":{\"ip\":\"1.2.3.4/24\"}}", ERR_INVALID, "other family"},
		{CNI_1_0_0, IP("7"), ERR_INVALID, "ips: \"address\" must be a string"},
		{CNI_1_0_0, IP("\"\""), ERR_INVALID, "no address with a prefix"},
		{CNI_1_0_0, IP("\"1.2.3.4/33\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"1.2.3.4/\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"1.2.3.4/-1\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"1.2.3.4/8x\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"1.2.3/8\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"fd00::1/129\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"1.2.3.4/99999999999999999999\""), ERR_INVALID, "no address"},
		{CNI_1_0_0, IP("\"1.2.3.4/8\",\"gateway\":\"fd00::1\""), ERR_INVALID,
			"\"gateway\" is no IPv4 address"},
		{CNI_1_0_0, IP("\"fd00::2/8\",\"gateway\":\"1.2.3.4\""), ERR_INVALID,
			"\"gateway\" is no IPv6 address"},
		{CNI_1_0_0, IP("\"1.2.3.4/8\",\"interface\":0"), ERR_INVALID,
			"\"interface\" is none of"},
		{CNI_1_0_0, IP("\"1.2.3.4/8\",\"interface\":-1"), ERR_INVALID,
			"\"interface\" is none of"},
		{CNI_1_0_0, IP("\"1.2.3.4/8\",\"interface\":\"0\""), ERR_INVALID, "an integer"},
		{CNI_1_0_0, "{\"ips\":{}}", ERR_INVALID, "\"ips\" must be an array"},
		{CNI_1_0_0, "{\"ips\":[1]}", ERR_INVALID, "\"ips\" must hold objects"},
		{CNI_1_0_0, "{\"routes\":[\"x\"]}", ERR_INVALID, "\"routes\" must hold objects"},
		{CNI_1_0_0, "{\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:0g\"}]}",
			ERR_INVALID, "\"mac\" of eth0"},
		{CNI_1_0_0, "{\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"02-00-00-00-00-00\"}]}",
			ERR_INVALID, "\"mac\" of eth0"},
		{CNI_1_0_0, "{\"dns\":[]}", ERR_INVALID, "dns: \"dns\" must be an object"},
		{CNI_1_0_0, DNS("\"domain\":\"a\\nb\""), ERR_INVALID, "\"domain\" must be a word"},
		{CNI_1_0_0, DNS("\"domain\":3"), ERR_INVALID, "\"domain\" must be a word"},
		{CNI_1_0_0, DNS("\"search\":\"a\""), ERR_INVALID, "\"search\" must be an array"},
		{CNI_1_0_0, DNS("\"search\":[\"a b\"]"), ERR_INVALID, "\"search\": entry 1"},
		{CNI_1_0_0, DNS("\"options\":[\"a\",\"\"]"), ERR_INVALID, "\"options\": entry 2"},
		{CNI_1_0_0, DNS("\"nameservers\":[\"ns.example\"]"), ERR_INVALID, "entry 1"},
		{CNI_1_0_0, DNS("\"nameservers\":[\"1.1.1.1\\nsearch x\"]"), ERR_INVALID,
			"entry 1"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		struct cni_result r = {0};
		assert_fails(cni_result_parse(bad[i].text, bad[i].version, "eth0", &r, &err), &err,
			bad[i].code, bad[i].says);
		assert_null(r.raw);
	}
}

/* So many of `item` in an array named `key`. */
static int of_many(const char *key, const char *item, int n, struct err *err)
{
	_cleanup_json_ json_t *o = json_object();
	json_t *list = json_array();
	_cleanup_cni_result_ struct cni_result r = {0};
	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_loads(item, JSON_DECODE_ANY, NULL));
	json_object_set_new(o, key, list);
	if (json_is_string(json_array_get(list, 0))) {
		json_t *dns = o;
		o = json_make("{s:o}", "dns", dns);
	}
	return cni_result_read(o, CNI_1_0_0, "eth0", &r, err);
}

static void lists_are_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		const char *item;
		int max;
		enum err_code code;
	} t[] = {{"ips", "{\"address\":\"1.2.3.4/8\"}", CNI_IPS_MAX, ERR_FULL},
		{"interfaces", "{}", CNI_IFACES_MAX, ERR_FULL},
		{"routes", "{}", CNI_ROUTES_MAX, ERR_FULL},
		{"nameservers", "\"1.1.1.1\"", CNI_DNS_MAX, ERR_INVALID},
		{"search", "\"x\"", CNI_DNS_MAX, ERR_INVALID}};
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err err = {0};
		assert_ok(of_many(t[i].key, t[i].item, t[i].max, &err), &err);
		assert_fails(of_many(t[i].key, t[i].item, t[i].max + 1, &err), &err, t[i].code,
			"at most");
	}
}

static void an_old_result_is_given_to_a_new_plugin(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_result_ struct cni_result r = {0};
	_cleanup_cni_result_ struct cni_result again = {0};
	assert_ok(cni_result_parse("{\"ip4\":{\"ip\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\"},"
				   "\"dns\":{\"nameservers\":[\"9.9.9.9\"]}}",
			  CNI_0_1_0, "eth0", &r, &err),
		&err);
	_cleanup_json_ json_t *j = cni_result_current(&r, "eth0", "/run/netns/x");
	_cleanup_free_ char *text = json_text(j);
	assert_string_equal(text,
		"{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":"
		"\"/run/netns/x\"}],\"ips\":[{\"address\":\"10.0.0.2/24\",\"gateway\":"
		"\"10.0.0.1\",\"interface\":0}],\"dns\":{\"nameservers\":[\"9.9.9.9\"]}}");
	assert_ok(cni_result_read(j, CNI_0_1_0, "eth0", &again, &err), &err);
	assert_int_equal(again.version, CNI_1_0_0);
	assert_string_equal(cni_result_ip4(&again)->ip, "10.0.0.2");
	assert_int_equal(cni_result_ip4(&again)->prefix, 24);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(results_of_every_version_are_read),
	cmocka_unit_test(the_pods_interface_is_found),
	cmocka_unit_test(what_is_wrong_is_refused),
	cmocka_unit_test(lists_are_bounded),
	cmocka_unit_test(an_old_result_is_given_to_a_new_plugin),
};

UNIT_MAIN(tests, NULL, NULL)
