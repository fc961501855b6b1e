/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes first: cmocka with the headers that it needs before it, and a few
 * checks of our own. The comments at a test's head say what it is linked with (docs/HACKING.md).
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <valgrind/valgrind.h>

#include "base/err.h"

/*
 * Step of a loop that tries everything: all of it with the sanitizers, every n-th under valgrind,
 * which is twenty times slower and looks for what one of them shows as well as all.
 */
static inline int unit_step(int n)
{
	return RUNNING_ON_VALGRIND ? n : 1;
}

/* Functions, so that a test's own branches are all that its length and depth are judged by. */
static inline void unit_call(
	int got, int want, const char *call, const struct err *err, const char *file, int line)
{
	if (got == want)
		return;
	print_error("ERROR: %s: %d instead of %d (%s)\n", call, got, want, err_msg(err));
	_fail(file, line);
}

static inline void unit_err(
	struct err *err, enum err_code want, const char *text, const char *file, int line)
{
	if (err->code != want || !strstr(err_msg(err), text)) {
		print_error("ERROR: want %s \"%s\", got %s \"%s\"\n", err_code_name(want), text,
			err_code_name(err->code), err_msg(err));
		_fail(file, line);
	}
	err_done(err);
}

/* The call must answer 0 (or `want`); a failure shows the error's text, not just a number. */
#define assert_call(call, err, want) unit_call(call, want, #call, err, __FILE__, __LINE__)
#define assert_ok(call, err)         assert_call(call, err, 0)

/* The call must answer -1, with this code and this text somewhere in the message; empties `err`. */
#define assert_fails(call, err, want_code, text)                                                   \
	(assert_call(call, err, -1), assert_err(err, want_code, text))
#define assert_err(err, want_code, text) unit_err(err, want_code, text, __FILE__, __LINE__)

/* UNIT_MAIN(tests, setup, teardown): the last line of a test file. */
#define UNIT_MAIN(tests, setup, teardown)                                                          \
	int main(void)                                                                             \
	{                                                                                          \
		return cmocka_run_group_tests(tests, setup, teardown);                             \
	}

#endif
