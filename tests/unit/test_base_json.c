/* SPDX-License-Identifier: Apache-2.0 */
/* JSON helpers: strict types with the key in the error; log lines through a sink of our own. */
/* LINK: base */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"

static void parse_names_what_and_where(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", " ", "{", "{\"a\":1,\"a\":2}", "{} x", "\xff", "nul", "{\"a\":\n\n  }"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ struct err err = {0};
		assert_null(json_parse(bad[i], strlen(bad[i]), "pod manifest", &err));
		assert_err(&err, ERR_INVALID, "pod manifest is not valid JSON: line ");
	}
	_cleanup_err_ struct err err = {0};
	assert_null(json_parse(bad[7], strlen(bad[7]), "x", &err));
	assert_err(&err, ERR_INVALID, "line 3 column 3");
}

static void parse_stops_at_the_length(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = json_parse("{\"a\":1}garbage", 7, "x", &err);
	assert_non_null(j);
	_cleanup_free_ char *text = json_text(j);
	assert_string_equal(text, "{\"a\":1}");
}

/* A deeply nested text is refused, not followed to the end of the stack. */
static void nesting_is_bounded(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	enum { DEPTH = 200000 };
	_cleanup_free_ char *deep = malloc(DEPTH);
	memset(deep, '[', DEPTH);
	assert_null(json_parse(deep, DEPTH, "frame", &err));
	assert_err(&err, ERR_INVALID, "frame");
}

static void members_are_strict(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *o = json_make("{s:s, s:I, s:b, s:{}, s:[], s:n}", "s", "text", "i",
		(json_int_t)1 << 40, "b", 1, "o", "a", "n");
	const char *s = NULL;
	int64_t i = 0;
	bool b = false;
	json_t *j = NULL;
	assert_ok(json_get_str(o, "s", &s, &err), &err);
	assert_string_equal(s, "text");
	assert_ok(json_get_int(o, "i", &i, &err), &err);
	assert_true(i == (int64_t)1 << 40);
	assert_ok(json_get_bool(o, "b", &b, &err), &err);
	assert_true(b);
	assert_ok(json_get_obj(o, "o", &j, &err), &err);
	assert_ok(json_get_array(o, "a", &j, &err), &err);
	assert_fails(json_get_str(o, "i", &s, &err), &err, ERR_INVALID, "\"i\" must be a string");
	assert_fails(json_get_int(o, "s", &i, &err), &err, ERR_INVALID, "\"s\" must be an integer");
	assert_fails(json_get_bool(o, "n", &b, &err), &err, ERR_INVALID, "\"n\" must be true");
	assert_fails(json_get_obj(o, "a", &j, &err), &err, ERR_INVALID, "\"a\" must be an object");
	assert_fails(json_get_array(o, "o", &j, &err), &err, ERR_INVALID, "\"o\" must be an array");
	assert_fails(json_get_str(o, "none", &s, &err), &err, ERR_INVALID, "\"none\" is missing");
	assert_string_equal(s, "text"); /* results are written on success only */
}

static void optional_members_have_defaults(void **state)
{
	(void)state;
	_cleanup_json_ json_t *o = json_make("{s:s, s:i, s:b, s:n}", "s", "t", "i", 5, "b", 1, "n");
	assert_string_equal(json_str_opt(o, "s", "d"), "t");
	assert_string_equal(json_str_opt(o, "n", "d"), "d");
	assert_string_equal(json_str_opt(o, "i", "d"), "d");
	assert_null(json_str_opt(o, "none", NULL));
	assert_int_equal(json_int_opt(o, "i", -1), 5);
	assert_int_equal(json_int_opt(o, "s", -1), -1);
	assert_true(json_bool_opt(o, "b", false));
	assert_true(json_bool_opt(o, "none", true));
	assert_int_equal(json_int_opt(NULL, "i", 3), 3);
}

static enum log_level last_level;
static char last_msg[100];
static char last_field[100];

static void keep(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	last_level = level;
	snprintf(last_msg, sizeof last_msg, "%s", msg);
	snprintf(last_field, sizeof last_field, "%s=%s", n ? fields[0].name : "",
		n ? fields[0].value : "");
	errno = EIO; /* a sink may do anything: callers' errno is safe */
}

static void sink_sees_what_the_level_lets_through(void **state)
{
	(void)state;
	const struct log_field fields[] = {{"DOMID", "7"}};
	log_set_sink(keep);
	errno = ENOENT;
	log_warning("pod %d", 5);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(last_level, LOG_LVL_WARNING);
	assert_string_equal(last_msg, "pod 5");
	log_debug("hidden");
	assert_string_equal(last_msg, "pod 5");
	log_set_max(LOG_LVL_DEBUG);
	log_debug("shown");
	assert_string_equal(last_msg, "shown");
	log_fields(LOG_LVL_NOTICE, fields, 1, "moved %s", "on");
	assert_string_equal(last_msg, "moved on");
	assert_string_equal(last_field, "DOMID=7");
	log_set_max(LOG_LVL_INFO);
	log_set_sink(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(parse_names_what_and_where),
	cmocka_unit_test(parse_stops_at_the_length),
	cmocka_unit_test(nesting_is_bounded),
	cmocka_unit_test(members_are_strict),
	cmocka_unit_test(optional_members_have_defaults),
	cmocka_unit_test(sink_sees_what_the_level_lets_through),
};

UNIT_MAIN(tests, NULL, NULL)
