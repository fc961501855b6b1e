/* SPDX-License-Identifier: Apache-2.0 */
/* See xenstore_ask.h. */
#include "host/xenstore_ask.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xen/io/xs_wire.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* 4096 bytes are xenstore's own limit (XENSTORE_PAYLOAD_MAX). */
#define PAYLOAD_MAX XENSTORE_PAYLOAD_MAX

static int late(struct err *err)
{
	return err_set(err, ERR_TIMEOUT, "it does not answer");
}

static int called(const char *path, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ERR_INVALID, "%s is too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return TAKE_FD(fd);
	if (errno == EAGAIN) /* its queue of callers is full */
		return late(err);
	return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

/* Until `len` bytes have gone one way, or time is over. */
static int move(int fd, void *data, size_t len, bool in, int64_t end, struct err *err)
{
	char *at = data;
	while (len) {
		struct pollfd p = {.fd = fd, .events = in ? POLLIN : POLLOUT};
		int64_t left = end - clock_ms();
		if (left <= 0)
			return late(err);
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ssize_t n = in ? recv(fd, at, len, 0) : send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return err_set(err, ERR_UNAVAILABLE, "it hangs up");
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int answer(int fd, int64_t end, char **ret, struct err *err)
{
	struct xsd_sockmsg head;
	if (move(fd, &head, sizeof(head), true, end, err) < 0)
		return -1;
	if (head.len > PAYLOAD_MAX || (head.type != XS_READ && head.type != XS_ERROR))
		return err_set(err, ERR_UNAVAILABLE, "what answers is no xenstored");
	_cleanup_free_ char *text = xcalloc(head.len + 1, 1);
	if (move(fd, text, head.len, true, end, err) < 0)
		return -1;
	if (head.type == XS_ERROR && strcmp(text, "ENOENT") != 0)
		return err_set(err, ERR_UNAVAILABLE, "it answers %s", text);
	*ret = head.type == XS_READ ? TAKE_PTR(text) : NULL;
	return 0;
}

int xenstore_ask(
	const char *socket_path, const char *node, int timeout_ms, char **ret, struct err *err)
{
	int64_t end = clock_ms() + timeout_ms;
	size_t len = strlen(node) + 1;
	struct xsd_sockmsg head = {.type = XS_READ, .len = (uint32_t)len};
	_cleanup_fd_ int fd = called(socket_path, err);
	if (fd < 0)
		return -1;
	_cleanup_free_ char *message = xmalloc(sizeof(head) + len);
	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), node, len);
	if (move(fd, message, sizeof(head) + len, false, end, err) < 0)
		return -1;
	return answer(fd, end, ret, err);
}
