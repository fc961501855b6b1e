/* SPDX-License-Identifier: Apache-2.0 */
/* Names, and manifests as stage0 writes them and as users' editors write them. */
/* LINK: appc base */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "appc/acname.h"
#include "appc/image.h"
#include "appc/lenient.h"
#include "appc/pod.h"
#include "base/cleanup.h"

#define APP "\"exec\":[\"/bin/a\",\"b\"],\"user\":\"0\",\"group\":\"0\""

static int pod_parse(const char *text, struct appc_pod *ret, struct err *err)
{
	return appc_pod_parse(text, strlen(text), ret, err);
}

static void names_follow_the_specification(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "0", "a-b", "a--b", "web2"};
	static const char *const bad[] = {
		"", "-a", "a-", "A", "a_b", "a.b", "a/b", "..", "\xc3\xa9"};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(acname_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(acname_valid(bad[i]));
	assert_true(acname_identifier_valid("example.com/a_b~c"));
	assert_false(acname_identifier_valid("example.com/"));
	assert_false(acname_identifier_valid("Example.com"));
}

static void app_names_are_made_of_image_names(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"example.com/Web_Server", "web-server"}, {"a", "a"}, {"x/--A.b--", "a-b"}};
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_free_ char *name = acname_from_image(pairs[i][0]);
		assert_non_null(name);
		assert_string_equal(name, pairs[i][1]);
	}
	assert_null(acname_from_image("a/"));
	assert_null(acname_from_image("_._"));
}

static void keys_match_without_case_and_the_last_wins(void **state)
{
	(void)state;
	static const char text[] = "{\"ACKIND\":\"PodManifest\",\"APPS\":[{\"Name\":\"x\","
				   "\"image\":{\"ID\":\"sha512-1\"},\"readonlyrootfs\":true,"
				   "\"App\":{" APP ",\"user\":\"root\",\"USER\":\"bin\","
				   "\"supplementaryGids\":[5,6],\"workingdirectory\":\"/w\","
				   "\"isolators\":null,\"environment\":null}}],"
				   "\"volumes\":null,\"unknown\":{}}";
	struct appc_pod pod = {0};
	_cleanup_err_ struct err err = {0};
	assert_ok(pod_parse(text, &pod, &err), &err);
	assert_int_equal(pod.napps, 1);
	const struct appc_pod_app *a = &pod.apps[0];
	assert_string_equal(a->name, "x");
	assert_string_equal(a->image_id, "sha512-1");
	assert_true(a->read_only);
	assert_true(a->has_app);
	assert_string_equal(a->app.user, "bin");
	assert_string_equal(a->app.cwd, "/w");
	assert_int_equal(a->app.ngids, 2);
	assert_int_equal(a->app.gids[1], 6);
	assert_int_equal(a->app.nexec, 2);
	assert_string_equal(a->app.exec[1], "b");
	assert_int_equal(pod.volumes.n, 0);
	appc_pod_done(&pod);
}

static void the_last_isolator_of_a_name_wins(void **state)
{
	(void)state;
	static const char text[] =
		"{\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"x\",\"app\":{" APP
		",\"isolators\":["
		"{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1Gi\"}},"
		"{\"name\":\"resource/cpu\",\"value\":{\"limit\":\"1500m\"}},"
		"{\"name\":\"resource/memory\",\"value\":{\"request\":\"1\",\"Limit\":\"16Mi\"}},"
		"{\"name\":\"os/unix/sysctl\"}]}}]}";
	struct appc_pod pod = {0};
	_cleanup_err_ struct err err = {0};
	assert_ok(pod_parse(text, &pod, &err), &err);
	assert_int_equal(pod.apps[0].app.isolators.memory_bytes, 16 * 1024 * 1024);
	assert_int_equal(pod.apps[0].app.isolators.cpu_milli, 1500);
	appc_pod_done(&pod);
}

static void limits_may_be_absent_or_numbers_but_not_nonsense(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		int r;
		int64_t bytes;
	} rows[] = {{"{\"request\":\"1Mi\"}", 0, 0}, {"{\"limit\":null}", 0, 0},
		{"{\"limit\":4096}", 0, 4096}, {"{\"limit\":1.5}", 0, 2},
		{"{\"limit\":\"0\"}", -1, 0}, {"{\"limit\":\"-1\"}", -1, 0},
		{"{\"limit\":\"1K\"}", -1, 0}, {"{\"limit\":[]}", -1, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];
		struct appc_pod pod = {0};
		_cleanup_err_ struct err err = {0};
		snprintf(text, sizeof text,
			"{\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"x\",\"app\":{" APP
			",\"isolators\":[{\"name\":\"resource/memory\",\"value\":%s}]}}]}",
			rows[i].value);
		assert_call(pod_parse(text, &pod, &err), &err, rows[i].r);
		if (rows[i].r == 0)
			assert_int_equal(pod.apps[0].app.isolators.memory_bytes, rows[i].bytes);
		else
			assert_err(&err, ERR_INVALID, "isolator resource/memory: ");
		appc_pod_done(&pod);
	}
}

