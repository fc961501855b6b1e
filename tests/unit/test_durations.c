/* SPDX-License-Identifier: Apache-2.0 */
/* The histogram of durations: quantiles, bounds, extremes. */
/* LINK: daemon base */
#include "unit.h"

#include "daemon/durations.h"

static void test_nothing(void **state)
{
	(void)state;
	struct durations d = {0};
	assert_int_equal(durations_quantile(&d, 990), 0);
	assert_int_equal(d.max_ns, 0);
}

/* Never too small, at most an eighth too large; whatever the order of magnitude. */
static void test_one_value(void **state)
{
	(void)state;
	for (int64_t ns = 0; ns < INT64_C(1) << 46; ns = ns < 40 ? ns + 1 : ns + ns / 7) {
		struct durations d = {0};
		durations_note(&d, ns);
		durations_note(&d, ns * 2);
		int64_t half = durations_quantile(&d, 500);
		assert_true(half >= ns);
		assert_true(half <= ns + ns / 8);
		assert_int_equal(d.max_ns, ns * 2);
	}
}

static void test_quantiles(void **state)
{
	(void)state;
	struct durations d = {0};
	for (int i = 0; i < 989; i++)
		durations_note(&d, 1000);
	for (int i = 0; i < 11; i++)
		durations_note(&d, 50 * 1000 * 1000);
	assert_int_equal(d.n, 1000);
	assert_in_range(durations_quantile(&d, 500), 1000, 1125);
	assert_in_range(durations_quantile(&d, 989), 1000, 1125);
	assert_int_equal(durations_quantile(&d, 990), 50 * 1000 * 1000);
	assert_int_equal(durations_quantile(&d, 1000), 50 * 1000 * 1000);
}

static void test_extremes(void **state)
{
	(void)state;
	struct durations d = {0};
	durations_note(&d, -5);
	assert_int_equal(durations_quantile(&d, 1000), 0);
	durations_note(&d, INT64_MAX);
	assert_int_equal(d.max_ns, INT64_MAX);
	assert_true(durations_quantile(&d, 1000) > INT64_C(1) << 46);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_nothing),
	cmocka_unit_test(test_one_value),
	cmocka_unit_test(test_quantiles),
	cmocka_unit_test(test_extremes),
};
UNIT_MAIN(tests, NULL, NULL)
