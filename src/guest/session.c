/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: see session.h. Offer, accept, read, write, end: in this order below. */
#include "guest/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxenvchan.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "guest/unread.h"
#include "proto/gstate.h"

#define HELLO_MS  10000 /* from binding the ring to a whole HELLO; TCG hosts are slow */
#define LINGER_MS 3000  /* for a client to read the last frames */
#define RETRY_MS  1000  /* no ring could be made: gntalloc or xenstore refused */
/* A few beyond the limit get a ring, to be told that they are too many. */
#define RINGS_MAX (STREAM_MAX_SESSIONS + 2)
#define READ_TURN (4UL * SESSION_FRAME_MAX) /* bytes, so that no client starves the others */

/* One xenstore and one gntalloc per guest, so one set of sessions. */
static struct {
	struct pod *pod;
	struct session *list;
	size_t n; /* in `list`, the offered one included */
	uint32_t next_ring;
	struct loop_timer retry;
} sessions;

static void session_event(struct loop_watch *w, uint32_t events);
static void session_deadline(struct loop_timer *t);
static void session_again(struct loop_timer *t);
static void session_read(struct session *s);
static void session_fail(struct session *s, const struct err *err);
static void session_die(struct session *s);

/* ---- offer ----------------------------------------------------------------------------------- */

static bool is_offered(void)
{
	return sessions.list && sessions.list->phase == SESSION_OFFERED;
}

static struct libxenvchan *ring_make(uint32_t ring)
{
	char path[64];
	snprintf(path, sizeof(path), GSTATE_RING_FMT, ring);
	struct libxenvchan *chan =
		libxenvchan_server_init(NULL, 0, path, STREAM_RING_SIZE, STREAM_RING_SIZE);
	if (chan)
		chan->blocking = 0;
	return chan;
}

static void offer(void)
{
	struct pod *pod = sessions.pod;
	if (is_offered() || sessions.n >= RINGS_MAX)
		return;
	struct libxenvchan *chan = ring_make(sessions.next_ring);
	if (!chan) {
		log_err("no ring could be offered: trying again in %d ms", RETRY_MS);
		loop_timer_set(pod->loop, &sessions.retry, RETRY_MS);
		return;
	}
	struct session *s = xcalloc(1, sizeof(*s));
	s->pod = pod;
	s->ring = sessions.next_ring++;
	s->chan = chan;
	s->watch.fn = session_event;
	s->timer.fn = session_deadline;
	s->again.fn = session_again;
	loop_watch_init(pod->loop, &s->watch, libxenvchan_fd_for_select(chan));
	loop_watch_set(&s->watch, EPOLLIN);
	s->next = sessions.list;
	sessions.list = s;
	sessions.n++;
	state_next(pod->state, s->ring);
}

static void offer_again(struct loop_timer *t)
{
	(void)t;
	offer();
}

void sessions_start(struct pod *pod)
{
	sessions.pod = pod;
	sessions.retry.fn = offer_again;
	unread_begin(pod);
	offer();
}

/* ---- events of one ring ---------------------------------------------------------------------- */

static void session_accept(struct session *s)
{
	_cleanup_err_ struct err err = {0};
	s->phase = SESSION_HELLO;
	loop_timer_set(s->pod->loop, &s->timer, HELLO_MS);
	if (sessions.n > STREAM_MAX_SESSIONS) {
		err_set(&err, ERR_FULL, "%d sessions are open already, which is the limit",
			STREAM_MAX_SESSIONS);
		session_fail(s, &err);
	}
	offer();
}

static void session_event(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct session *s = container_of(w, struct session, watch);
	libxenvchan_wait(s->chan); /* takes the event; does not wait, there is one */
	int open = libxenvchan_is_open(s->chan);
	if (s->phase == SESSION_OFFERED && open == 2)
		return;
	if (s->phase == SESSION_OFFERED)
		session_accept(s);
	session_read(s);
	session_kick(s);
}

static void session_deadline(struct loop_timer *t)
{
	struct session *s = container_of(t, struct session, timer);
	if (s->phase != SESSION_DEAD) {
		session_die(s);
		return;
	}
	struct session **at = &sessions.list;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	sessions.n--;
	free(s);
	offer();
}

