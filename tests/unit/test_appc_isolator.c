/* SPDX-License-Identifier: Apache-2.0 */
/* Isolators as manifests write them: each type, what is ignored, what is refused by name. */
/* LINK: appc base */
#include "unit.h"

#include "appc/isolator.h"
#include "base/cleanup.h"
#include "base/json.h"

static json_t *app_with(const char *isolators)
{
	json_t *list = json_loads(isolators, 0, NULL);
	assert_non_null(list);
	return json_pack("{s:o}", "isolators", list);
}

static int parse(const char *isolators, struct appc_isolators *ret, struct err *err)
{
	_cleanup_json_ json_t *app = app_with(isolators);
	return appc_isolators_parse(app, ret, err);
}

static void each_type_is_read(void **state)
{
	(void)state;
	static const char text[] =
		"[{\"name\":\"os/linux/cpu-shares\",\"value\":262144},"
		"{\"name\":\"os/linux/oom-score-adj\",\"value\":-1000},"
		"{\"name\":\"os/linux/no-new-privileges\",\"value\":true},"
		"{\"name\":\"os/linux/"
		"capabilities-remove-set\",\"value\":{\"Set\":[\"CAP_KILL\"]}},"
		"{\"name\":\"os/linux/seccomp-retain-set\",\"value\":"
		"{\"set\":[\"@rkt/default-whitelist\",\"mount\"],\"errno\":\"EPERM\"}},"
		"{\"name\":\"resource/cpu\",\"value\":{\"limit\":\"1u\"}},"
		"{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1Ki\"}}]";
	struct appc_isolators i = {0};
	_cleanup_err_ struct err err = {0};
	assert_ok(parse(text, &i, &err), &err);
	assert_int_equal(i.cpu_shares, 262144);
	assert_int_equal(i.oom_score_adj, -1000);
	assert_true(i.no_new_privileges);
	assert_int_equal(i.caps.kind, APPC_SET_REMOVE);
	assert_string_equal(json_string_value(json_array_get(i.caps.names, 0)), "CAP_KILL");
	assert_int_equal(i.seccomp.kind, APPC_SET_RETAIN);
	assert_int_equal(json_array_size(i.seccomp.names), 2);
	assert_string_equal(i.seccomp.error_name, "EPERM");
	assert_int_equal(i.cpu_milli, 1);
	assert_int_equal(i.memory_bytes, 1024);
	appc_isolators_done(&i);
}

static void nothing_given_is_nothing(void **state)
{
	(void)state;
	struct appc_isolators i = {0};
	_cleanup_err_ struct err err = {0};
	assert_ok(parse("[]", &i, &err), &err);
	assert_null(i.values);
	assert_int_equal(i.seccomp.kind, APPC_SET_NONE);
	assert_ok(appc_isolators_parse(NULL, &i, &err), &err);
	appc_isolators_done(&i);
}

static void what_rkt_ignores_is_ignored(void **state)
{
	(void)state;
	static const char *const names[] = {"resource/block-bandwidth", "resource/block-iops",
		"resource/network-bandwidth", "os/linux/selinux-context", "os/unix/sysctl"};
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		struct appc_isolators i = {0};
		_cleanup_err_ struct err err = {0};
		_cleanup_json_ json_t *app = json_pack("{s:[{s:s, s:{s:s}}]}", "isolators", "name",
			names[n], "value", "limit", "nonsense");
		assert_ok(appc_isolators_parse(app, &i, &err), &err);
		appc_isolators_done(&i);
	}
}

#define SET(name, value) "{\"name\":\"os/linux/" name "\",\"value\":" value "}"
#define ONE(name, value) "[" SET(name, value) "]"

static void wrong_ones_are_refused_by_name(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"[{\"name\":\"os/linux/apparmor-profile\"}]",
			"invalid isolator \"os/linux/apparmor-profile\""},
		{"[{}]", "invalid isolator \"\""},
		{ONE("cpu-shares", "1"), "isolator os/linux/cpu-shares: must be a number from 2"},
		{ONE("cpu-shares", "262145"), "from 2 to 262144"},
		{ONE("cpu-shares", "\"5\""), "must be a number"},
		{ONE("oom-score-adj", "1001"), "from -1000 to 1000"},
		{ONE("oom-score-adj", "1.5"), "must be a number"},
		{ONE("no-new-privileges", "1"), "must be true or false"},
		{ONE("capabilities-retain-set", "{\"set\":[]}"), "must not be empty"},
		{ONE("capabilities-retain-set", "{}"), "must not be empty"},
		{ONE("capabilities-retain-set", "{\"set\":[1]}"), "an array of names"},
		{ONE("capabilities-retain-set", "{\"set\":\"CAP_KILL\"}"), "must be an array"},
		{"[" SET("capabilities-retain-set", "{\"set\":[\"A\"]}") "," SET(
			 "capabilities-remove-set", "{\"set\":[\"A\"]}") "]",
			"a retain-set or a remove-set, not both"},
		{"[" SET("seccomp-retain-set", "{\"set\":[\"a\"]}") "," SET(
			 "seccomp-remove-set", "{\"set\":[\"a\"]}") "]",
			"not both"},
		{"[" SET("seccomp-remove-set", "{\"set\":[\"a\"]}") "," SET(
			 "seccomp-remove-set", "{\"set\":[\"a\"]}") "]",
			"isolator os/linux/seccomp-remove-set is given twice"},
		{ONE("seccomp-retain-set", "{\"set\":[\"a\"],\"errno\":1}"), "\"errno\" must be"},
	};
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct appc_isolators i = {0};
		_cleanup_err_ struct err err = {0};
		assert_fails(parse(rows[n][0], &i, &err), &err, ERR_INVALID, rows[n][1]);
		assert_null(i.values);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_type_is_read),
	cmocka_unit_test(nothing_given_is_nothing),
	cmocka_unit_test(what_rkt_ignores_is_ignored),
	cmocka_unit_test(wrong_ones_are_refused_by_name),
};

UNIT_MAIN(tests, NULL, NULL)
