/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a pod whose output is read slowly, or by nobody: in its time, and each byte is
 * delivered or counted. */
/* LINK: stage1 appc proto base */
/* WITH: ringkit.c xskit.c */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "fdcount.h"
#include "ringkit.h"
#include "stage1/hook.h"
#include "stage1/podio.h"
#include "xskit.h"

#define PATIENCE_MS 200
#define LATE_MS     2000 /* what a machine that has other things to do may add */
#define PIPE_SIZE   4096
#define BLOCK       4000
#define BLOCKS      20 /* more than may wait here: some of it stays in the ring */

static struct podio io;
static int out[2];
static int sigfd;
static unsigned long long lost; /* as it was said */

static void note_log(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	(void)fields;
	(void)n;
	assert_int_equal(level, LOG_LVL_WARNING);
	const char *at = strstr(msg, "output of the pod: ");
	assert_non_null(at);
	assert_non_null(strstr(msg, "bytes are lost, because nobody reads them"));
	lost += strtoull(at + strlen("output of the pod: "), NULL, 10);
}

/* A pod's streams to a pipe that holds PIPE_SIZE bytes, with `waiting` bytes for it. */
static void open_io(size_t waiting)
{
	_cleanup_err_ struct err err = {0};
	static const char block[BLOCK];
	const int signals[] = {SIGUSR2};
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(fcntl(out[1], F_SETPIPE_SZ, PIPE_SIZE), PIPE_SIZE);
	io = (struct podio){.log = {.fd = -1}, .in = STDIN_NONE};
	sink_open(&io.relay.out, out[1]);
	sink_open(&io.relay.err, out[1]);
	for (; waiting >= BLOCK; waiting -= BLOCK)
		sink_put(&io.relay.out, block, BLOCK);
	sink_put(&io.relay.out, block, waiting);
	sigfd = hook_signals(signals, 1, &err);
	assert_true(sigfd >= 0);
	lost = 0;
	log_set_sink(note_log);
}

static size_t in_pipe(void)
{
	char buf[PIPE_SIZE];
	ssize_t n = read(out[0], buf, sizeof buf);
	return n > 0 ? (size_t)n : 0;
}

static void close_io(void)
{
	log_set_sink(log_stderr_sink);
	podio_done(&io);
	fd_close(&out[0]);
	fd_close(&out[1]);
	fd_close(&sigfd);
}

static void a_reader_that_takes_nothing_is_given_up(void **state)
{
	(void)state;
	open_io(10000);
	int64_t begin = clock_ms();
	podio_finish(&io, sigfd, PATIENCE_MS);
	assert_in_range(clock_ms() - begin, PATIENCE_MS, PATIENCE_MS + LATE_MS);
	assert_true(lost > 0);
	assert_int_equal(in_pipe() + lost, 10000);
	close_io();
}

/* A process that sleeps before each time it reads, and must see `size` bytes in all. */
static pid_t start_reader(size_t size, unsigned sleep_ms)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	size_t seen = 0;
	size_t n;
	close(out[1]);
	fd_close(&io.relay.out.own_fd);
	fd_close(&io.relay.err.own_fd);
	do {
		usleep(sleep_ms * 1000);
		n = in_pipe();
		seen += n;
	} while (n && seen < size);
	_exit(seen == size ? 0 : 1);
}

static void assert_all_read(pid_t reader)
{
	int status = 0;
	assert_int_equal(lost, 0);
	close_io();
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
}

static void a_pod_that_ended_by_itself_waits_for_its_reader(void **state)
{
	(void)state;
	open_io(10000);
	pid_t reader = start_reader(10000, 2 * PATIENCE_MS);
	podio_finish(&io, sigfd, -1);
	assert_all_read(reader);
}

/* It takes a pipe's fill each time the patience is nearly over: that is slow, not gone. */
static void a_slow_reader_gets_all_of_it(void **state)
{
	(void)state;
	open_io(4 * PIPE_SIZE);
	pid_t reader = start_reader(4 * PIPE_SIZE, PATIENCE_MS * 6 / 10);
	int64_t begin = clock_ms();
	podio_finish(&io, sigfd, PATIENCE_MS);
	assert_true(clock_ms() - begin > PATIENCE_MS);
	assert_all_read(reader);
}

static void a_signal_ends_the_patience(void **state)
{
	(void)state;
	open_io(10000);
	kill(getpid(), SIGUSR2);
	podio_finish(&io, sigfd, -1);
	assert_int_equal(in_pipe() + lost, 10000);
	close_io();
}

static void what_all_have_read_is_no_loss(void **state)
{
	(void)state;
	open_io(PIPE_SIZE);
	podio_finish(&io, sigfd, PATIENCE_MS);
	assert_int_equal(lost, 0);
	close_io();
}

/* ---- with a ring ------------------------------------------------------------------------------ */

static json_t *hello(void *user, int64_t generation)
{
	(void)user;
	(void)generation;
	return json_object();
}

static void on_frame(void *user, const struct stream_header *h, const uint8_t *data)
{
	struct podio *p = user;
	relay_frame(&p->relay, h, data);
	session_pause(p->attach.session, relay_full(&p->relay));
}

/* The guest's writers wait while nobody reads; what the ring holds at the end is not forgotten. */
static void what_the_ring_holds_counts(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	static uint8_t bytes[BLOCKS * (STREAM_HEADER_SIZE + BLOCK)];
	const struct stream_header h = {STREAM_DATA, STREAM_STDOUT, 0, BLOCK};
	for (size_t i = 0; i < BLOCKS; i++)
		stream_header_put(&h, bytes + i * (STREAM_HEADER_SIZE + BLOCK));
	open_io(0);
	xskit_told = false;
	io.attach = (struct attach){.hello = hello, .on_frame = on_frame, .user = &io};
	io.attach.session = session_new(XSKIT_UUID, 1, hello(&io, 1), on_frame, &io, &err);
	assert_non_null(io.attach.session);
	assert_int_equal(session_turn(io.attach.session, &err), SESSION_GOES_ON);
	ringkit_put(ringkit_ring, bytes, sizeof bytes);
	for (int i = 0; i < 2 * BLOCKS; i++)
		assert_int_equal(session_turn(io.attach.session, &err), SESSION_GOES_ON);
	assert_true(relay_full(&io.relay));
	assert_true(ringkit_ring->in_len > 0);
	podio_let_go(&io);
	assert_null(ringkit_ring);
	podio_finish(&io, sigfd, PATIENCE_MS);
	assert_int_equal(in_pipe() + lost, BLOCKS * BLOCK);
	close_io();
}

static const struct CMUnitTest tests[] = {
	fd_counted(a_reader_that_takes_nothing_is_given_up),
	fd_counted(a_pod_that_ended_by_itself_waits_for_its_reader),
	fd_counted(a_slow_reader_gets_all_of_it),
	fd_counted(a_signal_ends_the_patience),
	fd_counted(what_all_have_read_is_no_loss),
	fd_counted(what_the_ring_holds_counts),
};
UNIT_MAIN(tests, NULL, NULL)
