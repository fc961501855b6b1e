/* SPDX-License-Identifier: Apache-2.0 */
/* What a boot entry of the firmware starts, and from which partition (UEFI 2.10, 3.1.3 and 10.3.5). */
/* LINK: host base */
/* LIBS: md */
#include "unit.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/efi.h"

#define _cleanup_option_ _cleanup_(load_option_done)

/* Active, 56 bytes of device path, "Xe"; a GPT partition, number 1, and \X; the end. */
static const uint8_t gpt[] = {1, 0, 0, 0, 56, 0, 'X', 0, 'e', 0, 0, 0,
	/* hard drive */
	4, 1, 42, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0x91, 0x19, 0x51,
	0x7d, 2, 1, 4, 3, 0x80, 9, 10, 11, 12, 13, 14, 15, 2, 2,
	/* file */
	4, 4, 10, 0, '\\', 0, 'X', 0, 0, 0,
	/* end */
	0x7f, 0xff, 4, 0};

#define DISK    12
#define FILE_AT (DISK + 42)

static void a_partition_of_gpt(void **st)
{
	(void)st;
	_cleanup_option_ struct load_option o = {0};
	assert_int_equal(load_option_parse(gpt, sizeof(gpt), &o), 0);
	assert_string_equal(o.label, "Xe");
	assert_string_equal(o.loader, "\\X");
	assert_string_equal(o.uuid, "7d511991-0102-0304-8009-0a0b0c0d0e0f");
}

/* As blkid(8) has it: the disk's signature and the number. */
static void a_partition_of_mbr(void **st)
{
	(void)st;
	_cleanup_option_ struct load_option o = {0};
	uint8_t data[sizeof(gpt)];
	memcpy(data, gpt, sizeof(gpt));
	data[DISK + 41] = 1;
	data[DISK + 4] = 5;
	assert_int_equal(load_option_parse(data, sizeof(data), &o), 0);
	assert_string_equal(o.uuid, "7d511991-05");
}

/* A whole disk, or a signature of a kind that there was not yet. */
static void no_partition(void **st)
{
	(void)st;
	_cleanup_option_ struct load_option o = {0};
	uint8_t data[sizeof(gpt)];
	memcpy(data, gpt, sizeof(gpt));
	data[DISK + 41] = 7;
	assert_int_equal(load_option_parse(data, sizeof(data), &o), 0);
	assert_string_equal(o.uuid, "");
	assert_string_equal(o.loader, "\\X");
}

/* Cut anywhere: what is whole of it is told, and nothing behind its end is read. */
static void cut(void **st)
{
	(void)st;
	for (size_t len = 0; len <= sizeof(gpt); len++) {
		_cleanup_option_ struct load_option o = {0};
		_cleanup_free_ uint8_t *data = xmalloc(len + 1);
		memcpy(data, gpt, len);
		data = xreallocarray(data, len ? len : 1, 1);
		if (len < DISK) {
			assert_int_equal(load_option_parse(data, len, &o), -1);
			continue;
		}
		assert_int_equal(load_option_parse(data, len, &o), 0);
		assert_string_equal(
			o.uuid, len < FILE_AT ? "" : "7d511991-0102-0304-8009-0a0b0c0d0e0f");
		assert_string_equal(o.loader, len < FILE_AT + 10 ? "" : "\\X");
	}
}

/* A node whose length is not that of its kind, or less than its own head. */
static void wrong_lengths(void **st)
{
	(void)st;
	for (unsigned wrong = 0; wrong < 256; wrong++) {
		_cleanup_option_ struct load_option o = {0};
		uint8_t data[sizeof(gpt)];
		memcpy(data, gpt, sizeof(gpt));
		data[DISK + 2] = (uint8_t)wrong;
		assert_int_equal(load_option_parse(data, sizeof(data), &o), 0);
		assert_string_equal(o.label, "Xe");
		if (wrong < 42)
			assert_string_equal(o.uuid, "");
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_partition_of_gpt),
	cmocka_unit_test(a_partition_of_mbr),
	cmocka_unit_test(no_partition),
	cmocka_unit_test(cut),
	cmocka_unit_test(wrong_lengths),
};
UNIT_MAIN(tests, NULL, NULL)
