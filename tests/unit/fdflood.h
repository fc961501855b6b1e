/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that sends more descriptors at once than our side has room for; the kernel drops some. */
#ifndef UNIT_FDFLOOD_H
#define UNIT_FDFLOOD_H

#include <sys/socket.h>

#define FD_FLOOD 100

static inline void fd_flood(int sock, char *data, size_t len)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * FD_FLOOD)];
		struct cmsghdr align;
	} ctl = {0};
	struct iovec iov = {.iov_base = data, .iov_len = len};
	struct msghdr mh = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof ctl.buf};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * FD_FLOOD);
	for (size_t i = 0; i < FD_FLOOD; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &sock, sizeof(int));
	assert_int_equal(sendmsg(sock, &mh, 0), (ssize_t)len);
}

#endif
