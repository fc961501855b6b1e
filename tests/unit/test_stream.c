/* SPDX-License-Identifier: Apache-2.0 */
/* Frame headers: every legal one survives the trip, and nothing illegal is taken. */
/* LINK: proto base */
#include "unit.h"

#include "proto/stream.h"

static void every_header_survives(void **state)
{
	(void)state;
	for (int type = STREAM_HELLO; type < STREAM_TYPE_MAX_; type++) {
		for (uint8_t stream = 0; stream <= STREAM_STDERR; stream++) {
			struct stream_header in = {(enum stream_type)type, stream, 0xabcd, 8192};
			struct stream_header out = {0};
			uint8_t buf[STREAM_HEADER_SIZE];
			stream_header_put(&in, buf);
			assert_int_equal(stream_header_get(buf, &out), 0);
			assert_int_equal(out.type, type);
			assert_int_equal(out.stream, stream);
			assert_int_equal(out.app, 0xabcd);
			assert_int_equal(out.length, 8192);
		}
	}
}

static void bytes_are_little_endian(void **state)
{
	(void)state;
	struct stream_header h = {STREAM_DATA, STREAM_STDERR, 0x0102, 0x0304};
	const uint8_t want[] = {4, 2, 0x02, 0x01, 0x04, 0x03, 0, 0};
	uint8_t buf[STREAM_HEADER_SIZE];
	stream_header_put(&h, buf);
	assert_memory_equal(buf, want, sizeof(want));
	stream_put_u32(buf, 0xdeadbeef);
	assert_int_equal(buf[0], 0xef);
	assert_int_equal(stream_get_u32(buf), 0xdeadbeef);
}

/* One byte of a good header changed: `at` set to `value` must make it illegal. */
static void assert_refused(size_t at, uint8_t value)
{
	struct stream_header h = {STREAM_DATA, STREAM_STDOUT, 0, STREAM_PAYLOAD_MAX};
	struct stream_header out = {.length = 77};
	uint8_t buf[STREAM_HEADER_SIZE];
	stream_header_put(&h, buf);
	buf[at] = value;
	assert_int_equal(stream_header_get(buf, &out), -1);
	assert_int_equal(out.length, 77);
}

static void illegal_is_refused(void **state)
{
	(void)state;
	assert_refused(0, 0);
	assert_refused(0, STREAM_TYPE_MAX_);
	assert_refused(0, 255);
	assert_refused(1, STREAM_STDERR + 1);
	assert_refused(4, 1); /* 8193 */
	assert_refused(7, 0x80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_header_survives),
		cmocka_unit_test(bytes_are_little_endian),
		cmocka_unit_test(illegal_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
