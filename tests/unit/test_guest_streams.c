/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apps' standard streams to a client: pipes, /dev/null, a terminal; what is dropped while nobody
 * reads is counted and told. Ring and pod are stood in for below; the frames are what is looked at.
 */
/* LINK: guest proto base */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "guest/appio.h"
#include "guest/session.h"
#include "guest/unread.h"

static struct loop loop;
static struct podspec_app spec;
static struct podspec podspec = {.streams = true};
static struct app app;
static struct pod pod;
static struct session session;
static struct app_stdio stdio;
static bool ended;
static unsigned warnings;

/* ---- what session.c, pod.c and app.c do in xenpod-init ---------------------------------------- */

static char frames[1024]; /* "T<stream> n" each; DATA with its bytes when they are few */

bool session_room(const struct session *s, size_t payload)
{
	(void)payload;
	return s->phase == SESSION_ACTIVE;
}

void session_send(struct session *s, const struct stream_header *h, const void *payload)
{
	(void)s;
	size_t at = strlen(frames);
	char *p = frames + at;
	size_t room = sizeof(frames) - at;
	if (h->type == STREAM_DATA && h->length < 32)
		snprintf(p, room, "data%u %.*s|", h->stream, (int)h->length, (const char *)payload);
	else if (h->type == STREAM_DATA)
		snprintf(p, room, "data%u %u|", h->stream, h->length);
	else if (h->type == STREAM_EOF)
		snprintf(p, room, "eof%u|", h->stream);
	else if (h->type == STREAM_APP || h->type == STREAM_END)
		snprintf(p, room, h->type == STREAM_APP ? "app|" : "end|");
	else
		snprintf(p, room, "%s%u %u|", h->type == STREAM_LOST ? "lost" : "ack", h->stream,
			stream_get_u32(payload));
}

void session_finish(struct session *s)
{
	s->phase = SESSION_FINISHING;
}

bool session_finished(const struct session *s)
{
	return s->phase >= SESSION_LINGERING;
}

void session_kick(struct session *s)
{
	streams_kind.pump(s);
}

bool app_ended(const struct app *a)
{
	(void)a;
	return ended;
}

void pod_app_output(struct app *a)
{
	if (a->pod->streams)
		session_kick(a->pod->streams);
}

void pod_app_input(struct app *a)
{
	pod_app_output(a);
}

void pod_streams_changed(struct pod *p)
{
	(void)p;
}

static void count_warnings(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	(void)fields;
	(void)n;
	assert_int_equal(level, LOG_LVL_WARNING);
	assert_non_null(strstr(msg, "app web: nobody reads its stdout"));
	warnings++;
}

/* ---- helpers ---------------------------------------------------------------------------------- */

static void quit(struct loop_timer *t)
{
	t->loop->quit = true;
}

/* Runs the loop until nothing has happened for a while. */
static void turn(void)
{
	struct loop_timer t = {.fn = quit};
	loop.quit = false;
	loop_timer_set(&loop, &t, 150);
	loop_run(&loop);
}

static void attach_client(void)
{
	_cleanup_err_ struct err err = {0};
	session = (struct session){.pod = &pod, .phase = SESSION_ACTIVE};
	frames[0] = '\0';
	assert_ok(streams_kind.start(&session, NULL, &err), &err);
	session_kick(&session);
}

static void client_goes(void)
{
	streams_kind.end(&session);
}

/* UNREAD_MS later. */
static void nobody_comes(void)
{
	assert_true(pod.unread.armed);
	loop_timer_stop(&pod.unread);
	pod.unread.fn(&pod.unread);
}

static void make_app(struct podspec_app how)
{
	_cleanup_err_ struct err err = {0};
	static char name[] = "web";
	spec = how;
	spec.name = name;
	app = (struct app){.pod = &pod, .spec = &spec, .kind = GSTATE_RUNNING};
	pod = (struct pod){.loop = &loop, .spec = &podspec, .apps = &app, .n_apps = 1};
	ended = false;
	warnings = 0;
	unread_begin(&pod);
	stdio = APP_STDIO_NONE;
	assert_ok(app_stdio_make(&app, &stdio, &err), &err);
}

