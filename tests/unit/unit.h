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

#include "base/err.h"

/* The call must answer 0 (or `want`); a failure shows the error's text, not just a number. */
#define assert_call(call, err, want)                                                               \
	do {                                                                                       \
		int got_ = (call);                                                                 \
		if (got_ != (want))                                                                \
			fail_msg("%s: %d instead of %d (%s)", #call, got_, (want), err_msg(err));  \
	} while (0)
#define assert_ok(call, err) assert_call(call, err, 0)

/* The call must answer -1, with this code and this text somewhere in the message; empties `err`. */
#define assert_fails(call, err, want_code, text)                                                   \
	do {                                                                                       \
		assert_call(call, err, -1);                                                        \
		assert_err(err, want_code, text);                                                  \
	} while (0)

#define assert_err(err, want_code, text)                                                           \
	do {                                                                                       \
		if ((err)->code != (want_code) || !strstr(err_msg(err), (text)))                   \
			fail_msg("want %s \"%s\", got %s \"%s\"", err_code_name(want_code),        \
				(text), err_code_name((err)->code), err_msg(err));                 \
		err_done(err);                                                                     \
	} while (0)

/* UNIT_MAIN(tests, setup, teardown): the last line of a test file. */
#define UNIT_MAIN(tests, setup, teardown)                                                          \
	int main(void)                                                                             \
	{                                                                                          \
		return cmocka_run_group_tests(tests, setup, teardown);                             \
	}

#endif
