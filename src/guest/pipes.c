/* SPDX-License-Identifier: Apache-2.0 */
/* Standard streams of programs: see pipes.h. */
#include "guest/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

int pipe_make(int ret[2], int ours, struct err *err)
{
	if (pipe2(ret, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	return fd_set_nonblock(ret[ours], 1, err);
}

/* The free part of a ring as one or two pieces. */
static int ring_space(uint8_t *buf, size_t cap, size_t head, size_t len, struct iovec iov[2])
{
	size_t tail = (head + len) % cap;
	size_t space = cap - len;
	size_t first = space < cap - tail ? space : cap - tail;
	iov[0] = (struct iovec){buf + tail, first};
	iov[1] = (struct iovec){buf, space - first};
	return space == first ? 1 : 2;
}

/* ---- output ---------------------------------------------------------------------------------- */

static void output_rearm(struct output *out)
{
	bool want = !out->eof && (out->len < out->cap || out->drop_old);
	loop_watch_set(&out->watch, want ? EPOLLIN : 0);
}

static void output_end(struct output *out)
{
	out->eof = true;
	loop_watch_set(&out->watch, 0);
	fd_close(&out->fd);
}

/* Bytes read, 0: nothing now, -1: nothing ever again. */
static ssize_t output_read(struct output *out)
{
	struct iovec iov[2];
	if (out->drop_old && out->len == out->cap) {
		out->head = (out->head + out->cap / 2) % out->cap;
		out->len -= out->cap / 2;
		out->lost += out->cap / 2;
	}
	if (out->len == out->cap)
		return 0;
	int n = ring_space(out->buf, out->cap, out->head, out->len, iov);
	ssize_t got = readv(out->fd, iov, n);
	/* A pseudo-terminal's master answers EIO when its last user has closed. */
	if (got < 0)
		return errno == EAGAIN ? 0 : -1;
	out->len += (size_t)got;
	return got > 0 ? got : -1;
}

/*
 * After a cut: reads while there is room; finding nothing is the end. A writer that has escaped its
 * app's end could go on for ever: what a pipe can hold is the last that counts.
 */
static void output_settle(struct output *out)
{
	while (!out->eof && (out->len < out->cap || out->drop_old)) {
		ssize_t n = output_read(out);
		out->after_cut += n > 0 ? (size_t)n : 0;
		if (n <= 0 || out->after_cut >= PIPE_LARGEST)
			output_end(out);
	}
}

static void output_readable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct output *out = container_of(w, struct output, watch);
	if (output_read(out) < 0)
		output_end(out);
	else
		output_rearm(out);
	out->changed(out);
}

void output_init(struct output *out, struct loop *loop, int fd, size_t cap)
{
	*out = (struct output){.fd = fd, .buf = xmalloc(cap), .cap = cap};
	out->watch.fn = output_readable;
	loop_watch_init(loop, &out->watch, fd);
	output_rearm(out);
}

void output_done(struct output *out)
{
	if (!out->buf)
		return;
	output_end(out);
	free(out->buf);
	out->buf = NULL;
	out->len = 0;
}

void output_drop_old(struct output *out, bool on)
{
	out->drop_old = on;
	if (out->buf && !out->cut)
		output_rearm(out);
}

size_t output_peek(const struct output *out, const uint8_t **ret)
{
	size_t unbroken = out->cap - out->head;
	*ret = out->buf + out->head;
	return out->len < unbroken ? out->len : unbroken;
}

void output_consume(struct output *out, size_t len)
{
	out->head = (out->head + len) % out->cap;
	out->len -= len;
	if (out->cut)
		output_settle(out);
	else
		output_rearm(out);
}

bool output_drained(const struct output *out)
{
	return out->eof && out->len == 0;
}

bool output_quiet(const struct output *out)
{
	struct pollfd pfd = {.fd = out->fd, .events = POLLIN};
	if (out->len)
		return false;
	return out->eof || poll(&pfd, 1, 0) == 0;
}

void output_cut(struct output *out)
{
	out->cut = true;
	loop_watch_set(&out->watch, 0);
	output_settle(out);
}

void output_discard(struct output *out)
{
	output_cut(out);
	while (out->len) {
		out->lost += out->len;
		output_consume(out, out->len);
	}
}

/* ---- input ----------------------------------------------------------------------------------- */

#define END_OF_TRANSMISSION 0x04 /* the default VEOF of a terminal */

/* `n` bytes at the front are done with; only this client's own are acknowledged. */
static void input_leave(struct input *in, size_t n)
{
	size_t others = n < in->others ? n : in->others;
	in->head = (in->head + n) % in->cap;
	in->len -= n;
	in->others -= others;
	in->taken += n - others;
}

static void input_close(struct input *in)
{
	if (in->fd >= 0)
		loop_watch_set(&in->watch, 0);
	fd_close(&in->fd);
	input_leave(in, in->len);
}

/* The end has its turn when everything before it has been taken. */
static void input_finish(struct input *in)
{
	static const char eot = END_OF_TRANSMISSION;
	if (in->len || !in->ended || in->fd < 0)
		return;
	if (in->terminal && write(in->fd, &eot, 1) == 1) {
		in->ended = false;
		return;
	}
	/* EIO: nobody has the terminal open any more. */
	if (!in->terminal || (errno != EAGAIN && errno != EINTR))
		input_close(in);
}

static void input_flush(struct input *in)
{
	while (in->len && in->fd >= 0) {
		size_t unbroken = in->cap - in->head;
		ssize_t n =
			write(in->fd, in->buf + in->head, in->len < unbroken ? in->len : unbroken);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			input_close(in); /* EPIPE: it does not read any more */
		else
			input_leave(in, (size_t)n);
	}
	input_finish(in);
	if (in->fd >= 0)
		loop_watch_set(&in->watch, in->len || in->ended ? EPOLLOUT : 0);
}

static void input_writable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct input *in = container_of(w, struct input, watch);
	input_flush(in);
	in->changed(in);
}

void input_init(struct input *in, struct loop *loop, int fd, size_t cap)
{
	*in = (struct input){.fd = fd, .buf = xmalloc(cap), .cap = cap};
	in->watch.fn = input_writable;
	loop_watch_init(loop, &in->watch, fd);
}

void input_done(struct input *in)
{
	if (!in->buf)
		return;
	input_close(in);
	free(in->buf);
	in->buf = NULL;
}

int input_put(struct input *in, const uint8_t *data, size_t len, struct err *err)
{
	struct iovec iov[2];
	if (in->fd < 0) {
		in->taken += len;
		return 0;
	}
	if (len > in->cap - in->len)
		return err_set(err, ERR_FULL, "more than %zu bytes of stdin under way", in->cap);
	ring_space(in->buf, in->cap, in->head, in->len, iov);
	size_t first = len < iov[0].iov_len ? len : iov[0].iov_len;
	memcpy(iov[0].iov_base, data, first);
	memcpy(in->buf, data + first, len - first);
	in->len += len;
	input_flush(in);
	return 0;
}

void input_new_client(struct input *in, size_t credit)
{
	if (!in->buf)
		return;
	if (in->cap - in->len < credit)
		in->len = 0;
	in->others = in->len;
	in->taken = 0;
}

void input_end(struct input *in)
{
	in->ended = true;
	input_flush(in);
}
