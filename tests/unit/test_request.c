/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: what is read out of the text is what is in the tree; what is not plain is parsed. */
/* LINK: daemon fsm proto base */
#include <stdlib.h>

#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/request.h"

static void assert_same(const struct request *a, const struct request *b)
{
	assert_string_equal(a->dir, b->dir);
	assert_string_equal(a->net, b->net);
	assert_int_equal(a->memory_kib, b->memory_kib);
	assert_int_equal(a->vcpus, b->vcpus);
	assert_int_equal(a->grace_ms, b->grace_ms);
	assert_int_equal(a->pv, b->pv);
	assert_int_equal(a->network, b->network);
	assert_int_equal(a->ports, b->ports);
	assert_int_equal(a->trees, b->trees);
}

/* Both ways from one text; `plain`: it was not parsed. */
static void check(const char *text, bool plain)
{
	struct err err = {0};
	struct request *read = request_from_text(text, &err);
	assert_ok(read ? 0 : -1, &err);
	assert_int_equal(!read->tree, plain);
	_cleanup_json_ json_t *tree = json_loads(text, 0, NULL);
	struct request *parsed = request_new(tree);
	assert_same(read, parsed);
	assert_true(json_equal(request_tree(read), tree));
	request_rest(read);
	assert_null(read->tree);
	request_rest(parsed);
	assert_null(parsed->tree);
	assert_true(json_equal(request_tree(parsed), tree));
	request_free(read);
	request_free(parsed);
}

static void test_plain(void **state)
{
	(void)state;
	check("{\"dir\":\"/a/"
	      "b\",\"net\":\"none\",\"type\":\"auto\",\"memory_kib\":131072,\"vcpus\":2,"
	      "\"trees\":[],\"guest\":{\"version\":1}}",
		true);
	check("{\"dir\":\"/a\",\"net\":\"x, y\",\"type\":\"pv\",\"trees\":[{\"tag\":\"a\"}],"
	      "\"guest\":{\"apps\":[{\"exec\":[\"}{][,\\\"\",\"\\\\\"]}],\"grace_ms\":5},"
	      "\"network\":{\"nets\":[{}],\"ports\":[{\"port\":1}]}}",
		true);
	check("{\"guest\":{\"apps\":[{\"grace_ms\":7}]},\"network\":{\"ports\":[]},\"dir\":\"\","
	      "\"net\":\"n\"}",
		true);
	check("{\"dir\":\"/a\",\"net\":\"n\",\"guest\":{},\"network\":{}}", true);
}

/* Escapes, spaces, members that lack or are of another kind: the parser has the word. */
static void test_not_plain(void **state)
{
	(void)state;
	check("{\"dir\":\"/a\\\"b\",\"net\":\"none\"}", false);
	check("{\"dir\":\"\\u00e4\",\"net\":\"none\"}", false);
	check("{ \"dir\" : \"/a\" , \"net\" : \"none\", \"vcpus\": 3 }", false);
	check("{\"dir\":\"/a\"}", false);
	check("{}", false);
	check("{\"dir\":1,\"net\":\"n\"}", false);
	check("{\"dir\":\"/a\",\"net\":\"n\",\"vcpus\":\"4\"}", false);
	check("{\"dir\":\"/a\",\"net\":\"n\",\"guest\":{\"grace_ms\":1.5}}", false);
	check("{\"dir\":\"/a\",\"net\":\"n\",\"guest\":[1,2]}", false);
	check("[]", false);
}

static void test_no_json(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":[}",
		"{\"a\":\"b", "{\"a\":\"b\\\"}", "{\"dir\":\"a\",\"net\":\"b\",", "no",
		"{\"dir\":\"a\",\"net\":\"b\"}}", "{,}", "{\"a\":}"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		assert_null(request_from_text(bad[i], &err));
		assert_non_null(err.msg);
		err_done(&err);
	}
}

/* Whatever the scan makes of a cut text, it does not read behind its end (ASan looks). */
static void test_cut(void **state)
{
	(void)state;
	static const char whole[] =
		"{\"dir\":\"/"
		"a\",\"net\":\"n\\\\\",\"guest\":{\"apps\":[{\"e\":\"\\\"\"}],\"grace_ms\":5}}";
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		_cleanup_free_ char *cut = strndup(whole, n);
		struct err err = {0};
		assert_null(request_from_text(cut, &err));
		err_done(&err);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_plain),
	cmocka_unit_test(test_not_plain),
	cmocka_unit_test(test_no_json),
	cmocka_unit_test(test_cut),
};
UNIT_MAIN(tests, NULL, NULL)
