/* SPDX-License-Identifier: Apache-2.0 */
/* Output that never blocks: see sink.h. */
#include "stage1/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/*
 * O_NONBLOCK belongs to the open file description, which we share with the caller's shell: so pipes
 * and terminals are opened anew. Files never block; a file opened anew would lose its offset.
 */
void sink_open(struct sink *s, int fd)
{
	struct stat st;
	*s = (struct sink){.fd = fd, .own_fd = -1};
	if (fstat(fd, &st) < 0) {
		s->broken = true;
		return;
	}
	s->socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return;
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	s->own_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s->own_fd >= 0)
		s->fd = s->own_fd;
}

void sink_done(struct sink *s)
{
	fd_close(&s->own_fd);
	free(s->data);
	*s = (struct sink){.fd = -1, .own_fd = -1, .broken = true};
}

size_t sink_pending(const struct sink *s)
{
	return s->end - s->start;
}

struct pollfd sink_poll(const struct sink *s)
{
	return (struct pollfd){.fd = sink_pending(s) ? s->fd : -1, .events = POLLOUT};
}

static void reserve(struct sink *s, size_t len)
{
	if (s->start) {
		memmove(s->data, s->data + s->start, sink_pending(s));
		s->end -= s->start;
		s->start = 0;
	}
	if (s->cap - s->end >= len)
		return;
	s->cap = (s->end + len) * 2;
	s->data = xreallocarray(s->data, s->cap, 1);
}

void sink_put(struct sink *s, const void *data, size_t len)
{
	if (s->broken || !len)
		return;
	reserve(s, len);
	memcpy(s->data + s->end, data, len);
	s->end += len;
	sink_flush(s);
}

/* Where there is no description of our own, poll(2) promises PIPE_BUF bytes at least. */
static bool ready(const struct sink *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};
	return s->own_fd >= 0 || s->socket || poll(&p, 1, 0) > 0;
}

static ssize_t write_some(const struct sink *s)
{
	size_t len = sink_pending(s);
	if (s->socket)
		return send(s->fd, s->data + s->start, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (s->own_fd < 0 && len > PIPE_BUF)
		len = PIPE_BUF;
	return write(s->fd, s->data + s->start, len);
}

void sink_flush(struct sink *s)
{
	while (!s->broken && sink_pending(s) && ready(s)) {
		ssize_t n = write_some(s);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			s->broken = true;
			s->start = s->end = 0;
			return;
		}
		s->start += (size_t)n;
	}
}
