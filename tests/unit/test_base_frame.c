/* SPDX-License-Identifier: Apache-2.0 */
/* Frames over a socket pair: borders, size limit, descriptors, peers that misbehave or vanish. */
/* LINK: base */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdpass.h"
#include "base/files.h"
#include "base/frame.h"
#include "base/json.h"
#include "fdcount.h"
#include "fdflood.h"

struct pair {
	int fd[2];
};

static void pair_done(struct pair *p)
{
	fd_close(&p->fd[0]);
	fd_close(&p->fd[1]);
}
#define _cleanup_pair_ __attribute__((cleanup(pair_done)))

static void pair_open(struct pair *p)
{
	_cleanup_err_ struct err err = {0};
	assert_ok(frame_pair(p->fd, &err), &err);
}

static void send_raw(int fd, const void *data, size_t len, const int *fds, size_t nfds)
{
	assert_int_equal(fdpass_send(fd, data, len, fds, nfds, 0), (ssize_t)len);
}

static void borders_are_kept(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	pair_open(&p);
	for (int i = 0; i < 3; i++) {
		_cleanup_json_ json_t *out = json_make("{s:i}", "n", i);
		assert_ok(frame_send(p.fd[0], out, NULL, 0, &err), &err);
	}
	for (int i = 0; i < 3; i++) {
		_cleanup_json_ json_t *in = NULL;
		assert_call(frame_recv(p.fd[1], &in, NULL, &err), &err, 1);
		assert_int_equal(json_int_opt(in, "n", -1), i);
	}
	fd_close(&p.fd[0]);
	json_t *in = NULL;
	assert_call(frame_recv(p.fd[1], &in, NULL, &err), &err, 0);
}

/* {"d":"xxx..."} whose text has exactly this length. */
static json_t *frame_of_length(size_t len)
{
	size_t n = len - strlen("{\"d\":\"\"}");
	_cleanup_free_ char *s = malloc(n + 1);
	memset(s, 'x', n);
	s[n] = '\0';
	return json_make("{s:s}", "d", s);
}

static void largest_passes_larger_does_not(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	_cleanup_json_ json_t *fits = frame_of_length(FRAME_MAX);
	_cleanup_json_ json_t *large = frame_of_length(FRAME_MAX + 1);
	_cleanup_json_ json_t *in = NULL;
	pair_open(&p);
	assert_fails(frame_send(p.fd[0], large, NULL, 0, &err), &err, ERR_FULL, "524289");
	assert_ok(frame_send(p.fd[0], fits, NULL, 0, &err), &err);
	assert_call(frame_recv(p.fd[1], &in, NULL, &err), &err, 1);
	assert_true(json_equal(in, fits));
}

static void oversize_from_a_peer_is_refused(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	_cleanup_free_ char *text = NULL;
	json_t *in = NULL;
	pair_open(&p);
	for (size_t over = 1; over <= 1000; over += 999) {
		_cleanup_json_ json_t *large = frame_of_length(FRAME_MAX + over);
		free(text);
		text = json_text(large);
		send_raw(p.fd[0], text, strlen(text), &p.fd[0], 1);
		struct fds fds = {0};
		assert_fails(frame_recv(p.fd[1], &in, &fds, &err), &err, ERR_FULL, "524288");
		assert_int_equal(fds.n, 0);
	}
	/* The channel is usable afterwards. */
	send_raw(p.fd[0], "{}", 2, NULL, 0);
	assert_call(frame_recv(p.fd[1], &in, NULL, &err), &err, 1);
	json_decref(in);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {"x", "[]", "7", "\"s\"", "null", "{", "{}{}",
		"{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}", "{\"a\":\"\\u0000\"}",
		"{\"a\":1e999}"};
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	pair_open(&p);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *in = NULL;
		send_raw(p.fd[0], rows[i], strlen(rows[i]), NULL, 0);
		assert_fails(frame_recv(p.fd[1], &in, NULL, &err), &err, ERR_INVALID, "frame");
		assert_null(in);
	}
}