static void session_again(struct loop_timer *t)
{
	struct session *s = container_of(t, struct session, again);
	session_read(s);
	session_kick(s);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int hello_check(const struct podspec *spec, const json_t *hello, struct err *err)
{
	int64_t version = 0;
	int64_t generation = 0;
	const char *uuid = NULL;
	if (json_get_int(hello, "version", &version, err) < 0 ||
		json_get_str(hello, "uuid", &uuid, err) < 0 ||
		json_get_int(hello, "generation", &generation, err) < 0)
		return -1;
	if (version != STREAM_VERSION)
		return err_set(err, ERR_UNSUPPORTED, "version %lld is not known, %d is",
			(long long)version, STREAM_VERSION);
	if (strcmp(uuid, spec->uuid) != 0 || generation != spec->generation)
		return err_set(err, ERR_INVALID, "this is pod %s, generation %lld, not %.36s, %lld",
			spec->uuid, (long long)spec->generation, uuid, (long long)generation);
	return 0;
}

static void send_welcome(struct session *s)
{
	_cleanup_json_ json_t *names = json_array();
	for (size_t i = 0; i < s->pod->n_apps; i++)
		json_array_append_new(names, json_string(s->pod->apps[i].spec->name));
	_cleanup_json_ json_t *j = json_make("{s:i,s:O}", "version", STREAM_VERSION, "apps", names);
	_cleanup_free_ char *text = json_text(j);
	struct stream_header h = {.type = STREAM_WELCOME, .length = (uint32_t)strlen(text)};
	session_send(s, &h, text);
}

static int hello_start(struct session *s, const json_t *hello, struct err *err)
{
	static const struct session_kind *const kinds[] = {&streams_kind, &enter_kind};
	const char *name = NULL;
	if (!json_is_object(hello))
		return err_set(err, ERR_INVALID, "HELLO must be a JSON object");
	if (hello_check(s->pod->spec, hello, err) < 0 ||
		json_get_str(hello, "kind", &name, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i]->name, name) != 0)
			continue;
		if (kinds[i]->start(s, hello, err) < 0)
			return -1;
		s->kind = kinds[i];
		s->phase = SESSION_ACTIVE;
		send_welcome(s);
		loop_timer_stop(&s->timer);
		return 0;
	}
	return err_set(err, ERR_UNSUPPORTED, "kind \"%.20s\" is not known", name);
}

static int hello_frame(
	struct session *s, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	if (h->type != STREAM_HELLO)
		return err_set(err, ERR_INVALID, "the first frame must be HELLO");
	if (s->hello_len + h->length > STREAM_HELLO_MAX)
		return err_set(err, ERR_FULL, "HELLO is larger than %d bytes", STREAM_HELLO_MAX);
	s->hello = xreallocarray(s->hello, s->hello_len + h->length + 1, 1);
	memcpy(s->hello + s->hello_len, payload, h->length);
	s->hello_len += h->length;
	if (h->stream)
		return 0; /* more of it comes */
	_cleanup_json_ json_t *hello = json_parse(s->hello, s->hello_len, "HELLO", err);
	return hello ? hello_start(s, hello, err) : -1;
}

static int frame_dispatch(struct session *s, const struct stream_header *h, struct err *err)
{
	const uint8_t *payload = s->rx + STREAM_HEADER_SIZE;
	if (s->phase == SESSION_HELLO)
		return hello_frame(s, h, payload, err);
	if (s->phase != SESSION_ACTIVE)
		return 0; /* the client did not know yet that we have ended */
	if (h->type == STREAM_HELLO)
		return err_set(err, ERR_INVALID, "a second HELLO");
	return s->kind->frame(s, h, payload, err);
}

/* How many bytes the frame that begins in rx has in all, as far as that is known; 0: nonsense. */
static size_t frame_size(const struct session *s, struct stream_header *h)
{
	if (s->rx_len < STREAM_HEADER_SIZE)
		return STREAM_HEADER_SIZE;
	if (stream_header_get(s->rx, h) < 0)
		return 0;
	return STREAM_HEADER_SIZE + h->length;
}

/* One read, up to the end of a header or of a frame: bytes, 0: nothing now, -1: closed. */
static int session_read_some(struct session *s, struct err *err)
{
	struct stream_header h = {0};
	size_t want = frame_size(s, &h);
	int n = libxenvchan_read(s->chan, s->rx + s->rx_len, want - s->rx_len);
	if (n <= 0) {
		if (n < 0)
			session_die(s);
		return n;
	}
	s->rx_len += (size_t)n;
	if (s->rx_len < STREAM_HEADER_SIZE)
		return n;
	want = frame_size(s, &h);
	if (want == 0)
		return err_set(err, ERR_INVALID, "a frame with a header that is not one");
	if (s->rx_len < want)
		return n;
	s->rx_len = 0;
	return frame_dispatch(s, &h, err) < 0 ? -1 : n;
}

