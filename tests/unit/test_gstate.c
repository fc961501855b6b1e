/* SPDX-License-Identifier: Apache-2.0 */
/* The state grammar: what is written is read back; what a hostile guest could write is refused. */
/* LINK: proto base */
#include "unit.h"

#include <stdlib.h>

#include "proto/gstate.h"

/* Parses from a heap copy of exactly `len` bytes, so that a sanitizer sees any read beyond. */
static int parse_exact(enum gstate_node node, const char *text, size_t len, struct gstate *ret)
{
	char *copy = malloc(len + !len);
	memcpy(copy, text, len);
	int r = gstate_parse(node, copy, len, ret);
	free(copy);
	return r;
}

static void assert_taken(enum gstate_node node, const char *text)
{
	struct gstate s = {0};
	char back[GSTATE_VALUE_MAX];
	if (parse_exact(node, text, strlen(text), &s) < 0)
		fail_msg("refused: %s", text);
	assert_int_equal(gstate_format(&s, back), strlen(text));
	assert_string_equal(back, text);
}

static void assert_refused(enum gstate_node node, const char *text)
{
	struct gstate s = {0};
	if (parse_exact(node, text, strlen(text), &s) == 0)
		fail_msg("taken: %s", text);
}

static void pod_values(void **state)
{
	(void)state;
	assert_taken(GSTATE_POD, "1 booting");
	assert_taken(GSTATE_POD, "2 running");
	assert_taken(GSTATE_POD, "4294967295 stopping");
	assert_taken(GSTATE_POD, "5 ending");
	assert_taken(GSTATE_POD, "4 done 0");
	assert_taken(GSTATE_POD, "4 done 255");
	assert_taken(GSTATE_POD, "9 failed mount app \"a\": no such tag ~");
	assert_refused(GSTATE_POD, "1 starting");
	assert_refused(GSTATE_POD, "1 exited 0");
	assert_refused(GSTATE_POD, "1 killed 9");
	assert_refused(GSTATE_POD, "1 failed ");
	assert_refused(GSTATE_POD, "1 failed");
	assert_refused(GSTATE_POD, "1 failed a\nb");
	assert_refused(GSTATE_POD, "1 failed \xc3\xa4");
}

static void app_values(void **state)
{
	(void)state;
	assert_taken(GSTATE_APP, "1 starting");
	assert_taken(GSTATE_APP, "2 running");
	assert_taken(GSTATE_APP, "3 exited 3");
	assert_taken(GSTATE_APP, "3 killed 15");
	assert_taken(GSTATE_APP, "3 oom 9");
	assert_taken(GSTATE_APP, "3 failed 203");
	assert_taken(GSTATE_APP, "3 failed 203 no program \"x\" in PATH=/bin");
	assert_refused(GSTATE_APP, "3 failed 203 ");
	assert_refused(GSTATE_APP, "3 failed 0");
	assert_refused(GSTATE_APP, "1 oom 0");
	assert_refused(GSTATE_POD, "1 oom 9");
	assert_refused(GSTATE_APP, "1 booting");
	assert_refused(GSTATE_APP, "1 done 0");
	assert_refused(GSTATE_APP, "1 failed text");
	assert_refused(GSTATE_APP, "1 killed 0");
	assert_refused(GSTATE_APP, "1 killed 128");
}

static void nonsense(void **state)
{
	(void)state;
	static const char *const texts[] = {"", " ", "1", "1 ", "running", "0 running",
		"-1 running", "+1 running", "01 running", "1  running", " 1 running", "1 running ",
		"1 RUNNING", "1 runnin", "1 runningg", "4294967296 running",
		"99999999999999999999999999 running", "1 exited", "1 exited ", "1 exited 256",
		"1 exited -1", "1 exited 007", "1 exited 1 ", "1 exited 1x", "1 exited 0x1"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_refused(GSTATE_APP, texts[i]);
		assert_refused(GSTATE_POD, texts[i]);
	}
	struct gstate s = {.seq = 77};
	assert_int_equal(parse_exact(GSTATE_POD, "1 running\0x", 11, &s), -1);
	assert_int_equal(parse_exact(GSTATE_POD, "\0\0\0", 3, &s), -1);
	assert_int_equal(s.seq, 77);
}

/* The longest text goes through; one more byte does not, and never past the buffers. */
static void text_limits(void **state)
{
	(void)state;
	char value[600];
	struct gstate s = {0};
	memcpy(value, "1 failed ", 9);
	memset(value + 9, 'x', sizeof(value) - 9);
	assert_int_equal(parse_exact(GSTATE_POD, value, 9 + GSTATE_TEXT_MAX, &s), 0);
	assert_int_equal(strlen(s.text), GSTATE_TEXT_MAX);
	s.seq = UINT32_MAX;
	assert_true(gstate_format(&s, value) < GSTATE_VALUE_MAX);
	memset(value + 9, 'x', sizeof(value) - 9);
	memcpy(value, "1 failed ", 9);
	assert_int_equal(parse_exact(GSTATE_POD, value, 10 + GSTATE_TEXT_MAX, &s), -1);
	assert_int_equal(parse_exact(GSTATE_POD, value, sizeof(value), &s), -1);
}

static void next_ring(void **state)
{
	(void)state;
	uint32_t n = 77;
	assert_int_equal(gstate_parse_next("0", 1, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(gstate_parse_next("4294967295", 10, &n), 0);
	assert_int_equal(n, UINT32_MAX);
	n = 77;
	assert_int_equal(gstate_parse_next("", 0, &n), -1);
	assert_int_equal(gstate_parse_next("4294967296", 10, &n), -1);
	assert_int_equal(gstate_parse_next("1 ", 2, &n), -1);
	assert_int_equal(gstate_parse_next("-1", 2, &n), -1);
	assert_int_equal(gstate_parse_next("007", 3, &n), -1);
	assert_int_equal(gstate_parse_next("../1", 4, &n), -1);
	assert_int_equal(n, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pod_values),
		cmocka_unit_test(app_values),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(text_limits),
		cmocka_unit_test(next_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