static void wrong_pod_manifests_are_refused_by_name(void **state)
{
	(void)state;
#define POD(apps) "{\"acKind\":\"PodManifest\",\"apps\":" apps "}"
#define ONE(app)  POD("[{\"name\":\"x\",\"app\":{" app "}}]")
	static const char *const rows[][2] = {
		{"[]", "not a JSON object"},
		{"{", "not valid JSON"},
		{"{\"acKind\":\"ImageManifest\"}", "PodManifest"},
		{POD("{}"), "\"apps\" must be an array"},
		{POD("[{\"name\":\"X\"}]"), "\"X\" is not a valid app name"},
		{POD("[{\"name\":\"x\"},{\"name\":\"x\"}]"), "two apps are named x"},
		{ONE("\"exec\":\"a\""), "app x: \"exec\" must be an array"},
		{ONE("\"exec\":[1]"), "\"exec\" must be an array of strings"},
		{ONE("\"group\":\"0\""), "\"user\" is required"},
		{ONE("\"user\":\"0\""), "\"group\" is required"},
		{ONE(APP ",\"workingDirectory\":\"tmp\""), "absolute"},
		{ONE(APP ",\"supplementaryGIDs\":[-1]"), "supplementaryGIDs"},
		{ONE(APP ",\"supplementaryGIDs\":[4294967295]"), "supplementaryGIDs"},
		{ONE(APP ",\"eventHandlers\":[{\"name\":\"pre-stop\"}]"),
			"\"pre-stop\" is none of"},
		{ONE(APP ",\"eventHandlers\":[{\"name\":\"pre-start\"}]"), "has an empty \"exec\""},
		{ONE(APP ",\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"a\"]},"
			 "{\"name\":\"pre-start\",\"exec\":[\"b\"]}]"),
			"pre-start is given twice"},
		{ONE(APP ",\"environment\":[{\"name\":\"1A\",\"value\":\"\"}]"), "\"1A\""},
		{ONE(APP ",\"environment\":[{\"name\":\"A\"},{\"name\":\"A\"}]"),
			"A is given twice"},
		{"{\"acKind\":\"PodManifest\",\"volumes\":[{\"name\":\"v\","
		 "\"kind\":\"empty\"},{\"name\":\"v\",\"kind\":\"empty\"}]}",
			"two volumes are named v"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct appc_pod pod = {0};
		_cleanup_err_ struct err err = {0};
		assert_fails(pod_parse(rows[i][0], &pod, &err), &err, ERR_INVALID, rows[i][1]);
		assert_null(pod.json);
	}
}

static void image_manifests_are_read(void **state)
{
	(void)state;
	static const char text[] =
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a.b/c\","
		"\"labels\":[{\"name\":\"os\",\"value\":\"linux\"}],"
		"\"annotations\":[{\"name\":\"k\",\"value\":\"1\"},{\"name\":\"k\",\"value\":\"2\"}"
		"],\"dependencies\":[],\"pathwhitelist\":[\"/a\"],"
		"\"app\":{" APP "}}";
	struct appc_image image = {0};
	_cleanup_err_ struct err err = {0};
	assert_ok(appc_image_parse(text, strlen(text), &image, &err), &err);
	assert_true(image.has_app);
	assert_string_equal(image.name, "a.b/c");
	assert_string_equal(appc_image_label(&image, "os"), "linux");
	assert_string_equal(appc_image_annotation(&image, "k"), "2");
	assert_null(appc_image_annotation(&image, "K"));
	assert_null(image.dependencies); /* an empty one is none */
	assert_int_equal(json_array_size(image.path_whitelist), 1);
	appc_image_done(&image);
	static const char bad[] =
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"1\",\"name\":\"A\"}";
	assert_fails(appc_image_parse(bad, strlen(bad), &image, &err), &err, ERR_INVALID, "\"A\"");
}

static void setting_replaces_every_spelling(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	static const char text[] = "{\"Exec\":[],\"EXEC\":[1],\"user\":\"0\"}";
	json_t *o = lenient_parse(text, strlen(text), "test", &err);
	assert_non_null(o);
	lenient_set(o, "exec", json_string("x"));
	assert_int_equal(json_object_size(o), 2);
	assert_string_equal(json_string_value(json_object_get(o, "exec")), "x");
	lenient_set(o, "USER", NULL);
	assert_int_equal(json_object_size(o), 1);
	json_decref(o);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(names_follow_the_specification),
	cmocka_unit_test(app_names_are_made_of_image_names),
	cmocka_unit_test(keys_match_without_case_and_the_last_wins),
	cmocka_unit_test(the_last_isolator_of_a_name_wins),
	cmocka_unit_test(limits_may_be_absent_or_numbers_but_not_nonsense),
	cmocka_unit_test(wrong_pod_manifests_are_refused_by_name),
	cmocka_unit_test(image_manifests_are_read),
	cmocka_unit_test(setting_replaces_every_spelling),
};
UNIT_MAIN(tests, NULL, NULL)