static void session_read(struct session *s)
{
	_cleanup_err_ struct err err = {0};
	size_t taken = 0;
	while (s->phase != SESSION_DEAD && s->phase != SESSION_OFFERED) {
		int n = session_read_some(s, &err);
		if (n < 0 && s->phase != SESSION_DEAD)
			session_fail(s, &err);
		if (n <= 0)
			return;
		taken += (size_t)n;
		if (taken >= READ_TURN) {
			loop_timer_set(s->pod->loop, &s->again, 0);
			return;
		}
	}
}

/* ---- writing --------------------------------------------------------------------------------- */

bool session_room(const struct session *s, size_t payload)
{
	return sizeof(s->tx) - s->tx_len >= STREAM_HEADER_SIZE + payload;
}

void session_send(struct session *s, const struct stream_header *h, const void *payload)
{
	if (!session_room(s, h->length))
		abort(); /* a programmer's error: every sender asks first */
	stream_header_put(h, s->tx + s->tx_len);
	if (h->length)
		memcpy(s->tx + s->tx_len + STREAM_HEADER_SIZE, payload, h->length);
	s->tx_len += STREAM_HEADER_SIZE + h->length;
}

size_t session_unsent(const struct session *s)
{
	size_t n = 0;
	for (size_t at = 0; at < s->tx_len;) {
		struct stream_header h = {0};
		(void)stream_header_get(s->tx + at, &h); /* our own */
		size_t begin = at + STREAM_HEADER_SIZE;
		at = begin + h.length;
		if (begin < s->tx_off)
			begin = s->tx_off;
		if (h.type == STREAM_DATA && begin < at)
			n += at - begin;
	}
	return n;
}

/* Gives the ring what it takes. True: all of it. A short write has the library ask for an event. */
static bool session_flush(struct session *s)
{
	while (s->tx_off < s->tx_len) {
		int n = libxenvchan_write(s->chan, s->tx + s->tx_off, s->tx_len - s->tx_off);
		if (n < 0)
			session_die(s);
		if (n <= 0)
			return false;
		s->tx_off += (size_t)n;
	}
	s->tx_off = 0;
	s->tx_len = 0;
	return true;
}

static void session_linger(struct session *s)
{
	s->phase = SESSION_LINGERING;
	loop_timer_set(s->pod->loop, &s->timer, LINGER_MS);
	if (s->kind && s->kind->finished)
		s->kind->finished(s);
}

void session_kick(struct session *s)
{
	while (s->phase == SESSION_HELLO || s->phase == SESSION_ACTIVE ||
		s->phase == SESSION_FINISHING) {
		if (s->phase == SESSION_ACTIVE)
			s->kind->pump(s);
		if (s->tx_len == 0 || !session_flush(s))
			break;
	}
	if (s->phase == SESSION_FINISHING && s->tx_len == 0)
		session_linger(s);
}

void session_finish(struct session *s)
{
	if (s->phase < SESSION_FINISHING)
		s->phase = SESSION_FINISHING;
}

bool session_finished(const struct session *s)
{
	return s->phase >= SESSION_LINGERING;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void kind_end(struct session *s)
{
	const struct session_kind *kind = s->kind;
	s->kind = NULL;
	if (kind)
		kind->end(s);
}

/* Tells the client why, as far as there is room, and lets it read that. */
static void session_fail(struct session *s, const struct err *err)
{
	_cleanup_json_ json_t *j = json_make("{s:s}", "message", err_msg(err));
	_cleanup_free_ char *text = json_text(j);
	struct stream_header h = {.type = STREAM_ERROR, .length = (uint32_t)strlen(text)};
	if (s->phase >= SESSION_FINISHING)
		return;
	log_debug("session %u ends: %s", s->ring, err_msg(err));
	kind_end(s);
	if (h.length <= STREAM_PAYLOAD_MAX && session_room(s, h.length))
		session_send(s, &h, text);
	s->phase = SESSION_FINISHING;
	/* A client that does not read is not waited for. */
	loop_timer_set(s->pod->loop, &s->timer, LINGER_MS);
	session_kick(s);
}

static void session_die(struct session *s)
{
	if (s->phase == SESSION_DEAD)
		return;
	s->phase = SESSION_DEAD;
	kind_end(s);
	loop_watch_set(&s->watch, 0);
	loop_timer_stop(&s->again);
	libxenvchan_close(s->chan);
	state_forget_ring(s->pod->state, s->ring);
	free(s->hello);
	s->hello = NULL;
	/* Callers up the stack still look at it. */
	loop_timer_set(s->pod->loop, &s->timer, 0);
}
