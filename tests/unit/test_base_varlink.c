/* SPDX-License-Identifier: Apache-2.0 */
/* Varlink messages: split and joined input, queued output, descriptors, hostile peers, deadlines.
 */
/* LINK: base */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdpass.h"
#include "base/files.h"
#include "base/json.h"
#include "base/varlink.h"
#include "fdcount.h"
#include "fdflood.h"

/* Our end speaks varlink, the peer's end is a bare socket. */
struct link {
	struct varlink *v;
	int peer;
};

static void link_open(struct link *l)
{
	int sv[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	l->v = varlink_new(sv[0]);
	l->peer = sv[1];
}

static void link_done(struct link *l)
{
	varlink_freep(&l->v);
	fd_close(&l->peer);
}
#define _cleanup_link_ __attribute__((cleanup(link_done)))

static void peer_says(struct link *l, const void *data, size_t len)
{
	assert_int_equal(fdpass_send(l->peer, data, len, NULL, 0, 0), (ssize_t)len);
}

static void expect_message(struct varlink *v, const char *want)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *j = NULL;
	assert_call(varlink_next(v, &j, &err), &err, 1);
	_cleanup_free_ char *text = json_text(j);
	assert_string_equal(text, want);
}

static void one_byte_at_a_time(void **state)
{
	(void)state;
	static const char text[] = "{\"method\":\"io.xenpod.List\"}"; /* its NUL goes as well */
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	json_t *none = NULL;
	link_open(&l);
	for (size_t i = 0; i < sizeof text; i++) {
		assert_call(varlink_next(l.v, &none, &err), &err, 0);
		peer_says(&l, text + i, 1);
		assert_call(varlink_fill(l.v, &err), &err, 1);
	}
	expect_message(l.v, text);
	assert_call(varlink_next(l.v, &none, &err), &err, 0);
}

static void many_in_one_read(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":1}\0{\"a\":2}\0{\"a\"";
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	json_t *none = NULL;
	link_open(&l);
	peer_says(&l, text, sizeof text - 1);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	expect_message(l.v, "{\"a\":1}");
	expect_message(l.v, "{\"a\":2}");
	assert_call(varlink_next(l.v, &none, &err), &err, 0);
	peer_says(&l, ":3}", 4);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	expect_message(l.v, "{\"a\":3}");
}

/* The second message ends before the place where the search for the first one's end had stopped. */
static void short_after_long(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	json_t *none = NULL;
	link_open(&l);
	peer_says(&l, "{\"a long name\":1", 16);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	assert_call(varlink_next(l.v, &none, &err), &err, 0);
	peer_says(&l, "}\0{}", 5);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	expect_message(l.v, "{\"a long name\":1}");
	expect_message(l.v, "{}");
}

static void nonsense_is_told_and_passed_over(void **state)
{
	(void)state;
	static const char text[] = "\0junk\0[1]\0\"s\"\0{\"a\":1}";
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	json_t *j = NULL;
	link_open(&l);
	peer_says(&l, text, sizeof text);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	assert_fails(varlink_next(l.v, &j, &err), &err, ERR_INVALID, "JSON");
	assert_fails(varlink_next(l.v, &j, &err), &err, ERR_INVALID, "JSON");
	assert_fails(varlink_next(l.v, &j, &err), &err, ERR_INVALID, "not a JSON object");
	assert_fails(varlink_next(l.v, &j, &err), &err, ERR_INVALID, "not a JSON object");
	expect_message(l.v, "{\"a\":1}");
}

/* A peer that never ends its message is cut off at the limit, and costs no more than that. */
static void endless_message_is_cut_off(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	char junk[8192];
	json_t *j = NULL;
	size_t sent = 0;
	int r = 1;
	memset(junk, ' ', sizeof junk);
	link_open(&l);
	while (r == 1 && sent < 2 * VARLINK_MAX) {
		peer_says(&l, junk, sizeof junk);
		sent += sizeof junk;
		r = varlink_fill(l.v, &err);
		assert_int_equal(varlink_next(l.v, &j, NULL), 0);
	}
	assert_err(&err, ERR_FULL, "1048576");
	assert_in_range(sent, VARLINK_MAX, VARLINK_MAX + 4 * sizeof junk);
}

