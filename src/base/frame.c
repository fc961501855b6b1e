/* SPDX-License-Identifier: Apache-2.0 */
/* JSON datagrams over SOCK_SEQPACKET: see frame.h. */
#include "base/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fdpass.h"
#include "base/json.h"

void fds_done(struct fds *fds)
{
	for (size_t i = 0; i < fds->n; i++)
		fd_close(&fds->fd[i]);
	fds->n = 0;
}

static void grow_buffers(int sock)
{
	int size = 2 * FRAME_MAX;
	if (setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

int frame_pair(int ret[2], struct err *err)
{
	int sv[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(err, "socketpair");
	grow_buffers(sv[0]);
	grow_buffers(sv[1]);
	ret[0] = sv[0];
	ret[1] = sv[1];
	return 0;
}

int frame_send(int sock, const json_t *frame, const int *fds, size_t nfds, struct err *err)
{
	_cleanup_free_ char *text = json_text(frame);
	size_t len = strlen(text);
	if (len > FRAME_MAX)
		return err_set(err, ERR_FULL, "frame of %zu bytes is over the limit of %d", len,
			FRAME_MAX);
	if (fdpass_send(sock, text, len, fds, nfds, 0) >= 0)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET)
		return err_set(err, ERR_UNAVAILABLE, "the other side of the channel has gone");
	return err_sys(err, "send frame");
}

int frame_recv(int sock, json_t **ret, struct fds *ret_fds, struct err *err)
{
	static char buf[FRAME_MAX + 1]; /* one reader per process; too large for a stack */
	struct fds fds = {0};
	int flags = 0;
	ssize_t n = fdpass_recv(sock, buf, sizeof buf, &fds, &flags, 0);
	if (n < 0 && errno == EAGAIN)
		return FRAME_AGAIN;
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return err_sys(err, "receive frame");
	if (n == 0) { /* end of file, or an empty datagram, which may carry descriptors */
		fds_done(&fds);
		return 0;
	}
	json_t *j = NULL;
	if (flags & MSG_TRUNC || n > FRAME_MAX)
		err_set(err, ERR_FULL, "frame over the limit of %d bytes", FRAME_MAX);
	else if (flags & MSG_CTRUNC)
		err_set(err, ERR_FULL,
			"descriptors of a frame were lost: more than %d, or too many open files",
			FRAME_MAX_FDS);
	else if (fds.n && !ret_fds)
		err_set(err, ERR_INVALID, "frame carries descriptors where none belong");
	else
		j = json_parse(buf, (size_t)n, "frame", err);
	if (j && !json_is_object(j)) {
		json_decref(j);
		j = NULL;
		err_set(err, ERR_INVALID, "frame is not a JSON object");
	}
	if (!j) {
		fds_done(&fds);
		return -1;
	}
	if (ret_fds)
		*ret_fds = fds;
	*ret = j;
	return 1;
}
