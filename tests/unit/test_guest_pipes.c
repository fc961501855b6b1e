/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of standard streams: order and bytes are kept, nothing grows, ends come last. */
/* LINK: guest proto base */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guest/loop.h"
#include "guest/pipes.h"

static struct loop loop;
static unsigned changes;

static void count_output(struct output *out)
{
	(void)out;
	changes++;
}

static void count_input(struct input *in)
{
	(void)in;
	changes++;
}

static void quit(struct loop_timer *t)
{
	t->loop->quit = true;
}

/* Runs the loop until nothing has happened for a while. */
static void turn(void)
{
	struct loop_timer t = {.fn = quit};
	loop.quit = false;
	loop_timer_set(&loop, &t, 20);
	loop_run(&loop);
}

static void open_output(struct output *out, size_t cap, int *ret_wr)
{
	_cleanup_err_ struct err err = {0};
	int fds[2];
	assert_ok(pipe_make(fds, 0, &err), &err);
	output_init(out, &loop, fds[0], cap);
	out->changed = count_output;
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	*ret_wr = fds[1];
}

/* Takes all that is there into `buf`; returns how much. */
static size_t drain(struct output *out, char *buf)
{
	size_t total = 0;
	const uint8_t *data = NULL;
	size_t len;
	while ((len = output_peek(out, &data)) > 0) {
		memcpy(buf + total, data, len);
		total += len;
		output_consume(out, len);
	}
	return total;
}

static void bytes_keep_their_order(void **state)
{
	(void)state;
	struct output out;
	char got[4096];
	size_t n = 0;
	int wr = -1;
	open_output(&out, 7, &wr); /* smaller than what comes: wraps again and again */
	for (int i = 0; i < 20; i++)
		assert_int_equal(write(wr, "abcdefghij", 10), 10);
	for (int i = 0; i < 60; i++) {
		turn();
		assert_true(out.len <= 7);
		n += drain(&out, got + n);
	}
	assert_int_equal(n, 200);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], "abcdefghij"[i % 10]);
	assert_false(output_drained(&out));
	close(wr);
	turn();
	assert_true(output_drained(&out));
	output_done(&out);
	output_done(&out);
}

/* Taken in parts: what is left and what is new stand beside each other, over the ring's end as well. */
static void parts_keep_their_order(void **state)
{
	(void)state;
	struct output out;
	char got[4096];
	size_t n = 0;
	int wr = -1;
	open_output(&out, 7, &wr);
	for (int i = 0; i < 20; i++)
		assert_int_equal(write(wr, "abcdefghij", 10), 10);
	for (int i = 0; i < 120; i++) {
		const uint8_t *part = NULL;
		turn();
		size_t len = output_peek(&out, &part);
		len = len < 3 ? len : 3;
		memcpy(got + n, part, len);
		output_consume(&out, len);
		n += len;
	}
	assert_int_equal(n, 200);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], "abcdefghij"[i % 10]);
	close(wr);
	output_done(&out);
}

