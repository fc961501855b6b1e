/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg/recvmsg with SCM_RIGHTS, shared by frame.c and varlink.c; nothing else uses it. */
#ifndef BASE_FDPASS_H
#define BASE_FDPASS_H

#include "base/frame.h"

/* As sendmsg(2)/recvmsg(2) with `flags`; retries EINTR. fds received are O_CLOEXEC, appended. */
ssize_t fdpass_send(int sock, const void *data, size_t len, const int *fds, size_t nfds, int flags);
ssize_t fdpass_recv(
	int sock, void *data, size_t len, struct fds *fds, int *ret_msg_flags, int flags);

#endif
