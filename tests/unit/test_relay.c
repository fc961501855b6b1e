/* SPDX-License-Identifier: Apache-2.0 */
/* Output that never blocks and loses nothing; frames of a hostile guest. */
/* LINK: stage1 proto base */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "stage1/relay.h"
#include "stage1/sink.h"

#define TOTAL (300 * 1024)

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* Puts TOTAL bytes with nobody reading, then reads them all and compares. */
static void fill_then_read(int in, int out)
{
	struct sink s;
	_cleanup_free_ uint8_t *data = xmalloc(TOTAL);
	for (size_t i = 0; i < TOTAL; i++)
		data[i] = byte_at(i);
	sink_open(&s, out);
	for (size_t i = 0; i < TOTAL; i += 1024)
		sink_put(&s, data + i, 1024);
	assert_true(sink_pending(&s) > 0);
	size_t seen = 0;
	while (seen < TOTAL) {
		uint8_t buf[5000];
		ssize_t n = read(in, buf, sizeof buf);
		assert_true(n > 0);
		for (ssize_t k = 0; k < n; k++)
			assert_int_equal(buf[k], byte_at(seen + (size_t)k));
		seen += (size_t)n;
		sink_flush(&s);
	}
	assert_int_equal(sink_pending(&s), 0);
	sink_done(&s);
}

static void a_pipe_without_reader_waits(void **state)
{
	(void)state;
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	fill_then_read(p[0], p[1]);
	/* Others' description stays as it was. */
	assert_false(fcntl(p[1], F_GETFL) & O_NONBLOCK);
	close(p[0]);
	close(p[1]);
}

static void a_socket_without_reader_waits(void **state)
{
	(void)state;
	int p[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
	fill_then_read(p[0], p[1]);
	close(p[0]);
	close(p[1]);
}

static void a_reader_that_left_breaks_the_sink(void **state)
{
	(void)state;
	int p[2];
	struct sink s;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	sink_open(&s, p[1]);
	close(p[0]);
	sink_put(&s, "x", 1);
	assert_true(s.broken);
	assert_int_equal(sink_pending(&s), 0);
	sink_done(&s);
	close(p[1]);
}

/* A relay whose sinks are given; nothing of this process' own output is touched. */
static struct relay relay_to(int out, int err)
{
	struct relay r = {.kind = GSTATE_EXITED};
	sink_open(&r.out, out);
	sink_open(&r.err, err);
	return r;
}

static void frame(struct relay *r, enum stream_type type, int stream, const void *data, size_t len)
{
	struct stream_header h = {type, (uint8_t)stream, 0, (uint32_t)len};
	relay_frame(r, &h, data);
}

static void frames_reach_their_stream_and_the_end_ends(void **state)
{
	(void)state;
	int out[2];
	int err[2];
	char buf[16] = "";
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	struct relay r = relay_to(out[1], err[1]);
	uint8_t code[4];
	stream_put_u32(code, 3);
	frame(&r, STREAM_DATA, STREAM_STDOUT, "one", 3);
	frame(&r, STREAM_DATA, STREAM_STDERR, "two", 3);
	frame(&r, STREAM_END, 0, code, 3); /* too short: not an end */
	assert_false(r.ended);
	frame(&r, STREAM_END, 0, code, 4);
	assert_true(r.ended);
	assert_int_equal(r.code, 3);
	frame(&r, STREAM_DATA, STREAM_STDOUT, "late", 4);
	assert_int_equal(read(out[0], buf, sizeof buf), 3);
	assert_memory_equal(buf, "one", 3);
	assert_int_equal(read(err[0], buf, sizeof buf), 3);
	assert_memory_equal(buf, "two", 3);
	relay_done(&r);
	for (int i = 0; i < 2; i++) {
		close(out[i]);
		close(err[i]);
	}
}

static void codes_of_a_guest_are_cut_to_a_byte(void **state)
{
	(void)state;
	struct relay r = relay_to(-1, -1);
	uint8_t ended[8];
	stream_put_u32(ended, GSTATE_KILLED);
	stream_put_u32(ended + 4, 0x109);
	frame(&r, STREAM_EXIT, 0, ended, 8);
	assert_true(r.ended);
	assert_int_equal(r.kind, GSTATE_KILLED);
	assert_int_equal(r.code, 9);
	relay_done(&r);
}

static void a_guests_message_is_made_printable(void **state)
{
	(void)state;
	static const char text[] = "{\"message\":\"a\\u001b[2Jb\"}";
	struct relay r = relay_to(-1, -1);
	frame(&r, STREAM_ERROR, 0, text, strlen(text));
	assert_true(r.ended);
	assert_string_equal(r.refused, "a?[2Jb");
	relay_done(&r);
	r = relay_to(-1, -1);
	frame(&r, STREAM_ERROR, 0, "\xff\xfe", 2);
	assert_true(r.ended);
	assert_string_equal(r.refused, "no reason given");
	relay_done(&r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_pipe_without_reader_waits),
	cmocka_unit_test(a_socket_without_reader_waits),
	cmocka_unit_test(a_reader_that_left_breaks_the_sink),
	cmocka_unit_test(frames_reach_their_stream_and_the_end_ends),
	cmocka_unit_test(codes_of_a_guest_are_cut_to_a_byte),
	cmocka_unit_test(a_guests_message_is_made_printable),
};
UNIT_MAIN(tests, NULL, NULL)