/* A reader that does not read: the pipe fills, the writer waits, and nothing spins meanwhile. */
static void full_means_wait(void **state)
{
	(void)state;
	struct output out;
	char junk[65536] = {0};
	int wr = -1;
	open_output(&out, 16, &wr);
	while (write(wr, junk, sizeof(junk)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	turn();
	assert_int_equal(out.len, 16);
	close(wr); /* a hang-up must not wake us either */
	changes = 0;
	turn();
	assert_int_equal(changes, 0);
	assert_false(output_drained(&out));
	output_done(&out);
}

static void newest_are_kept(void **state)
{
	(void)state;
	struct output out;
	char got[16];
	int wr = -1;
	open_output(&out, 8, &wr);
	output_drop_old(&out, true);
	for (char c = 'a'; c <= 'z'; c++) {
		assert_int_equal(write(wr, &c, 1), 1);
		turn();
	}
	size_t n = drain(&out, got);
	assert_true(n >= 4 && n <= 8);
	assert_int_equal(got[n - 1], 'z');
	for (size_t i = 1; i < n; i++)
		assert_int_equal(got[i], got[i - 1] + 1);
	assert_int_equal(out.lost + n, 26); /* each byte is there or counted */
	close(wr);
	output_done(&out);
}

/* After a cut, what the pipe held still comes, and then the end, though a writer is left. */
static void cut_loses_nothing(void **state)
{
	(void)state;
	struct output out;
	char got[64];
	int wr = -1;
	open_output(&out, 4, &wr);
	assert_int_equal(write(wr, "0123456789", 10), 10);
	turn();
	output_cut(&out);
	assert_false(out.eof);
	assert_int_equal(drain(&out, got), 10);
	assert_memory_equal(got, "0123456789", 10);
	assert_true(output_drained(&out));
	assert_int_equal(write(wr, "x", 1), -1); /* nobody reads any more */
	close(wr);
	output_done(&out);
}

/* The reader is given up: each byte that was written is counted, also what only the pipe holds. */
static void discarded_bytes_are_counted(void **state)
{
	(void)state;
	struct output out;
	int wr = -1;
	open_output(&out, 4, &wr);
	assert_int_equal(write(wr, "0123456789", 10), 10);
	turn();
	output_consume(&out, 1);
	output_discard(&out);
	assert_int_equal(out.lost, 9);
	assert_true(output_drained(&out));
	output_discard(&out);
	assert_int_equal(out.lost, 9);
	close(wr);
	output_done(&out);
}

static void quiet(void **state)
{
	(void)state;
	struct output out;
	int wr = -1;
	open_output(&out, 4, &wr);
	assert_true(output_quiet(&out));
	assert_int_equal(write(wr, "x", 1), 1);
	assert_false(output_quiet(&out)); /* in the pipe */
	turn();
	assert_false(output_quiet(&out)); /* in the buffer */
	output_consume(&out, 1);
	assert_true(output_quiet(&out));
	close(wr);
	output_done(&out);
}

/* ---- input ----------------------------------------------------------------------------------- */

static void open_input(struct input *in, size_t cap, int *ret_rd)
{
	_cleanup_err_ struct err err = {0};
	int fds[2];
	assert_ok(pipe_make(fds, 1, &err), &err);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	input_init(in, &loop, fds[1], cap);
	in->changed = count_input;
	*ret_rd = fds[0];
}

static void input_is_bounded_and_acknowledged(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct input in;
	uint8_t block[4096];
	uint8_t got[4096];
	int rd = -1;
	memset(block, 'a', sizeof(block));
	open_input(&in, 4096, &rd);
	assert_ok(input_put(&in, block, 4096, &err), &err); /* all into the pipe */
	assert_int_equal(in.taken, 4096);
	memset(block, 'b', sizeof(block));
	assert_ok(input_put(&in, block, 4096, &err), &err); /* waits in the buffer */
	assert_int_equal(in.taken, 4096);
	assert_fails(input_put(&in, block, 1, &err), &err, ERR_FULL, "4096 bytes");
	input_end(&in);
	assert_int_equal(read(rd, got, sizeof(got)), 4096);
	assert_int_equal(got[4095], 'a');
	turn();
	assert_int_equal(in.taken, 8192);
	assert_int_equal(read(rd, got, sizeof(got)), 4096);
	assert_int_equal(got[0], 'b');
	assert_int_equal(read(rd, got, 1), 0); /* the end, after all of it */
	close(rd);
	input_done(&in);
}

/* A program that does not read any more: thrown away, acknowledged, no signal to us. */
static void nobody_reads(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct input in;
	int rd = -1;
	open_input(&in, 16, &rd);
	close(rd);
	for (int i = 0; i < 10; i++)
		assert_ok(input_put(&in, (const uint8_t *)"0123456789", 10, &err), &err);
	assert_int_equal(in.taken, 100);
	input_end(&in);
	input_done(&in);
}

/* ---- loop ------------------------------------------------------------------------------------ */

static int fired[3];
static int n_fired;
static struct loop_timer timers[3];

static void fire(struct loop_timer *t)
{
	fired[n_fired++] = (int)(t - timers);
	if (n_fired == 1)
		loop_timer_stop(&timers[1]); /* a callback may stop another */
}

static void timers_fire_in_order_once(void **state)
{
	(void)state;
	n_fired = 0;
	for (int i = 0; i < 3; i++)
		timers[i].fn = fire;
	do { /* again, should this have taken so long that they are due in another order */
		loop_timer_set(&loop, &timers[2], 12);
		loop_timer_set(&loop, &timers[1], 6);
		loop_timer_set(&loop, &timers[0], 500);
		loop_timer_set(&loop, &timers[0], 1); /* re-armed, not added twice */
	} while (timers[0].at_ms >= timers[1].at_ms || timers[1].at_ms >= timers[2].at_ms);
	turn();
	turn();
	assert_int_equal(n_fired, 2);
	assert_int_equal(fired[0], 0);
	assert_int_equal(fired[1], 2);
	assert_false(timers[0].armed || timers[1].armed || timers[2].armed);
	loop_timer_stop(&timers[0]);
}

static int setup(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	signal(SIGPIPE, SIG_IGN); /* as xenpod-init does */
	assert_ok(loop_init(&loop, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return close(loop.epoll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_keep_their_order),
		cmocka_unit_test(parts_keep_their_order),
		cmocka_unit_test(full_means_wait),
		cmocka_unit_test(newest_are_kept),
		cmocka_unit_test(cut_loses_nothing),
		cmocka_unit_test(discarded_bytes_are_counted),
		cmocka_unit_test(quiet),
		cmocka_unit_test(input_is_bounded_and_acknowledged),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(timers_fire_in_order_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
