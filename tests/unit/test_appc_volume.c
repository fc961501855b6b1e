/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes, mounts and mount points of manifests (contract 3.3). */
/* LINK: appc base */
#include "unit.h"

#include "appc/lenient.h"
#include "appc/volume.h"
#include "base/json.h"

static json_t *parse(const char *text)
{
	struct err err = {0};
	json_t *o = lenient_parse(text, strlen(text), "text", &err);
	assert_non_null(o);
	return o;
}

#define VOLUMES(rest) "{\"volumes\":[" rest "]}"
#define HOST(rest)    VOLUMES("{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/s\"" rest "}")
#define EMPTY(rest)   VOLUMES("{\"name\":\"v\",\"kind\":\"empty\"" rest "}")

static const struct good {
	const char *text;
	struct want {
		const char *name;
		bool host;
		const char *source;
		bool says_read_only;
		bool read_only;
		bool recursive;
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} want;
} good[] = {
	{HOST(""), {"v", true, "/s", false, false, true, 0755, 0, 0}},
	{HOST(",\"readOnly\":true"), {"v", true, "/s", true, true, true, 0755, 0, 0}},
	{HOST(",\"readOnly\":false"), {"v", true, "/s", true, false, true, 0755, 0, 0}},
	{HOST(",\"READONLY\":null"), {"v", true, "/s", false, false, true, 0755, 0, 0}},
	{HOST(",\"recursive\":false"), {"v", true, "/s", false, false, false, 0755, 0, 0}},
	{HOST(",\"recursive\":null"), {"v", true, "/s", false, false, true, 0755, 0, 0}},
	{HOST(",\"Recursive\":true,\"mode\":null"),
		{"v", true, "/s", false, false, true, 0755, 0, 0}},
	{EMPTY(""), {"v", false, "", false, false, true, 0755, 0, 0}},
	{EMPTY(",\"mode\":\"1777\",\"uid\":5,\"GID\":4294967294"),
		{"v", false, "", false, false, true, 01777, 5, 4294967294}},
	{EMPTY(",\"mode\":\"0\",\"source\":\"\""), {"v", false, "", false, false, true, 0, 0, 0}},
};

static void volumes_are_read_with_what_is_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct err err = {0};
		struct appc_volumes a = {0};
		const struct want *w = &good[i].want;
		_cleanup_json_ json_t *o = parse(good[i].text);
		assert_ok(appc_volumes_read(o, &a, &err), &err);
		assert_int_equal(a.n, 1);
		assert_string_equal(a.v->name, w->name);
		assert_string_equal(a.v->source, w->source);
		if (a.v->host != w->host || a.v->says_read_only != w->says_read_only ||
			a.v->read_only != w->read_only || a.v->recursive != w->recursive ||
			a.v->mode != w->mode || a.v->uid != w->uid || a.v->gid != w->gid)
			fail_msg("%s", good[i].text);
		appc_volumes_done(&a);
	}
}

static const struct bad {
	const char *text;
	const char *says;
} bad_volumes[] = {
	{"{\"volumes\":{}}", "\"volumes\" must be an array"},
	{VOLUMES("1"), "\"name\" is \"\", which is not a valid name"},
	{VOLUMES("{\"name\":\"../x\",\"kind\":\"empty\"}"), "\"../x\""},
	{VOLUMES("{\"name\":\"v\"}"), "volume v: \"kind\" is \"\", neither host nor empty"},
	{VOLUMES("{\"name\":\"v\",\"kind\":\"nfs\"}"), "volume v: \"kind\" is \"nfs\""},
	{VOLUMES("{\"name\":\"v\",\"kind\":\"host\"}"), "volume v: \"source\" must be an absolute"},
	{VOLUMES("{\"name\":\"v\",\"kind\":\"host\",\"source\":\"a/b\"}"), "not \"a/b\""},
	{HOST(",\"mode\":\"0700\""), "volume v: \"mode\" is for volumes of kind empty"},
	{HOST(",\"uid\":0"), "volume v: \"uid\" is for volumes of kind empty"},
	{HOST(",\"readOnly\":1"), "volume v: \"readOnly\" must be true or false"},
	{HOST(",\"recursive\":\"yes\""), "volume v: \"recursive\" must be true or false"},
	{EMPTY(",\"source\":\"/s\""), "volume v: it is of kind empty and has the \"source\" /s"},
	{EMPTY(",\"mode\":755"), "\"mode\" must be a string"},
	{EMPTY(",\"mode\":\"\""), "\"mode\" is \"\""},
	{EMPTY(",\"mode\":\"0o755\""), "\"mode\" is \"0o755\""},
	{EMPTY(",\"mode\":\"-1\""), "\"mode\" is \"-1\""},
	{EMPTY(",\"mode\":\"10000\""), "\"mode\" is \"10000\""},
	{EMPTY(",\"mode\":\"7777777777777777777777777\""), "\"mode\" is \"77777"},
	{EMPTY(",\"uid\":-1"), "\"uid\" is -1, which no uid is"},
	{EMPTY(",\"gid\":4294967295"), "\"gid\" is 4294967295"},
	{VOLUMES("{\"name\":\"v\",\"kind\":\"empty\"},{\"name\":\"v\",\"kind\":\"empty\"}"),
		"two volumes are named v"},
};

