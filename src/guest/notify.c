/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness that apps tell themselves: see notify.h. */
#include "guest/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/log.h"

#define MESSAGE_MAX 4096 /* of systemd, too */
#define CGROUP_MAX  16384

/* ---- texts ----------------------------------------------------------------------------------- */

static void keep_status(const char *value, size_t len, struct notify_message *ret)
{
	size_t n = len < NOTIFY_STATUS_MAX ? len : NOTIFY_STATUS_MAX;
	for (size_t i = 0; i < n; i++)
		ret->status[i] = (char)(value[i] < ' ' || value[i] > '~' ? '?' : value[i]);
	ret->status[n] = '\0';
}

void notify_parse(const char *text, size_t len, struct notify_message *ret)
{
	static const char ready[] = "READY=1";
	static const char status[] = "STATUS=";
	const char *end = text + len;
	*ret = (struct notify_message){0};
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);
		if (n == strlen(ready) && memcmp(text, ready, n) == 0)
			ret->ready = true;
		else if (n >= strlen(status) && memcmp(text, status, strlen(status)) == 0)
			keep_status(text + strlen(status), n - strlen(status), ret);
		text += n + 1;
	}
}

bool notify_member(const char *text, const char *name)
{
	static const char v2[] = "0::/";
	const char *line = text;
	while (line && strncmp(line, v2, strlen(v2)) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || strncmp(line + strlen(v2), name, strlen(name)) != 0)
		return false;
	char after = line[strlen(v2) + strlen(name)];
	return after == '\n' || after == '/' || after == '\0';
}

/* ---- the socket ------------------------------------------------------------------------------ */

/* One that has ended and was reaped cannot be known any more: systemd has the same limit. */
static bool sender_is_ours(const struct notify *n, pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/cgroup", (int)pid);
	_cleanup_free_ char *group = xasprintf("app-%s", n->name);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (pid <= 0 || file_read_at(AT_FDCWD, path, CGROUP_MAX, &text, &len, NULL) < 0)
		return false;
	return notify_member(text, group);
}

/* The sender's process, 0: not told. Descriptors that it sent along are of no use: closed. */
static pid_t take_control(struct msghdr *msg)
{
	pid_t pid = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			pid = cred.pid;
		}
		for (size_t i = 0; c->cmsg_type == SCM_RIGHTS &&
				   CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len;
			i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			close(fd);
		}
	}
	return pid;
}

static void message_take(struct notify *n, const struct notify_message *m)
{
	int64_t now = loop_now_ms();
	if (m->status[0] && (!n->status_ms || now - n->status_ms >= NOTIFY_STATUS_MS)) {
		n->status_ms = now;
		log_info("app %s says: %s", n->name, m->status);
	}
	if (m->ready && !n->told) {
		n->told = true;
		n->ready(n);
	}
}

static void notify_readable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct notify *n = container_of(w, struct notify, watch);
	struct notify_message m;
	char text[MESSAGE_MAX];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec iov = {text, sizeof(text)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(n->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0)
		return;
	pid_t pid = take_control(&msg);
	if ((msg.msg_flags & MSG_TRUNC) || !sender_is_ours(n, pid)) {
		log_debug("app %s: a notification from process %d is not taken", n->name, (int)pid);
		return;
	}
	notify_parse(text, (size_t)len, &m);
	message_take(n, &m);
}

int notify_open(struct notify *n, struct loop *loop, const char *name, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int on = 1;
	int len = snprintf(n->address, sizeof(n->address), "@xenpod/notify/%s", name);
	/* The first byte of an abstract name is 0 where its text has "@". */
	memcpy(sa.sun_path + 1, n->address + 1, (size_t)len - 1);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len);
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&sa, size) < 0)
		return err_sys(err, "make the socket for its notifications");
	n->fd = TAKE_FD(fd);
	n->open = true;
	n->told = false;
	n->name = name;
	n->watch.fn = notify_readable;
	loop_watch_init(loop, &n->watch, n->fd);
	loop_watch_set(&n->watch, EPOLLIN);
	return 0;
}

void notify_close(struct notify *n)
{
	if (!n->open)
		return;
	loop_watch_set(&n->watch, 0);
	fd_close(&n->fd);
	n->open = false;
}