static void end_and_nothing_yet_differ(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	assert_ok(fd_set_nonblock(varlink_fd(l.v), 1, &err), &err);
	assert_call(varlink_fill(l.v, &err), &err, FRAME_AGAIN);
	fd_close(&l.peer);
	assert_call(varlink_fill(l.v, &err), &err, 0);
}

static ino_t inode(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* Two messages with descriptors, read late: they come out in the order in which they went in. */
static void descriptors_keep_their_order(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	_cleanup_varlink_ struct varlink *client = varlink_new(TAKE_FD(l.peer));
	_cleanup_fd_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	const int sent[] = {null, zero, varlink_fd(l.v)};
	assert_ok(varlink_call(client, "A", NULL, false, sent, 2, &err), &err);
	assert_ok(varlink_call(client, "B", NULL, true, sent + 2, 1, &err), &err);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	expect_message(l.v, "{\"method\":\"A\",\"parameters\":{}}");
	assert_call(varlink_fill(l.v, &err), &err, 1);
	expect_message(l.v, "{\"method\":\"B\",\"parameters\":{},\"more\":true}");
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		_cleanup_fd_ int got = varlink_take_fd(l.v);
		assert_true(got >= 0);
		assert_int_equal(inode(got), inode(sent[i]));
		assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	}
	assert_int_equal(varlink_take_fd(l.v), -1);
}

/* The message border, not the read, is what descriptors go with: they come with its first byte. */
static void descriptors_go_with_the_first_byte(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	assert_int_equal(fdpass_send(l.peer, "{", 1, &l.peer, 1, 0), 1);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	peer_says(&l, "}", 2);
	assert_call(varlink_fill(l.v, &err), &err, 1);
	expect_message(l.v, "{}");
	_cleanup_fd_ int got = varlink_take_fd(l.v);
	assert_int_equal(inode(got), inode(l.peer));
}

/* A client that keeps sending descriptors that no message needs: bounded, and all closed at the
 * end. */
static void flood_of_descriptors_is_bounded(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	int before = fd_count();
	for (int i = 0; i < 3 * FRAME_MAX_FDS; i++) {
		assert_int_equal(fdpass_send(l.peer, " ", 1, &l.peer, 1, 0), 1);
		assert_call(varlink_fill(l.v, &err), &err, 1);
	}
	assert_int_equal(fd_count(), before + FRAME_MAX_FDS);
}

static void lost_descriptors_are_an_error(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	fd_flood(l.peer, (char[]){'{', '}', '\0'}, 3);
	assert_fails(varlink_fill(l.v, &err), &err, ERR_FULL, "descriptors");
}

/* Descriptors that a child of ours would inherit. */
static int inheritable(void)
{
	int n = 0;
	for (int fd = 3; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) == 0;
	return n;
}

/* Messages that go out in several pieces carry their descriptors once, and none is inherited. */
static void descriptor_of_a_long_message(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	enum { SIZE = 700000 };
	_cleanup_free_ char *pad = malloc(SIZE + 1);
	memset(pad, 'p', SIZE);
	pad[SIZE] = '\0';
	_cleanup_json_ json_t *m = json_make("{s:s}", "pad", pad);
	link_open(&l);
	assert_ok(fd_set_nonblock(varlink_fd(l.v), 1, &err), &err);
	int before = inheritable();
	_cleanup_fd_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	varlink_queue(l.v, m, &null, 1);
	varlink_queue(l.v, m, &null, 1);
	assert_true(varlink_pending(l.v));
	assert_int_equal(inheritable(), before);
	_cleanup_varlink_ struct varlink *reader = varlink_new(TAKE_FD(l.peer));
	for (int i = 0; i < 2; i++) {
		_cleanup_json_ json_t *j = NULL;
		while (varlink_next(reader, &j, &err) == 0) {
			assert_true(varlink_flush(l.v) >= 0);
			assert_call(varlink_fill(reader, &err), &err, 1);
		}
		assert_true(json_equal(j, m));
		_cleanup_fd_ int got = varlink_take_fd(reader);
		assert_int_equal(inode(got), inode(null));
	}
	assert_int_equal(varlink_take_fd(reader), -1);
}