static void bad_volumes_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_volumes / sizeof *bad_volumes; i++) {
		struct err err = {0};
		struct appc_volumes a = {0};
		_cleanup_json_ json_t *o = parse(bad_volumes[i].text);
		assert_fails(
			appc_volumes_read(o, &a, &err), &err, ERR_INVALID, bad_volumes[i].says);
		appc_volumes_done(&a);
	}
}

static void paths_in_apps_are_cleaned(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"/a", "/a"}, {"/a/", "/a"}, {"//a///b/.", "/a/b"},
		{"/a/../b", "/b"}, {"/../../a/./b/..", "/a"}, {"/a/..b/...", "/a/..b/..."},
		{"/a/b/../../c", "/c"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {0};
		struct appc_mount_points a = {0};
		_cleanup_json_ json_t *o = json_make(
			"{s:[{s:s, s:s}]}", "mountPoints", "name", "m", "path", rows[i][0]);
		assert_ok(appc_mount_points_read(o, &a, &err), &err);
		assert_string_equal(a.v[0].path, rows[i][1]);
		assert_false(a.v[0].read_only);
		appc_mount_points_done(&a);
	}
}

static void a_mount_may_have_its_own_volume(void **state)
{
	(void)state;
	struct err err = {0};
	struct appc_mounts a = {0};
	_cleanup_json_ json_t *o = parse(
		"{\"Mounts\":[{\"volume\":\"v\",\"path\":\"/x/\"},{\"volume\":\"w\",\"path\":"
		"\"/y\",\"AppVolume\":{\"name\":\"z\",\"kind\":\"host\",\"source\":\"/s\"}}]}");
	assert_ok(appc_mounts_read(o, &a, &err), &err);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.v[0].name, "v");
	assert_string_equal(a.v[0].path, "/x");
	assert_false(a.v[0].own);
	assert_true(a.v[1].own);
	assert_string_equal(a.v[1].volume.name, "z");
	assert_true(a.v[1].volume.host);
	appc_mounts_done(&a);
}

static const struct bad bad_mounts[] = {
	{"{\"mounts\":1}", "\"mounts\" must be an array"},
	{"{\"mounts\":[{\"path\":\"/x\"}]}", "\"mounts\": \"volume\" is \"\""},
	{"{\"mounts\":[{\"volume\":\"v\"}]}", "volume v: \"path\" must be an absolute path"},
	{"{\"mounts\":[{\"volume\":\"v\",\"path\":\"x\"}]}", "not \"x\""},
	{"{\"mounts\":[{\"volume\":\"v\",\"path\":\"/a/..\"}]}",
		"\"path\" is /a/..: the app's root"},
	{"{\"mounts\":[{\"volume\":\"v\",\"path\":\"/a\",\"appVolume\":{\"name\":\"v\"}}]}",
		"\"appVolume\": volume v: \"kind\""},
	{"{\"mounts\":[{\"volume\":\"v\",\"path\":\"/a\",\"appVolume\":[]}]}",
		"\"appVolume\" must be an object"},
	{"{\"mountPoints\":[{\"path\":\"/x\"}]}", "\"mountPoints\": \"name\" is \"\""},
	{"{\"mountPoints\":[{\"name\":\"m\"}]}", "m: \"path\" must be an absolute path"},
	{"{\"mountPoints\":[{\"name\":\"m\",\"path\":\"/\"}]}", "the app's root"},
	{"{\"mountPoints\":[{\"name\":\"m\",\"path\":\"/a\",\"readOnly\":\"\"}]}", "\"readOnly\""},
};

static void bad_mounts_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_mounts / sizeof *bad_mounts; i++) {
		struct err err = {0};
		struct appc_mounts m = {0};
		struct appc_mount_points p = {0};
		_cleanup_json_ json_t *o = parse(bad_mounts[i].text);
		int r = appc_mounts_read(o, &m, &err);
		if (r == 0)
			r = appc_mount_points_read(o, &p, &err);
		assert_fails(r, &err, ERR_INVALID, bad_mounts[i].says);
		appc_mounts_done(&m);
		appc_mount_points_done(&p);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(volumes_are_read_with_what_is_left_out),
	cmocka_unit_test(bad_volumes_are_refused_by_name),
	cmocka_unit_test(paths_in_apps_are_cleaned),
	cmocka_unit_test(a_mount_may_have_its_own_volume),
	cmocka_unit_test(bad_mounts_are_refused_by_name),
};

UNIT_MAIN(tests, NULL, NULL)
