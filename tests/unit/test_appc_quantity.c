/* SPDX-License-Identifier: Apache-2.0 */
/* Resource quantities: every suffix, exact rounding up, and what is refused. */
/* LINK: appc base */
#include "unit.h"

#include "appc/quantity.h"
#include "base/cleanup.h"

struct row {
	const char *text;
	int64_t value;
	int64_t milli;
};

static void values_round_up_exactly(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"0", 0, 0},
		{"1", 1, 1000},
		{"+12", 12, 12000},
		{"-1.5", -2, -1500},
		{"1.5", 2, 1500},
		{".5", 1, 500},
		{"3.", 3, 3000},
		{"128m", 1, 128},
		{"1500m", 2, 1500},
		{"1u", 1, 1},
		{"1n", 1, 1},
		{"0.0000000001", 1, 1},
		{"2k", 2000, 2000000},
		{"1M", 1000000, 1000000000},
		{"16Mi", 16777216, 16777216000},
		{"1Gi", 1073741824, 1073741824000},
		{"1.5Gi", 1610612736, 1610612736000},
		{"1Ki", 1024, 1024000},
		{"1.0000000000000000000000001Ki", 1025, 1024001},
		{"1e3", 1000, 1000000},
		{"1E3", 1000, 1000000},
		{"12e-1", 2, 1200},
		{"1E", 1000000000000000000, INT64_MAX},
		{"7Ei", 8070450532247928832, INT64_MAX},
		{"9223372036854775807", INT64_MAX, INT64_MAX},
		{"9223372036854775806", INT64_MAX - 1, INT64_MAX},
		{"8Ei", INT64_MAX, INT64_MAX},
		{"99999999999999999999999999999999999999999999", INT64_MAX, INT64_MAX},
		{"1e900", INT64_MAX, INT64_MAX},
		{"1e-900", 1, 1},
		{"0e900", 0, 0},
		{"000000000000000000000000000000000000000000005", 5, 5000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_err_ struct err err = {0};
		int64_t v = -99;
		assert_ok(quantity_value(rows[i].text, &v, &err), &err);
		if (v != rows[i].value)
			fail_msg("%s is %lld", rows[i].text, (long long)v);
		assert_ok(quantity_milli(rows[i].text, &v, &err), &err);
		if (v != rows[i].milli)
			fail_msg("%s is %lld thousandths", rows[i].text, (long long)v);
	}
}

static void what_is_no_quantity_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "+", "-", ".", "K", "1K", "1KB", "1 Mi", " 1",
		"1mi", "abc", "1..2", "1.2.3", "0x10", "1e", "1e+", "1e1.5", "1e 3", "1e99999",
		"--1", "1Mi "};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_err_ struct err err = {0};
		int64_t v = -99;
		assert_fails(quantity_value(texts[i], &v, &err), &err, ERR_INVALID, texts[i]);
		assert_int_equal(v, -99);
	}
	_cleanup_err_ struct err err = {0};
	int64_t v = -99;
	assert_fails(quantity_value("\xff", &v, &err), &err, ERR_INVALID, "\"?\"");
	assert_int_equal(v, -99);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(values_round_up_exactly),
	cmocka_unit_test(what_is_no_quantity_is_refused),
};
UNIT_MAIN(tests, NULL, NULL)
