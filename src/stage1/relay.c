/* SPDX-License-Identifier: Apache-2.0 */
/* Output of the pod: see relay.h. The guest is hostile: unknown and misplaced frames are dropped.
 */
#include "stage1/relay.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "stage1/tty.h"

void relay_open(struct relay *r)
{
	*r = (struct relay){.kind = GSTATE_EXITED};
	sink_open(&r->out, STDOUT_FILENO);
	sink_open(&r->err, STDERR_FILENO);
}

static struct relay *log_relay;

static void log_sink(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	(void)level;
	(void)fields;
	(void)n;
	const char *end = tty_is_raw() && isatty(STDERR_FILENO) ? "\r\n" : "\n";
	_cleanup_free_ char *line = xasprintf("stage1: %s%s", msg, end);
	sink_put(&log_relay->err, line, strlen(line));
}

void relay_log_through(struct relay *r)
{
	log_relay = r;
	log_set_sink(r ? log_sink : log_stderr_sink);
}

void relay_done(struct relay *r)
{
	if (log_relay == r)
		relay_log_through(NULL);
	sink_done(&r->out);
	sink_done(&r->err);
}

/* The message goes to a terminal: control characters of a guest must not. */
static void keep_message(struct relay *r, const uint8_t *data, size_t len)
{
	_cleanup_json_ json_t *j = json_parse((const char *)data, len, "message", NULL);
	const char *text = json_str_opt(j, "message", "no reason given");
	snprintf(r->refused, sizeof r->refused, "%s", text);
	for (char *p = r->refused; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	r->ended = true;
}

static void data_frame(struct relay *r, const struct stream_header *h, const uint8_t *data)
{
	if (h->stream == STREAM_STDOUT && !r->skip_out)
		sink_put(&r->out, data, h->length);
	if (h->stream == STREAM_STDERR && !r->skip_err)
		sink_put(&r->err, data, h->length);
}

static void exit_frame(struct relay *r, const uint8_t *data)
{
	uint32_t kind = stream_get_u32(data);
	uint32_t code = stream_get_u32(data + 4);
	r->kind = kind == GSTATE_KILLED ? GSTATE_KILLED : GSTATE_EXITED;
	r->code = (int)(code & 0xff);
	r->ended = true;
}

void relay_frame(void *user, const struct stream_header *h, const uint8_t *data)
{
	struct relay *r = user;
	if (r->ended)
		return;
	if (h->type == STREAM_WELCOME)
		r->welcome = true;
	else if (h->type == STREAM_ERROR)
		keep_message(r, data, h->length);
	else if (h->type == STREAM_DATA)
		data_frame(r, h, data);
	else if (h->type == STREAM_EXIT && h->length == 8)
		exit_frame(r, data);
	else if (h->type == STREAM_END && h->length == 4) {
		r->code = (int)(stream_get_u32(data) & 0xff);
		r->ended = true;
	}
}

void relay_flush(struct relay *r)
{
	sink_flush(&r->out);
	sink_flush(&r->err);
}

bool relay_waiting(const struct relay *r)
{
	return sink_pending(&r->out) || sink_pending(&r->err);
}

bool relay_full(const struct relay *r)
{
	return sink_pending(&r->out) > RELAY_WAITING_MAX ||
	       sink_pending(&r->err) > RELAY_WAITING_MAX;
}