/* The socket is full: what waits is kept, counted, and sent whole and in order later. */
static void output_waits_for_the_reader(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	enum { COUNT = 200 };
	char pad[4096];
	memset(pad, 'p', sizeof pad - 1);
	pad[sizeof pad - 1] = '\0';
	link_open(&l);
	assert_ok(fd_set_nonblock(varlink_fd(l.v), 1, &err), &err);
	for (int i = 0; i < COUNT; i++) {
		_cleanup_json_ json_t *m = json_make("{s:i, s:s}", "n", i, "pad", pad);
		varlink_queue(l.v, m, NULL, 0);
	}
	assert_true(varlink_pending(l.v));
	assert_true(varlink_queued_bytes(l.v) > sizeof pad);
	_cleanup_varlink_ struct varlink *reader = varlink_new(TAKE_FD(l.peer));
	for (int i = 0; i < COUNT; i++) {
		_cleanup_json_ json_t *j = NULL;
		int r;
		while ((r = varlink_next(reader, &j, &err)) == 0) {
			assert_true(varlink_flush(l.v) >= 0);
			assert_call(varlink_fill(reader, &err), &err, 1);
		}
		assert_int_equal(r, 1);
		assert_int_equal(json_int_opt(j, "n", -1), i);
	}
	assert_int_equal(varlink_flush(l.v), 0);
	assert_false(varlink_pending(l.v));
	assert_int_equal(varlink_queued_bytes(l.v), 0);
}

/* Freed with output waiting: nothing leaks (the sanitizer and the descriptor count tell). */
static void freed_while_output_waits(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	assert_ok(fd_set_nonblock(varlink_fd(l.v), 1, &err), &err);
	_cleanup_json_ json_t *m = json_object();
	_cleanup_fd_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 100000 && !varlink_pending(l.v); i++)
		varlink_queue(l.v, m, &null, 1);
	assert_true(varlink_pending(l.v));
	fd_close(&l.peer);
	assert_int_equal(varlink_flush(l.v), -1);
}

static void roundtrip(struct link *l, const char *answer, struct err *err, json_t **ret)
{
	if (answer)
		peer_says(l, answer, strlen(answer) + 1);
	if (varlink_roundtrip(l->v, "io.xenpod.X", NULL, 200, ret, err) < 0)
		assert_null(*ret);
}

static void answers_of_all_kinds(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	json_t *j = NULL;
	link_open(&l);
	roundtrip(&l, "{\"parameters\":{\"x\":5}}", &err, &j);
	assert_int_equal(json_int_opt(j, "x", 0), 5);
	json_decref(j);
	j = NULL;
	roundtrip(&l, "{}", &err, &j);
	assert_true(json_is_object(j));
	json_decref(j);
	j = NULL;
	roundtrip(&l, "{\"error\":\"io.xenpod.Exists\",\"parameters\":{\"message\":\"it is\"}}",
		&err, &j);
	assert_err(&err, ERR_EXISTS, "it is");
	roundtrip(&l, "{\"error\":\"org.varlink.service.MethodNotFound\"}", &err, &j);
	assert_err(&err, ERR_SYSTEM, "MethodNotFound");
	roundtrip(&l, "{\"error\":7}", &err, &j);
	assert_err(&err, ERR_SYSTEM, "");
	roundtrip(&l, "[]", &err, &j);
	assert_err(&err, ERR_INVALID, "answer of the supervisor");
}

