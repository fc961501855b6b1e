/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vchan client: see session.h. In the order of a session's life: look for the ring, bind it,
 * carry frames, let go.
 */
#include "stage1/session.h"

#include <errno.h>
#include <libxenvchan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/uuid.h"
#include "proto/gstate.h"
#include "stage1/hook.h"

#define PATH_SIZE 96
/* At most this much is drained from a guest that still writes while we let go. */
#define DRAIN_MAX (4 * STREAM_RING_SIZE)
/* At most so many watch events in one turn: the guest owns one of the watched nodes. */
#define EVENTS_MAX 16
#define READS_MAX  16
/* The event that announces the next ring comes by itself; this is for faults that pass. */
#define BIND_RETRY_MS 500

struct session {
	char uuid[UUID_TEXT_SIZE];
	uint32_t domid;
	session_frame_fn on_frame;
	void *user;
	struct xs_handle *xs; /* for questions */
	/*
	 * A connection for each watch, and no question on it: the static libxenstore has no reader
	 * thread and takes an event that comes before an answer for a failed request (EINVAL).
	 */
	struct xs_handle *vm_watch;
	struct xs_handle *next_watch; /* NULL once a ring is bound */
	struct xentoollog_logger *logger;
	struct libxenvchan *chan; /* NULL: not bound (yet, or any more) */
	char next_path[PATH_SIZE];
	char vm_path[PATH_SIZE];
	bool bound_once;
	int64_t retry_at; /* 0: no bind has failed since the last event */
	bool paused;
	bool more; /* the last turn left bytes in the ring */
	uint8_t in[STREAM_HEADER_SIZE + STREAM_PAYLOAD_MAX];
	size_t in_len;
	uint8_t *out;
	size_t out_start;
	size_t out_end;
	size_t out_cap;
};

/* ---- made, freed -------------------------------------------------------------------------- */

static void unmap(struct session *s)
{
	if (s->chan)
		libxenvchan_close(s->chan);
	s->chan = NULL;
}

static void close_xs(struct xs_handle **xs)
{
	if (*xs)
		xs_close(*xs);
	*xs = NULL;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	unmap(s);
	close_xs(&s->vm_watch);
	close_xs(&s->next_watch);
	close_xs(&s->xs);
	if (s->logger)
		xtl_logger_destroy(s->logger);
	free(s->out);
	free(s);
}

static struct xs_handle *open_watch(const char *path, const char *token, struct err *err)
{
	struct xs_handle *xs = xs_open(0);
	if (xs && xs_watch(xs, path, token))
		return xs;
	err_sys(err, "watch %s", path);
	close_xs(&xs);
	return NULL;
}

/* Two watches: the guest's offer, and Dom-0's own node that goes with the domain. */
static int watch(struct session *s, struct err *err)
{
	s->xs = xs_open(0);
	if (!s->xs)
		return err_set(err, ERR_UNAVAILABLE,
			"xenstore does not answer: is this a Xen host with xenstored running?");
	s->vm_watch = open_watch(s->vm_path, "vm", err);
	s->next_watch = s->vm_watch ? open_watch(s->next_path, "next", err) : NULL;
	return s->next_watch ? 0 : -1;
}

/* HELLO in chunks: every one but the last says "more" in its stream field. */
static void queue_hello(struct session *s, json_t *hello)
{
	_cleanup_free_ char *text = json_text(hello);
	size_t left = strlen(text);
	const char *p = text;
	do {
		size_t n = left < STREAM_PAYLOAD_MAX ? left : STREAM_PAYLOAD_MAX;
		left -= n;
		const struct stream_header h = {STREAM_HELLO, left ? 1 : 0, 0, (uint32_t)n};
		session_send(s, &h, p);
		p += n;
	} while (left);
	json_decref(hello);
}

