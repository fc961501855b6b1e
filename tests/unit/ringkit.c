/* SPDX-License-Identifier: Apache-2.0 */
/* Rings in memory: see ringkit.h. */
#include "ringkit.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proto/stream.h"

struct ringkit *ringkit_ring;

static struct libxenvchan *ring_new(int open)
{
	struct ringkit *r = xcalloc(1, sizeof(*r));
	r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->open = open;
	r->space = STREAM_RING_SIZE;
	ringkit_ring = r;
	return &r->chan;
}

static struct ringkit *ring_of(struct libxenvchan *chan)
{
	return (struct ringkit *)(void *)chan;
}

void ringkit_kick(struct ringkit *r)
{
	eventfd_write(r->event, 1);
}

void ringkit_put(struct ringkit *r, const void *data, size_t len)
{
	r->open = 1;
	r->in = data;
	r->in_len = len;
	ringkit_kick(r);
}

void ringkit_take(struct ringkit *r, size_t len)
{
	r->out_len -= len;
	if (r->out_len)
		memmove(r->out, r->out + len, r->out_len);
	ringkit_kick(r);
}

void ringkit_hang_up(struct ringkit *r)
{
	r->open = 0;
	r->in_len = 0;
	ringkit_kick(r);
}

/* ---- libxenvchan ------------------------------------------------------------------------------ */

struct libxenvchan *libxenvchan_server_init(struct xentoollog_logger *logger, int domain,
	const char *xs_path, size_t read_min, size_t write_min)
{
	(void)logger;
	(void)domain;
	(void)xs_path;
	(void)read_min;
	(void)write_min;
	return ring_new(2);
}

struct libxenvchan *libxenvchan_client_init(
	struct xentoollog_logger *logger, int domain, const char *xs_path)
{
	(void)logger;
	(void)domain;
	(void)xs_path;
	return ring_new(1);
}

void libxenvchan_close(struct libxenvchan *chan)
{
	struct ringkit *r = ring_of(chan);
	if (ringkit_ring == r)
		ringkit_ring = NULL;
	close(r->event);
	free(r->out);
	free(r);
}

int libxenvchan_read(struct libxenvchan *chan, void *data, size_t size)
{
	struct ringkit *r = ring_of(chan);
	size_t n = size < r->in_len ? size : r->in_len;
	if (!n)
		return r->open ? 0 : -1;
	memcpy(data, r->in, n);
	r->in += n;
	r->in_len -= n;
	return (int)n;
}

int libxenvchan_write(struct libxenvchan *chan, const void *data, size_t size)
{
	struct ringkit *r = ring_of(chan);
	size_t room = r->space > r->out_len ? r->space - r->out_len : 0;
	size_t n = size < room ? size : room;
	if (!r->open)
		return -1;
	if (!n)
		return 0;
	if (r->out_len + n > r->out_cap) {
		r->out_cap = 2 * (r->out_len + n);
		r->out = xreallocarray(r->out, r->out_cap, 1);
	}
	memcpy(r->out + r->out_len, data, n);
	r->out_len += n;
	return (int)n;
}

int libxenvchan_wait(struct libxenvchan *chan)
{
	eventfd_t n;
	return eventfd_read(ring_of(chan)->event, &n);
}

int libxenvchan_fd_for_select(struct libxenvchan *chan)
{
	return ring_of(chan)->event;
}

int libxenvchan_is_open(struct libxenvchan *chan)
{
	return ring_of(chan)->open;
}