static void no_answer_ends_at_the_deadline(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	json_t *j = NULL;
	struct timespec t0;
	struct timespec t1;
	link_open(&l);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	peer_says(&l, "{\"half", 6); /* half an answer is none */
	roundtrip(&l, NULL, &err, &j);
	assert_err(&err, ERR_TIMEOUT, "in time");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	long ms = (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000;
	assert_in_range(ms, 190, 5000);
	fd_close(&l.peer);
	roundtrip(&l, NULL, &err, &j);
	assert_err(&err, ERR_UNAVAILABLE, "closed");
}

static void continues_is_passed_on(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_link_ struct link l;
	link_open(&l);
	_cleanup_varlink_ struct varlink *server = varlink_new(TAKE_FD(l.peer));
	for (int i = 0; i < 2; i++) {
		_cleanup_json_ json_t *m = varlink_make_reply(json_make("{s:i}", "n", i), i == 0);
		varlink_queue(server, m, NULL, 0);
	}
	for (int i = 0; i < 2; i++) {
		_cleanup_json_ json_t *j = NULL;
		bool more = i != 0;
		assert_ok(varlink_reply(l.v, 1000, &j, &more, &err), &err);
		assert_int_equal(json_int_opt(j, "n", -1), i);
		assert_int_equal(more, i == 0);
	}
}

static void errors_survive_the_wire(void **state)
{
	(void)state;
	_cleanup_link_ struct link l;
	link_open(&l);
	_cleanup_varlink_ struct varlink *server = varlink_new(TAKE_FD(l.peer));
	for (int code = ERR_INVALID; code < ERR_MAX_; code++) {
		_cleanup_err_ struct err sent = {0};
		_cleanup_err_ struct err got = {0};
		json_t *j = NULL;
		err_set(&sent, (enum err_code)code, "fault \"%d\"\n", code);
		_cleanup_json_ json_t *m = varlink_make_error(&sent);
		varlink_queue(server, m, NULL, 0);
		assert_int_equal(varlink_reply(l.v, 1000, &j, NULL, &got), -1);
		assert_int_equal(got.code, code);
		assert_string_equal(err_msg(&got), err_msg(&sent));
	}
}

static void connect_says_what_to_do(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char dir[] = "/tmp/xenpod-varlink-XXXXXX";
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char path[200];
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_null(varlink_connect(path, &err));
	assert_err(&err, ERR_INVALID, "too long");
	assert_non_null(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/s", dir);
	assert_null(varlink_connect(sa.sun_path, &err));
	assert_err(&err, ERR_UNAVAILABLE, "systemctl start xenpodd");
	_cleanup_fd_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_null(varlink_connect(sa.sun_path, &err)); /* there, but nobody listens */
	assert_err(&err, ERR_UNAVAILABLE, dir);
	assert_int_equal(listen(s, 1), 0);
	_cleanup_varlink_ struct varlink *v = varlink_connect(sa.sun_path, &err);
	assert_non_null(v);
	assert_int_equal(fcntl(varlink_fd(v), F_GETFD), FD_CLOEXEC);
	unlink(sa.sun_path);
	rmdir(dir);
}

static const struct CMUnitTest tests[] = {
	fd_counted(one_byte_at_a_time),
	fd_counted(many_in_one_read),
	fd_counted(short_after_long),
	fd_counted(nonsense_is_told_and_passed_over),
	fd_counted(endless_message_is_cut_off),
	fd_counted(end_and_nothing_yet_differ),
	fd_counted(descriptors_keep_their_order),
	fd_counted(descriptors_go_with_the_first_byte),
	fd_counted(flood_of_descriptors_is_bounded),
	fd_counted(lost_descriptors_are_an_error),
	fd_counted(descriptor_of_a_long_message),
	fd_counted(output_waits_for_the_reader),
	fd_counted(freed_while_output_waits),
	fd_counted(answers_of_all_kinds),
	fd_counted(no_answer_ends_at_the_deadline),
	fd_counted(continues_is_passed_on),
	fd_counted(errors_survive_the_wire),
	fd_counted(connect_says_what_to_do),
};

UNIT_MAIN(tests, NULL, NULL)
