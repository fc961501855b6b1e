/* SPDX-License-Identifier: Apache-2.0 */
/* Passing descriptors: unix(7), cmsg(3). */
#include "base/fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char buf[CMSG_SPACE(sizeof(int) * FRAME_MAX_FDS)];
	struct cmsghdr align;
};

ssize_t fdpass_send(int sock, const void *data, size_t len, const int *fds, size_t nfds, int flags)
{
	union control ctl;
	struct iovec iov = {.iov_len = len};
	memcpy(&iov.iov_base, &data, sizeof data); /* sendmsg never writes through it */
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	if (nfds > FRAME_MAX_FDS) {
		errno = EMSGSIZE;
		return -1;
	}
	if (nfds) {
		memset(&ctl, 0, sizeof ctl);
		mh.msg_control = ctl.buf;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	ssize_t n;
	do
		n = sendmsg(sock, &mh, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

/* More than fits is closed at once: a peer cannot make us leak. */
static void take_fds(struct msghdr *mh, struct fds *fds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (fds && fds->n < FRAME_MAX_FDS)
				fds->fd[fds->n++] = fd;
			else
				close(fd);
		}
	}
}

ssize_t fdpass_recv(
	int sock, void *data, size_t len, struct fds *fds, int *ret_msg_flags, int flags)
{
	union control ctl;
	struct iovec iov = {.iov_base = data, .iov_len = len};
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof ctl.buf,
	};
	ssize_t n;
	do
		n = recvmsg(sock, &mh, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		take_fds(&mh, fds);
		if (ret_msg_flags)
			*ret_msg_flags = mh.msg_flags;
	}
	return n;
}
