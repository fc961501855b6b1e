/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An output of the hook that never blocks it: what the reader does not take waits in memory. A hook
 * blocked in write(2) could not unmap its ring, and its ring keeps a dead domain alive (design,
 * "Bytes both ways").
 */
#ifndef STAGE1_SINK_H
#define STAGE1_SINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct sink {
	int fd;      /* what is written to */
	int own_fd;  /* our own description of it, non-blocking; -1 when it has none */
	bool socket; /* send(2) with MSG_DONTWAIT instead */
	bool broken; /* the reader is gone: everything is dropped */
	char *data;
	size_t start;
	size_t end;
	size_t cap;
};

void sink_open(struct sink *s, int fd);
void sink_done(struct sink *s);

/* Keeps a copy and writes what can be written now. */
void sink_put(struct sink *s, const void *data, size_t len);
void sink_flush(struct sink *s);
/* Bytes that wait. */
size_t sink_pending(const struct sink *s);
/* What to poll for so that they can be written. */
struct pollfd sink_poll(const struct sink *s);

#endif