static void drop_app(void)
{
	app_stdio_close(&stdio);
	output_done(&app.out[0]);
	output_done(&app.out[1]);
	input_done(&app.in);
	loop_timer_stop(&pod.unread);
}

/* Writes `n` bytes in pieces that the loop takes on the way. */
static void write_much(int fd, size_t n)
{
	char block[4096];
	memset(block, 'x', sizeof(block));
	for (size_t done = 0; done < n; done += sizeof(block)) {
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
		if (done % 32768 == 0)
			turn();
	}
	turn();
}

static struct podspec_app plain(void)
{
	return (struct podspec_app){.stdout_stream = true, .stderr_stream = true};
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void dropped_bytes_are_counted_and_told_first(void **state)
{
	(void)state;
	make_app(plain());
	log_set_sink(count_warnings);
	nobody_comes();
	write_much(stdio.fd[1], 256 * 1024UL); /* pipe and buffer hold 128 KiB: would hang */
	log_set_sink(NULL);
	assert_int_equal(warnings, 1);
	size_t kept = app.out[0].len;
	assert_int_equal(app.out[0].lost + kept, 256 * 1024);
	char want[64];
	snprintf(want, sizeof(want), "lost1 %llu|data1 ", (unsigned long long)app.out[0].lost);
	attach_client();
	assert_memory_equal(frames, want, strlen(want));
	assert_null(strstr(frames + 5, "lost")); /* once */
	assert_false(app.out[0].drop_old);
	drop_app();
}

/* With a client that does not read the app waits; nothing is dropped, however long it takes. */
static void a_slow_client_loses_nothing(void **state)
{
	(void)state;
	make_app(plain());
	attach_client();
	assert_false(pod.unread.armed);
	session.phase = SESSION_HELLO; /* no room in the ring */
	fcntl(stdio.fd[1], F_SETFL, O_NONBLOCK);
	char block[4096] = {0};
	size_t taken = 0;
	for (int i = 0; i < 100; i++) {
		ssize_t n = write(stdio.fd[1], block, sizeof(block));
		taken += n > 0 ? (size_t)n : 0;
		if (i % 10 == 0)
			turn();
	}
	assert_in_range(taken, 65536, 200000);
	assert_int_equal(app.out[0].lost, 0);
	client_goes();
	assert_true(pod.unread.armed);
	assert_int_equal(app.out[0].lost, 0); /* not yet */
	attach_client();
	assert_false(pod.unread.armed);
	drop_app();
}

static void where_nobody_is_expected_dropping_begins_at_once(void **state)
{
	(void)state;
	podspec.streams = false;
	make_app(plain());
	podspec.streams = true;
	assert_false(pod.unread.armed);
	assert_true(app.out[0].drop_old && app.out[1].drop_old);
	drop_app();
}

static void null_streams_end_at_once(void **state)
{
	(void)state;
	make_app((struct podspec_app){.stdout_stream = true});
	attach_client();
	assert_string_equal(frames, "eof2|");
	assert_int_equal(write(stdio.fd[2], "x", 1), 1); /* /dev/null takes it */
	assert_int_equal(write(stdio.fd[1], "y", 1), 1);
	turn();
	assert_string_equal(frames, "eof2|data1 y|");
	drop_app();
}

/* One that could not be started has neither pipes nor a reader of its stdin. */
static void stdin_of_an_app_that_never_was_is_swallowed(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	make_app((struct podspec_app){.stdin_stream = true});
	struct stream_header h = {STREAM_DATA, STREAM_STDIN, 0, 1};
	drop_app();
	attach_client();
	assert_ok(streams_kind.frame(&session, &h, (const uint8_t *)"x", &err), &err);
	h.app = 1;
	assert_fails(streams_kind.frame(&session, &h, (const uint8_t *)"x", &err), &err,
		ERR_NOTFOUND, "app number 1 of 1");
	drop_app();
}

static void a_terminal_is_one_for_all_three(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	const uint8_t size[4] = {50, 0, 0x84, 0x03};
	struct winsize w = {0};
	char got[16] = "";
	make_app((struct podspec_app){.tty = true, .size = {.ws_row = 24, .ws_col = 300}});
	for (int i = 0; i < 3; i++)
		assert_true(isatty(stdio.fd[i]));
	/* Before anybody has come: the app may ask at once, and never again. */
	assert_int_equal(ioctl(stdio.fd[0], TIOCGWINSZ, &w), 0);
	assert_int_equal(w.ws_row, 24);
	assert_int_equal(w.ws_col, 300);
	attach_client();
	assert_string_equal(frames, "eof2|"); /* all output is stdout */
	struct stream_header h = {STREAM_WINCH, STREAM_STDIN, 0, 4};
	assert_ok(streams_kind.frame(&session, &h, size, &err), &err);
	assert_int_equal(ioctl(stdio.fd[0], TIOCGWINSZ, &w), 0);
	assert_int_equal(w.ws_row, 50);
	assert_int_equal(w.ws_col, 900);
	assert_int_equal(write(stdio.fd[2], "e\n", 2), 2);
	turn();
	assert_string_equal(frames, "eof2|data1 e\r\n|");
	h = (struct stream_header){STREAM_DATA, STREAM_STDIN, 0, 3};
	assert_ok(streams_kind.frame(&session, &h, (const uint8_t *)"hi\r", &err), &err);
	turn();
	assert_int_equal(read(stdio.fd[0], got, sizeof(got)), 3);
	assert_string_equal(got, "hi\n");
	assert_non_null(strstr(frames, "ack0 3|"));
	app_stdio_close(&stdio);
	turn();
	assert_non_null(strstr(frames, "eof1|"));
	drop_app();
}

static void winch_needs_a_terminal(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	const uint8_t size[4] = {0};
	const struct stream_header h = {STREAM_WINCH, STREAM_STDIN, 0, 4};
	make_app(plain());
	attach_client();
	assert_fails(streams_kind.frame(&session, &h, size, &err), &err, ERR_INVALID,
		"app web, which has no terminal");
	drop_app();
}

/* What the last client typed and nobody has read yet is not acknowledged to the next one. */
static void a_new_client_has_its_own_credit(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	uint8_t block[STREAM_PAYLOAD_MAX] = {0};
	const struct stream_header h = {STREAM_DATA, STREAM_STDIN, 0, sizeof(block)};
	make_app((struct podspec_app){.stdin_stream = true});
	fcntl(stdio.fd[0], F_SETPIPE_SZ, 4096);
	attach_client();
	for (int i = 0; i < 2; i++)
		assert_ok(streams_kind.frame(&session, &h, block, &err), &err);
	client_goes();
	size_t left = app.in.len;
	assert_int_equal(left, STREAM_CREDIT - 4096);
	attach_client();
	for (int i = 0; i < 2; i++)
		assert_ok(streams_kind.frame(&session, &h, block, &err), &err);
	uint8_t got[4096];
	size_t seen = 0;
	while (seen < 2 * STREAM_CREDIT) {
		ssize_t n = read(stdio.fd[0], got, sizeof(got));
		assert_true(n > 0);
		seen += (size_t)n;
		turn();
	}
	size_t acked = 0;
	for (const char *p = frames; (p = strstr(p, "ack0 ")); p++)
		acked += strtoul(p + 5, NULL, 10);
	assert_int_equal(acked, STREAM_CREDIT);
	drop_app();
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(dropped_bytes_are_counted_and_told_first),
	cmocka_unit_test(a_slow_client_loses_nothing),
	cmocka_unit_test(where_nobody_is_expected_dropping_begins_at_once),
	cmocka_unit_test(null_streams_end_at_once),
	cmocka_unit_test(stdin_of_an_app_that_never_was_is_swallowed),
	cmocka_unit_test(a_terminal_is_one_for_all_three),
	cmocka_unit_test(winch_needs_a_terminal),
	cmocka_unit_test(a_new_client_has_its_own_credit),
};
UNIT_MAIN(tests, setup, teardown)
