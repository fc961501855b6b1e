/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may have meant. */
/* LINK: tools base */
#include "unit.h"

#include "base/cleanup.h"
#include "tools/nearest.h"

static const char *near(const char *word)
{
	static const char *const verbs[] = {
		"run", "list", "status", "enter", "stop", "start", "rm", "fsck", "gc"};
	struct nearest n = {.word = word};
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		nearest_offer(&n, verbs[i]);
	return n.found;
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(word_distance("stop", "stop"), 0);
	assert_int_equal(word_distance("", "ab"), 2);
	assert_int_equal(word_distance("sotp", "stop"), 1);
	assert_int_equal(word_distance("xstop", "stop"), 1);
	assert_int_equal(word_distance("sop", "stop"), 1);
	assert_int_equal(word_distance("step", "stop"), 1);
	assert_int_equal(word_distance("ca", "abc"), 3);
	assert_int_equal(word_distance("kitten", "sitting"), 3);
	assert_true(word_distance("a234567890123456789012345678901234", "a") > 30);
}

static void test_slips(void **state)
{
	(void)state;
	assert_string_equal(near("sotp"), "stop");
	assert_string_equal(near("xstatus"), "status");
	assert_string_equal(near("lst"), "list");
	assert_string_equal(near("rn"), "run");
	assert_string_equal(near("fskc"), "fsck");
	assert_string_equal(near("g"), "gc");
	/* The first of two that are as near. */
	assert_string_equal(near("stxp"), "stop");
}

static void test_what_is_none(void **state)
{
	(void)state;
	assert_null(near("remove"));
	assert_null(near("x"));
	assert_null(near(""));
	assert_null(near("images"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_distance),
	cmocka_unit_test(test_slips),
	cmocka_unit_test(test_what_is_none),
};
UNIT_MAIN(tests, NULL, NULL)
