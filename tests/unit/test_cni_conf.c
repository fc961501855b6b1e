/* SPDX-License-Identifier: Apache-2.0 */
/* Files of CNI networks: what is taken, what is refused, and that the stored form says the same. */
/* LINK: cni base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/conf.h"

#define CONF "/etc/rkt/net.d/10-a.conf"
#define LIST "/etc/rkt/net.d/10-a.conflist"

static int parse(const char *path, const char *text, struct cni_net *ret, struct err *err)
{
	return cni_net_parse(path, text, strlen(text), ret, err);
}

static void rkts_conf_is_a_list_of_one(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	const char *text = "{\"name\":\"default\",\"type\":\"ptp\",\"ipMasq\":true,"
			   "\"ipam\":{\"type\":\"host-local\",\"subnet\":\"172.16.28.0/24\"}}";
	assert_ok(parse(CONF, text, &n, &err), &err);
	assert_string_equal(n.name, "default");
	assert_string_equal(n.file, "10-a.conf");
	assert_string_equal(n.path, CONF);
	assert_string_equal(n.text, text);
	assert_string_equal(cni_net_type(&n), "ptp");
	assert_int_equal(n.version, CNI_0_1_0);
	assert_true(n.ip_masq);
	assert_false(n.disable_check);
	assert_int_equal(json_array_size(n.plugins), 1);
	const json_t *p = json_array_get(n.plugins, 0);
	assert_string_equal(json_str_opt(p, "cniVersion", ""), "0.1.0");
	assert_non_null(json_object_get(p, "ipam"));
}

static void a_lists_name_and_version_are_its_plugins(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	assert_ok(parse(LIST,
			  "{\"cniVersion\":\"1.0.0\",\"name\":\"web\",\"disableCheck\":\"true\","
			  "\"plugins\":[{\"type\":\"bridge\",\"name\":\"other\",\"ipMasq\":false},"
			  "{\"type\":\"portmap\",\"cniVersion\":\"0.3.0\",\"ipMasq\":null,"
			  "\"capabilities\":{\"portMappings\":true,\"x\":false}}]}",
			  &n, &err),
		&err);
	for (size_t i = 0; i < 2; i++) {
		const json_t *p = json_array_get(n.plugins, i);
		assert_string_equal(json_str_opt(p, "name", ""), "web");
		assert_string_equal(json_str_opt(p, "cniVersion", ""), "1.0.0");
	}
	assert_true(n.disable_check);
	assert_false(n.ip_masq);
	assert_true(cni_net_capable(&n, "portMappings"));
	assert_false(cni_net_capable(&n, "x"));
	assert_false(cni_net_capable(&n, "bandwidth"));
}

static void names_and_versions_that_are_taken(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{\"name\":\"a b\",\"type\":\"ptp\"}",
		"{\"name\":\"_x\",\"type\":\"ptp\",\"cniVersion\":\"\"}",
		"{\"name\":\"x\",\"type\":\"ptp\",\"cniVersion\":null}",
		"{\"name\":\"x\",\"type\":\"ptp\",\"cniVersion\":\"0.2.0\"}",
		"{\"name\":\"_x\",\"type\":\"ptp\",\"cniVersion\":\"0.3.0\"}",
		"{\"name\":\"x\",\"type\":\"ptp\",\"cniVersion\":\"0.3.1\"}",
		"{\"name\":\"A.b-c_9\",\"type\":\"my plugin\",\"cniVersion\":\"0.4.0\"}",
		"{\"name\":\"9\",\"type\":\"ptp\",\"cniVersion\":\"1.0.0\",\"disableCheck\":false}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err err = {0};
		_cleanup_cni_net_ struct cni_net n = {0};
		assert_ok(parse(CONF, texts[i], &n, &err), &err);
	}
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		const char *text;
		enum err_code code;
		const char *says;
	} bad[] = {
		{CONF, "", ERR_INVALID, CONF ": it is not valid JSON"},
		{CONF, "[]", ERR_INVALID, CONF ": it must be a JSON object"},
		{CONF, "{\"name\":\"a\",\"name\":\"b\",\"type\":\"p\"}", ERR_INVALID, "duplicate"},
		{CONF, "{\"name\":\"a\\u0000b\",\"type\":\"p\"}", ERR_INVALID, "NUL"},
		{CONF, "{\"type\":\"p\"}", ERR_INVALID, "\"name\" is missing"},
		{CONF, "{\"name\":\"\",\"type\":\"p\"}", ERR_INVALID, "\"name\" must be"},
		{CONF, "{\"name\":\"..\",\"type\":\"p\"}", ERR_INVALID, "\"name\" must be"},
		{CONF, "{\"name\":\"a/b\",\"type\":\"p\"}", ERR_INVALID, "\"name\" must be"},
		{CONF, "{\"name\":\"a:b\",\"type\":\"p\"}", ERR_INVALID, "\"name\" must be"},
		{CONF, "{\"name\":\"a,b\",\"type\":\"p\"}", ERR_INVALID, "\"name\" must be"},
		{CONF, "{\"name\":\"a\\nb\",\"type\":\"p\"}", ERR_INVALID, "\"name\" must be"},
		{CONF, "{\"name\":\"host\",\"type\":\"p\"}", ERR_INVALID, "a word of --net"},
		{CONF, "{\"name\":\"a b\",\"type\":\"p\",\"cniVersion\":\"0.4.0\"}", ERR_INVALID,
			"\"a b\": letters"},
		{CONF, "{\"name\":\"-a\",\"type\":\"p\",\"cniVersion\":\"1.0.0\"}", ERR_INVALID,
			"first a letter or a digit"},
		{CONF, "{\"name\":\"a\",\"type\":\"p\",\"cniVersion\":\"1.1.0\"}", ERR_UNSUPPORTED,
			CONF ": cniVersion \"1.1.0\" is not known"},
		{CONF, "{\"name\":\"a\",\"type\":\"p\",\"cniVersion\":1}", ERR_INVALID,
			"\"cniVersion\" must be a string"},
		{CONF, "{\"name\":\"a\"}", ERR_INVALID, "\"type\" is missing"},
		{CONF, "{\"name\":\"a\",\"type\":\"\"}", ERR_INVALID, "file name of a plugin"},
		{CONF, "{\"name\":\"a\",\"type\":\"../sh\"}", ERR_INVALID, "file name of a plugin"},
		{CONF, "{\"name\":\"a\",\"type\":\"..\"}", ERR_INVALID, "file name of a plugin"},
		{CONF, "{\"name\":\"a\",\"type\":\"p\",\"ipMasq\":\"yes\"}", ERR_INVALID,
			"\"ipMasq\" must be true or false"},
		{CONF, "{\"name\":\"a\",\"type\":\"p\",\"capabilities\":[]}", ERR_INVALID,
			"\"capabilities\" must be an object"},
		{CONF, "{\"name\":\"a\",\"type\":\"p\",\"disableCheck\":\"no\"}", ERR_INVALID,
			"\"disableCheck\" must be"},
		{CONF, "{\"name\":\"a\",\"plugins\":[{\"type\":\"p\"}]}", ERR_INVALID,
			"must be in a .conflist file"},
		{LIST, "{\"name\":\"a\",\"type\":\"p\"}", ERR_INVALID, "\"plugins\" is missing"},
		{LIST, "{\"name\":\"a\",\"plugins\":[]}", ERR_INVALID, "1 to 16 plugins, not 0"},
		{LIST, "{\"name\":\"a\",\"plugins\":[{\"type\":\"p\"},{\"type\":\"q\"}]}",
			ERR_INVALID, "several plugins need \"cniVersion\" 0.3.0"},
		{LIST, "{\"name\":\"a\",\"plugins\":[3]}", ERR_INVALID, "plugin 1: a plugin's"},
		{LIST,
			"{\"name\":\"a\",\"cniVersion\":\"0.3.0\","
			"\"plugins\":[{\"type\":\"p\"},{\"type\":\"a/b\"}]}",
			ERR_INVALID, LIST ": plugin 2: \"type\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		struct cni_net n = {0};
		assert_fails(
			parse(bad[i].path, bad[i].text, &n, &err), &err, bad[i].code, bad[i].says);
		assert_null(n.name);
	}
}

static void size_is_bounded_and_nul_is_no_text(void **state)
{
	(void)state;
	struct err err = {0};
	struct cni_net n = {0};
	_cleanup_free_ char *big = xmalloc(CNI_CONF_MAX + 1);
	memset(big, ' ', CNI_CONF_MAX + 1);
	assert_fails(cni_net_parse(CONF, big, CNI_CONF_MAX + 1, &n, &err), &err, ERR_FULL,
		"larger than 1048576 bytes");
	static const char conf[] = "{\"name\":\"a\",\"type\":\"p\"}";
	memcpy(big, conf, sizeof conf - 1);
	assert_ok(cni_net_parse(CONF, big, CNI_CONF_MAX, &n, &err), &err);
	cni_net_done(&n);
	big[CNI_CONF_MAX - 1] = '\0';
	assert_fails(cni_net_parse(CONF, big, CNI_CONF_MAX, &n, &err), &err, ERR_INVALID,
		"holds a NUL byte");
	char long_name[CNI_NAME_MAX + 64];
	snprintf(long_name, sizeof long_name, "{\"type\":\"p\",\"name\":\"%0*d\"}",
		CNI_NAME_MAX + 1, 0);
	assert_fails(parse(CONF, long_name, &n, &err), &err, ERR_INVALID, "1 to 255 bytes");
}

static void the_name_of_a_broken_one_is_told(void **state)
{
	(void)state;
	static const char wrong[] = "{\"name\":\"a\",\"type\":4}";
	char *name = cni_net_peek_name(wrong, strlen(wrong));
	assert_string_equal(name, "a");
	free(name);
	assert_null(cni_net_peek_name("{\"name\":7}", 10));
	assert_null(cni_net_peek_name("{\"name\":\"a\"", 11));
	assert_null(cni_net_peek_name("[]", 2));
}

static void what_is_stored_is_the_same_network(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_cni_net_ struct cni_net n = {0};
	_cleanup_cni_net_ struct cni_net again = {0};
	assert_ok(parse(LIST,
			  "{\"cniVersion\":\"0.4.0\",\"name\":\"web\",\"disableCheck\":true,"
			  "\"plugins\":[{\"type\":\"bridge\",\"ipMasq\":true},{\"type\":\"tuning\"}"
			  "]}",
			  &n, &err),
		&err);
	n.args = xstrdup("IP=10.0.0.9");
	n.builtin = true;
	strcpy(n.ifname, "eth3");
	_cleanup_json_ json_t *j = cni_net_json(&n);
	assert_ok(cni_net_from_json(j, &again, &err), &err);
	_cleanup_json_ json_t *j2 = cni_net_json(&again);
	assert_true(json_equal(j, j2));
	assert_string_equal(again.ifname, "eth3");
	assert_string_equal(again.args, "IP=10.0.0.9");
	assert_true(again.ip_masq && again.disable_check && again.builtin);
	assert_int_equal(again.version, CNI_0_4_0);
	assert_null(again.text);
}

/* One member of a good one replaced by another value, or taken away. */
static void what_is_stored_is_checked_again(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		const char *value;
		const char *says;
	} bad[] = {
		{"name", "7", "\"name\" must be a string"},
		{"name", "\"a/b\"", "\"name\" must be 1 to"},
		{"version", "\"9\"", "is not known"},
		{"plugins", "{}", "\"plugins\" must be an array"},
		{"plugins", "[{\"type\":\"../x\"}]", "plugin 1: \"type\""},
		{"file", "\"../passwd\"", "\"file\" must be a file name"},
		{"file", "null", "\"file\" must be a string"},
		{"path", "1", "\"path\" must be a string"},
		{"builtin", "1", "\"builtin\" must be true or false"},
		{"ifname", "\"a/b\"", "\"ifname\" must be"},
		{"ifname", "\"0123456789abcdef\"", "\"ifname\" must be"},
	};
	struct cni_net n = {0};
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_t *j = json_make("{s:s,s:s,s:s,s:b,s:s,s:[{s:s}]}", "name", "a",
			"file", "a.conf", "path", "/a.conf", "builtin", 0, "version", "0.1.0",
			"plugins", "type", "ptp");
		assert_ok(cni_net_from_json(j, &n, &err), &err);
		cni_net_done(&n);
		json_object_set_new(j, bad[i].key, json_loads(bad[i].value, JSON_DECODE_ANY, NULL));
		assert_fails(cni_net_from_json(j, &n, &err), &err,
			!strcmp(bad[i].key, "version") ? ERR_UNSUPPORTED : ERR_INVALID,
			bad[i].says);
	}
	_cleanup_json_ json_t *none = json_null();
	assert_fails(cni_net_from_json(none, &n, &err), &err, ERR_INVALID, "is missing");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rkts_conf_is_a_list_of_one),
	cmocka_unit_test(a_lists_name_and_version_are_its_plugins),
	cmocka_unit_test(names_and_versions_that_are_taken),
	cmocka_unit_test(what_is_wrong_is_named),
	cmocka_unit_test(size_is_bounded_and_nul_is_no_text),
	cmocka_unit_test(the_name_of_a_broken_one_is_told),
	cmocka_unit_test(what_is_stored_is_the_same_network),
	cmocka_unit_test(what_is_stored_is_checked_again),
};

UNIT_MAIN(tests, NULL, NULL)
