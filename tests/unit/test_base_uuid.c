/* SPDX-License-Identifier: Apache-2.0 */
/* Pod UUIDs: only the canonical lower-case form passes; text and bytes agree. */
/* LINK: base */
#include "unit.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/uuid.h"

#define GOOD "01234567-89ab-cdef-0123-456789abcdef"

static void only_canonical_passes(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "-", "01234567-89ab-cdef-0123-456789abcde",
		(GOOD "0"), (GOOD " "), (" " GOOD), "01234567-89AB-cdef-0123-456789abcdef",
		"0123456789ab-cdef-0123-456789abcdef-", "01234567-89ab-cdef-0123-456789abcdeg",
		"01234567_89ab-cdef-0123-456789abcdef", "../../../../../../../../../../../etc",
		"{1234567-89ab-cdef-0123-456789abcde}", "01234567-89ab-cdef-0123-4567/9abcdef"};
	assert_true(uuid_valid(GOOD));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_err_ struct err err = {0};
		char out[UUID_TEXT_SIZE] = "untouched";
		uint8_t bytes[16];
		assert_false(uuid_valid(bad[i]));
		assert_int_equal(uuid_to_bytes(bad[i], bytes), -1);
		assert_int_equal(uuid_parse(bad[i], out, &err), -1);
		assert_string_equal(out, "untouched");
		assert_err(&err, ERR_INVALID, bad[i]);
	}
}

static void every_character_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
		char text[] = GOOD;
		text[i] = text[i] == '-' ? '0' : '-';
		assert_false(uuid_valid(text));
		text[i] = '\0';
		assert_false(uuid_valid(text));
	}
}

static void text_and_bytes_agree(void **state)
{
	(void)state;
	static const uint8_t want[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
		0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	_cleanup_err_ struct err err = {0};
	uint8_t bytes[16];
	char text[UUID_TEXT_SIZE];
	assert_int_equal(uuid_to_bytes(GOOD, bytes), 0);
	assert_memory_equal(bytes, want, sizeof want);
	uuid_from_bytes(bytes, text);
	assert_string_equal(text, GOOD);
	memset(text, 0, sizeof text);
	assert_ok(uuid_parse(GOOD, text, &err), &err);
	assert_string_equal(text, GOOD);
}

static void fresh_ones_are_random_and_version_4(void **state)
{
	(void)state;
	char first[UUID_TEXT_SIZE];
	unsigned seen = 0;
	uuid_generate(first);
	for (int i = 0; i < 200; i++) {
		char text[UUID_TEXT_SIZE];
		uint8_t b[16];
		uuid_generate(text);
		assert_int_equal(uuid_to_bytes(text, b), 0);
		assert_int_equal(b[6] >> 4, 4);
		assert_int_equal(b[8] >> 6, 2);
		assert_string_not_equal(text, first);
		seen |= b[0];
		uuid_from_bytes(b, first);
	}
	assert_int_equal(seen, 0xff);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(only_canonical_passes),
	cmocka_unit_test(every_character_counts),
	cmocka_unit_test(text_and_bytes_agree),
	cmocka_unit_test(fresh_ones_are_random_and_version_4),
};

UNIT_MAIN(tests, NULL, NULL)