struct session *session_new(const char *uuid, uint32_t domid, json_t *hello,
	session_frame_fn on_frame, void *user, struct err *err)
{
	struct session *s = xcalloc(1, sizeof *s);
	s->domid = domid;
	s->on_frame = on_frame;
	s->user = user;
	snprintf(s->uuid, sizeof s->uuid, "%s", uuid);
	snprintf(s->next_path, PATH_SIZE, "/local/domain/%u/" GSTATE_DIR "/next", domid);
	snprintf(s->vm_path, PATH_SIZE, "/local/domain/%u/vm", domid);
	/* A ring that another client took first is ordinary: the libraries must not print it. */
	s->logger =
		(struct xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	queue_hello(s, hello);
	if (watch(s, err) < 0) {
		session_free(s);
		return NULL;
	}
	return s;
}

void session_poll(const struct session *s, struct pollfd ret[SESSION_POLLFDS])
{
	for (int i = 0; i < SESSION_POLLFDS; i++)
		ret[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	ret[0].fd = xs_fileno(s->vm_watch);
	if (s->next_watch)
		ret[1].fd = xs_fileno(s->next_watch);
	if (s->chan)
		ret[2].fd = libxenvchan_fd_for_select(s->chan);
}

bool session_mapped(const struct session *s)
{
	return s->chan != NULL;
}

void session_pause(struct session *s, bool on)
{
	s->paused = on;
}

/* ---- sending ------------------------------------------------------------------------------ */

static void out_append(struct session *s, const void *data, size_t len)
{
	if (s->out_cap - s->out_end < len) {
		size_t held = s->out_end - s->out_start;
		if (held)
			memmove(s->out, s->out + s->out_start, held);
		s->out_start = 0;
		s->out_end = held;
		s->out_cap = (held + len) * 2;
		s->out = xreallocarray(s->out, s->out_cap, 1);
	}
	if (len)
		memcpy(s->out + s->out_end, data, len);
	s->out_end += len;
}

void session_send(struct session *s, const struct stream_header *h, const void *data)
{
	uint8_t buf[STREAM_HEADER_SIZE];
	stream_header_put(h, buf);
	out_append(s, buf, sizeof buf);
	out_append(s, data, h->length);
}

size_t session_queued(const struct session *s)
{
	return s->out_end - s->out_start;
}

static int flush(struct session *s, struct err *err)
{
	while (session_queued(s)) {
		int n = libxenvchan_write(s->chan, s->out + s->out_start, session_queued(s));
		if (n < 0)
			return err_set(err, ERR_UNAVAILABLE, "the guest closed the session");
		if (n == 0)
			return 0;
		s->out_start += (size_t)n;
	}
	return 0;
}

/* ---- receiving ---------------------------------------------------------------------------- */

/* Gives whole frames in the buffer to the owner. */
static int deliver(struct session *s, struct err *err)
{
	size_t pos = 0;
	while (s->in_len - pos >= STREAM_HEADER_SIZE) {
		struct stream_header h;
		if (stream_header_get(s->in + pos, &h) < 0)
			return err_set(err, ERR_INVALID,
				"the guest sent bytes that are no frame of the stream protocol");
		if (s->in_len - pos < STREAM_HEADER_SIZE + h.length)
			break;
		s->on_frame(s->user, &h, s->in + pos + STREAM_HEADER_SIZE);
		pos += STREAM_HEADER_SIZE + h.length;
	}
	s->in_len -= pos;
	memmove(s->in, s->in + pos, s->in_len);
	return 0;
}

/* 1 something was read, 0 the ring is empty, -1 closed or fault. */
static int read_some(struct session *s, struct err *err)
{
	int n = libxenvchan_read(s->chan, s->in + s->in_len, sizeof s->in - s->in_len);
	if (n < 0)
		return err_set(err, ERR_UNAVAILABLE, "the guest closed the session");
	if (n == 0)
		return 0;
	s->in_len += (size_t)n;
	return deliver(s, err) < 0 ? -1 : 1;
}

/* A guest that writes without end must not keep the owner from its signals: a bounded share. */
static int receive(struct session *s, struct err *err)
{
	s->more = false;
	for (int i = 0; i < READS_MAX && !s->paused; i++) {
		int r = read_some(s, err);
		if (r <= 0)
			return r;
	}
	s->more = !s->paused;
	return 0;
}

/* ---- looking for the ring, binding it ----------------------------------------------------- */

/* A domid is never an identity: is the domain still there, and still this pod? */
static bool domain_is_ours(const struct session *s)
{
	char want[UUID_TEXT_SIZE + 8];
	unsigned len = 0;
	snprintf(want, sizeof want, "/vm/%s", s->uuid);
	_cleanup_free_ char *vm = xs_read(s->xs, XBT_NULL, s->vm_path, &len);
	if (!vm)
		return errno != ENOENT; /* a xenstore in trouble is no proof of death */
	return len == strlen(want) && !memcmp(vm, want, len);
}

/* Binding the event channel is the claim: who comes second gets NULL and waits for the next ring.
 */
static void try_bind(struct session *s)
{
	unsigned len = 0;
	uint32_t n;
	_cleanup_free_ char *value = xs_read(s->xs, XBT_NULL, s->next_path, &len);
	if (!value || gstate_parse_next(value, len, &n) < 0)
		return;
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "/local/domain/%u/" GSTATE_RING_FMT, s->domid, n);
	s->chan = libxenvchan_client_init(s->logger, (int)s->domid, path);
	s->retry_at = s->chan ? 0 : clock_ms() + BIND_RETRY_MS;
	if (!s->chan)
		return;
	s->chan->blocking = 0;
	s->bound_once = true;
	close_xs(&s->next_watch);
}

static bool had_events(struct xs_handle *xs)
{
	bool any = false;
	for (int i = 0; xs && i < EVENTS_MAX; i++) {
		char **event = xs_check_watch(xs);
		if (!event)
			break;
		free(event);
		any = true;
	}
	return any;
}

static enum session_result closed(struct session *s, struct err *err)
{
	session_let_go(s);
	if (domain_is_ours(s))
		return SESSION_CLOSED;
	err_set(err, ERR_NOTFOUND, "the domain is gone");
	return SESSION_GONE;
}

static enum session_result gone(struct session *s, struct err *err)
{
	session_let_go(s);
	err_set(err, ERR_NOTFOUND, "the domain is gone");
	return SESSION_GONE;
}

/* 0, or -1: the domain is not, or no longer, the pod. */
static int look_for_ring(struct session *s)
{
	bool retry = s->retry_at && clock_ms() >= s->retry_at;
	bool domain_changed = had_events(s->vm_watch);
	if (!had_events(s->next_watch) && !domain_changed && !retry)
		return 0;
	if (!domain_is_ours(s))
		return -1;
	if (s->bound_once)
		return 0;
	try_bind(s);
	/* Again: between look and bind the domid may have changed its owner. */
	return s->chan && !domain_is_ours(s) ? -1 : 0;
}

static int device_check(struct err *err)
{
	if (access("/dev/xen/gntdev", R_OK | W_OK) == 0)
		return 0;
	return err_sys(err, "/dev/xen/gntdev (module xen-gntdev)");
}

int session_wait_ms(const struct session *s)
{
	int64_t left = s->retry_at - clock_ms();
	if (s->chan)
		return s->more ? 0 : -1;
	if (!s->retry_at)
		return -1;
	return left > 0 ? (int)left : 0;
}

static bool event_pending(const struct session *s)
{
	struct pollfd p = {.fd = libxenvchan_fd_for_select(s->chan), .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

enum session_result session_turn(struct session *s, struct err *err)
{
	if (look_for_ring(s) < 0)
		return gone(s, err);
	if (!s->chan)
		return s->retry_at && device_check(err) < 0 ? SESSION_CLOSED : SESSION_GOES_ON;
	if (event_pending(s))
		libxenvchan_wait(s->chan); /* consumes the event; does not wait now */
	/* Again: a frame that was received may have been answered. */
	if (flush(s, err) < 0 || receive(s, err) < 0 || flush(s, err) < 0)
		return closed(s, err);
	return SESSION_GOES_ON;
}

/* ---- letting go --------------------------------------------------------------------------- */

void session_let_go(struct session *s)
{
	size_t budget = DRAIN_MAX;
	while (s->chan) {
		size_t before = s->in_len;
		int n = libxenvchan_read(s->chan, s->in + before, sizeof s->in - before);
		if (n <= 0 || (size_t)n > budget)
			break;
		budget -= (size_t)n;
		s->in_len += (size_t)n;
		if (deliver(s, NULL) < 0)
			break;
	}
	unmap(s);
}
