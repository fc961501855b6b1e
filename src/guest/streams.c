/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "streams" kind of session: the output of all apps to one client, their stdin from it, and
 * the apps' and the pod's end. What a client sees is derived from the apps' buffers and from what
 * it was told already, so nothing is queued here and a later client starts where the last stopped.
 */
#include "guest/session.h"

#include "guest/appio.h"
#include "guest/terminal.h"
#include "guest/unread.h"

static void send_numbers(struct session *s, enum stream_type type, const struct app *app,
	uint32_t first, uint32_t second)
{
	uint8_t payload[8];
	struct stream_header h = {.type = type, .length = type == STREAM_APP ? 8 : 4};
	if (app)
		h.app = (uint16_t)app->index;
	stream_put_u32(payload, first);
	stream_put_u32(payload + 4, second);
	session_send(s, &h, payload);
}

static int streams_start(struct session *s, const json_t *hello, struct err *err)
{
	(void)hello;
	struct pod *pod = s->pod;
	if (pod->streams)
		return err_set(err, ERR_EXISTS, "another client has the streams");
	pod->streams = s;
	unread_end(pod);
	for (size_t i = 0; i < pod->n_apps; i++) {
		pod->apps[i].told_eof[0] = false;
		pod->apps[i].told_eof[1] = false;
		pod->apps[i].told_end = false;
		input_new_client(&pod->apps[i].in, STREAM_CREDIT);
	}
	return 0;
}

static int app_signal(
	struct app *app, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	uint32_t signo = h->length == 4 ? stream_get_u32(payload) : 0;
	if (signo < 1 || signo > 64)
		return err_set(err, ERR_INVALID, "SIGNAL with no signal number");
	child_signal(&app->child, (int)signo);
	return 0;
}

static int app_winch(
	struct app *app, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	if (!app->spec->tty || h->length != 4)
		return err_set(err, ERR_INVALID, "WINCH for app %s, which has no terminal",
			app->spec->name);
	if (app->in.buf && app->in.fd >= 0)
		terminal_resize_frame(app->in.fd, payload);
	return 0;
}

static int app_stdin(
	struct app *app, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	if (h->stream != STREAM_STDIN || !app_has_stdin(app))
		return err_set(err, ERR_INVALID, "app %s has no such input", app->spec->name);
	if (!app->in.buf) /* it could not be started: its end is told, nothing takes this */
		return 0;
	if (h->type == STREAM_DATA)
		return input_put(&app->in, payload, h->length, err);
	input_end(&app->in);
	return 0;
}

static int app_frame(
	struct app *app, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	switch (h->type) {
	case STREAM_SIGNAL:
		return app_signal(app, h, payload, err);
	case STREAM_WINCH:
		return app_winch(app, h, payload, err);
	case STREAM_DATA:
	case STREAM_EOF:
		return app_stdin(app, h, payload, err);
	default:
		return err_set(
			err, ERR_INVALID, "a frame of type %d, which is not a client's", h->type);
	}
}

static int streams_frame(
	struct session *s, const struct stream_header *h, const uint8_t *payload, struct err *err)
{
	if (h->app >= s->pod->n_apps)
		return err_set(err, ERR_NOTFOUND, "app number %u of %zu", h->app, s->pod->n_apps);
	return app_frame(&s->pod->apps[h->app], h, payload, err);
}

/* How much of this stream was thrown away before what comes next. False: no room, as below. */
static bool pump_lost(struct session *s, struct app *app, unsigned k)
{
	struct output *out = &app->out[k];
	uint32_t n = out->lost < UINT32_MAX ? (uint32_t)out->lost : UINT32_MAX;
	uint8_t payload[4];
	const struct stream_header h = {
		STREAM_LOST, (uint8_t)(STREAM_STDOUT + k), (uint16_t)app->index, sizeof(payload)};
	if (!n)
		return true;
	if (!session_room(s, sizeof(payload)))
		return false;
	stream_put_u32(payload, n);
	session_send(s, &h, payload);
	out->lost -= n;
	return true;
}

static bool pump_data(struct session *s, struct app *app, unsigned k)
{
	struct output *out = &app->out[k];
	const uint8_t *data = NULL;
	size_t len = output_peek(out, &data);
	if (len > STREAM_PAYLOAD_MAX)
		len = STREAM_PAYLOAD_MAX;
	const struct stream_header h = {
		STREAM_DATA, (uint8_t)(STREAM_STDOUT + k), (uint16_t)app->index, (uint32_t)len};
	if (!session_room(s, len))
		return false;
	session_send(s, &h, data);
	output_consume(out, len);
	s->pod->sent += len;
	return true;
}

/* False: no room, the rest has to wait. */
static bool pump_output(struct session *s, struct app *app, unsigned k)
{
	const struct output *out = &app->out[k];
	const struct stream_header eof = {
		STREAM_EOF, (uint8_t)(STREAM_STDOUT + k), (uint16_t)app->index, 0};
	if (app->told_eof[k] || (!out->buf && app_has_output(app, k) && !app_ended(app)))
		return true;
	if (!pump_lost(s, app, k))
		return false;
	if (out->len)
		return pump_data(s, app, k);
	/* One that never got its pipes, or has /dev/null, has ended as well. */
	if (out->buf && !out->eof)
		return true;
	if (!session_room(s, 0))
		return false;
	session_send(s, &eof, NULL);
	app->told_eof[k] = true;
	return true;
}

static bool pump_input(struct session *s, struct app *app)
{
	uint8_t payload[4];
	struct stream_header h = {.type = STREAM_ACK, .app = (uint16_t)app->index, .length = 4};
	if (!app->in.taken)
		return true;
	if (!session_room(s, sizeof(payload)))
		return false;
	stream_put_u32(payload, (uint32_t)app->in.taken);
	app->in.taken = 0;
	session_send(s, &h, payload);
	return true;
}

static bool pump_end(struct session *s, struct app *app)
{
	if (app->told_end || !app_ended(app))
		return true;
	if (!session_room(s, 8))
		return false;
	send_numbers(s, STREAM_APP, app, (uint32_t)app->kind, (uint32_t)app->code);
	app->told_end = true;
	return true;
}

static bool all_told(const struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		const struct app *app = &pod->apps[i];
		if (!app->told_end || !app->told_eof[0] || !app->told_eof[1])
			return false;
	}
	return true;
}

static void streams_pump(struct session *s)
{
	struct pod *pod = s->pod;
	for (size_t i = 0; i < pod->n_apps; i++) {
		/* Another one goes first each time, so that a talkative app delays no other. */
		struct app *app = &pod->apps[(i + pod->turn) % pod->n_apps];
		if (!pump_input(s, app) || !pump_end(s, app) || !pump_output(s, app, 0) ||
			!pump_output(s, app, 1))
			break;
	}
	pod->turn++;
	if (pod->phase >= POD_DRAINING && all_told(pod) && session_room(s, 4)) {
		send_numbers(s, STREAM_END, NULL, (uint32_t)pod->code, 0);
		session_finish(s);
	}
}

static void streams_finished(struct session *s)
{
	pod_streams_changed(s->pod);
}

static void streams_end(struct session *s)
{
	s->pod->streams = NULL;
	unread_begin(s->pod);
	pod_streams_changed(s->pod);
}

const struct session_kind streams_kind = {
	.name = "streams",
	.start = streams_start,
	.frame = streams_frame,
	.pump = streams_pump,
	.finished = streams_finished,
	.end = streams_end,
};