static ino_t inode(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* Three different objects must arrive as those three, in this order, closed on exec. */
static void descriptors_keep_their_order(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	_cleanup_json_ json_t *out = json_object();
	_cleanup_json_ json_t *in = NULL;
	_cleanup_fds_ struct fds fds = {0};
	pair_open(&p);
	_cleanup_fd_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int sent[] = {null, p.fd[0], p.fd[1]};
	assert_ok(frame_send(p.fd[0], out, sent, ARRAY_SIZE(sent), &err), &err);
	assert_call(frame_recv(p.fd[1], &in, &fds, &err), &err, 1);
	assert_int_equal(fds.n, ARRAY_SIZE(sent));
	for (size_t i = 0; i < fds.n; i++) {
		assert_int_equal(inode(fds.fd[i]), inode(sent[i]));
		assert_int_equal(fcntl(fds.fd[i], F_GETFD), FD_CLOEXEC);
	}
}

static void unwanted_descriptors_are_closed(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	json_t *in = NULL;
	pair_open(&p);
	send_raw(p.fd[0], "{}", 2, p.fd, 2);
	assert_fails(frame_recv(p.fd[1], &in, NULL, &err), &err, ERR_INVALID, "descriptors");
	/* With a frame that is refused for another reason, too. */
	struct fds fds = {0};
	send_raw(p.fd[0], "nonsense", 8, p.fd, 2);
	assert_fails(frame_recv(p.fd[1], &in, &fds, &err), &err, ERR_INVALID, "JSON");
	assert_int_equal(fds.n, 0);
	/* And with the empty datagram, which reads as end of file. */
	send_raw(p.fd[0], "", 0, p.fd, 2);
	assert_call(frame_recv(p.fd[1], &in, &fds, &err), &err, 0);
	assert_int_equal(fds.n, 0);
}

static void full_set_of_descriptors(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	_cleanup_json_ json_t *out = json_object();
	_cleanup_json_ json_t *in = NULL;
	_cleanup_fds_ struct fds fds = {0};
	int many[FRAME_MAX_FDS + 1];
	pair_open(&p);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = p.fd[0];
	assert_int_equal(frame_send(p.fd[0], out, many, FRAME_MAX_FDS + 1, &err), -1);
	err_done(&err);
	assert_ok(frame_send(p.fd[0], out, many, FRAME_MAX_FDS, &err), &err);
	assert_call(frame_recv(p.fd[1], &in, &fds, &err), &err, 1);
	assert_int_equal(fds.n, FRAME_MAX_FDS);
}

/* More than the receiver has room for: the kernel drops some, and the frame must not pass as whole.
 */
static void lost_descriptors_are_an_error(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	pair_open(&p);
	fd_flood(p.fd[0], (char[]){'{', '}'}, 2);
	json_t *in = NULL;
	struct fds fds = {0};
	assert_fails(frame_recv(p.fd[1], &in, &fds, &err), &err, ERR_FULL, "descriptors");
	assert_int_equal(fds.n, 0);
}

static void peer_that_has_gone(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	_cleanup_json_ json_t *out = json_object();
	pair_open(&p);
	fd_close(&p.fd[1]);
	assert_fails(frame_send(p.fd[0], out, NULL, 0, &err), &err, ERR_UNAVAILABLE, "gone");
	json_t *in = NULL;
	assert_call(frame_recv(p.fd[0], &in, NULL, &err), &err, 0);
}

static void nothing_there_yet(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_pair_ struct pair p;
	json_t *in = NULL;
	pair_open(&p);
	assert_ok(fd_set_nonblock(p.fd[1], 1, &err), &err);
	assert_call(frame_recv(p.fd[1], &in, NULL, &err), &err, FRAME_AGAIN);
}

static const struct CMUnitTest tests[] = {
	fd_counted(borders_are_kept),
	fd_counted(largest_passes_larger_does_not),
	fd_counted(oversize_from_a_peer_is_refused),
	fd_counted(nonsense_is_refused),
	fd_counted(descriptors_keep_their_order),
	fd_counted(unwanted_descriptors_are_closed),
	fd_counted(full_set_of_descriptors),
	fd_counted(lost_descriptors_are_an_error),
	fd_counted(peer_that_has_gone),
	fd_counted(nothing_there_yet),
};

UNIT_MAIN(tests, NULL, NULL)
