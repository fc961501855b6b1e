/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON objects as datagrams, with file descriptors, over an AF_UNIX SOCK_SEQPACKET pair: how
 * xenpodd talks with xenpod-watch and xenpod-act (src/proto/world.h lists the frames). The kernel
 * keeps message borders, so there is no length field to get wrong.
 */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

#define FRAME_MAX     (512 * 1024) /* a pod spec with long environments, with room to spare */
#define FRAME_MAX_FDS 64

/* Received descriptors, O_CLOEXEC; fds_done() closes what was not taken (set to -1). */
struct fds {
	int fd[FRAME_MAX_FDS];
	size_t n;
};
void fds_done(struct fds *fds);
#define _cleanup_fds_ __attribute__((cleanup(fds_done)))

/* A connected pair with buffers large enough for FRAME_MAX; both O_CLOEXEC, both blocking. */
int frame_pair(int ret[2], struct err *err);

/* Sends one frame; the fds stay the caller's. ERR_UNAVAILABLE when the other side has gone. */
int frame_send(int sock, const json_t *frame, const int *fds, size_t nfds, struct err *err);

/*
 * Receives one frame: 1 and *ret (caller decrefs), 0 at end of file, -1 with err set, or
 * FRAME_AGAIN when a non-blocking socket has none. `ret_fds` may be NULL: fds are then refused.
 */
#define FRAME_AGAIN 2
int frame_recv(int sock, json_t **ret, struct fds *ret_fds, struct err *err);

#endif
