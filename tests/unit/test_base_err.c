/* SPDX-License-Identifier: Apache-2.0 */
/* The error object: codes and texts survive wrapping, moving and the trip over the wire. */
/* LINK: base */
#include "unit.h"

#include <errno.h>
#include <jansson.h>

static void set_replaces(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	assert_string_equal(err_msg(&err), "no error");
	assert_int_equal(err_set(&err, ERR_INVALID, "flag %s", "--x"), -1);
	assert_int_equal(err_set(&err, ERR_EXISTS, "pod %d", 7), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(err_msg(&err), "pod 7");
}

/* Messages go out as JSON, where anything else would end the process that says so. */
static void messages_are_utf8(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"\u00e9\u20ac\U0001f600\U0010ffff", NULL},
		{"cut \xc3", "cut ?"},
		{"cut \xe2\x82", "cut ??"},
		{"cut \xf0\x9f\x98x", "cut ???x"},
		{"alone \x80\xbf", "alone ??"},
		{"overlong \xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "overlong ?? ??? ????"},
		{"surrogate \xed\xa0\x80", "surrogate ???"},
		{"beyond \xf4\x90\x80\x80 \xff\xfe", "beyond ???? ??"},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		_cleanup_err_ struct err err = {0};
		const char *want = pairs[i][1] ? pairs[i][1] : pairs[i][0];
		err_set(&err, ERR_INVALID, "%s", pairs[i][0]);
		assert_string_equal(err_msg(&err), want);
		json_t *text = json_string(err_msg(&err));
		assert_non_null(text);
		json_decref(text);
	}
	_cleanup_err_ struct err err = {0};
	err_set(&err, ERR_INVALID, "%.2s", "a\u00e9");
	err_wrap(&err, "%.1s", "\u00e9");
	assert_string_equal(err_msg(&err), "?: a?");
	errno = ENOENT;
	err_sys(&err, "open %s", "\xff");
	assert_string_equal(err_msg(&err), "open ?: No such file or directory");
}

static void null_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_INVALID, "x"), -1);
	assert_int_equal(err_sys(NULL, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	struct err from = {0};
	err_set(&from, ERR_FULL, "x");
	err_move(NULL, &from);
	assert_null(from.msg);
	assert_int_equal(from.code, ERR_OK);
}

static void wrap_reads_from_outside_in(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	err_set(&err, ERR_TIMEOUT, "no answer");
	err_wrap(&err, "domain %d", 3);
	err_wrap(&err, "pod %s", "a");
	assert_string_equal(err_msg(&err), "pod a: domain 3: no answer");
	assert_int_equal(err.code, ERR_TIMEOUT);
}

static void wrap_of_nothing_is_still_an_error(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	err_wrap(&err, "why");
	assert_string_equal(err_msg(&err), "why");
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void errno_chooses_the_code(void **state)
{
	(void)state;
	static const struct {
		int e;
		enum err_code code;
	} rows[] = {
		{ENOENT, ERR_NOTFOUND},
		{EEXIST, ERR_EXISTS},
		{EACCES, ERR_DENIED},
		{EPERM, ERR_DENIED},
		{ENOSPC, ERR_FULL},
		{EMFILE, ERR_FULL},
		{ECONNREFUSED, ERR_UNAVAILABLE},
		{ETIMEDOUT, ERR_TIMEOUT},
		{EIO, ERR_SYSTEM},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err err = {0};
		errno = rows[i].e;
		assert_int_equal(err_sys(&err, "open %s", "f"), -1);
		assert_int_equal(errno, rows[i].e);
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err_msg(&err), "open f: "));
		assert_non_null(strstr(err_msg(&err), strerror(rows[i].e)));
		err_done(&err);
		err_done(&err); /* twice is harmless */
	}
}

static void every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_MAX_; i++) {
		const char *name = err_code_name((enum err_code)i);
		assert_true(*name);
		assert_int_equal(err_code_from_name(name), i);
	}
	assert_int_equal(err_code_from_name("NoSuchThing"), ERR_SYSTEM);
	assert_string_equal(err_code_name(ERR_MAX_), "System");
}

static void move_hands_over(void **state)
{
	(void)state;
	_cleanup_err_ struct err to = {0};
	struct err from = {0};
	err_set(&to, ERR_INVALID, "old");
	err_set(&from, ERR_STATE, "new");
	err_move(&to, &from);
	assert_string_equal(err_msg(&to), "new");
	assert_int_equal(to.code, ERR_STATE);
	assert_null(from.msg);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(set_replaces),
	cmocka_unit_test(null_is_allowed),
	cmocka_unit_test(messages_are_utf8),
	cmocka_unit_test(wrap_reads_from_outside_in),
	cmocka_unit_test(wrap_of_nothing_is_still_an_error),
	cmocka_unit_test(errno_chooses_the_code),
	cmocka_unit_test(every_code_has_a_name_of_its_own),
	cmocka_unit_test(move_hands_over),
};

UNIT_MAIN(tests, NULL, NULL)
