/* SPDX-License-Identifier: Apache-2.0 */
/* Output as journal entries: see applog.h. */
#include "stage1/applog.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/journal.h"
#include "base/json.h"
#include "base/log.h"

#define PRIORITY_DEFAULT '6' /* LOG_INFO: systemd.exec(5) SyslogLevel=, for both streams */

void applog_open(struct applog *log, const char *socket, const char *uuid, const json_t *apps)
{
	*log = (struct applog){.path = socket, .uuid = uuid, .fd = journal_connect(socket)};
	if (log->fd < 0)
		log_debug("no journal at %s: the apps' output does not go there", socket);
	log->n_apps = json_array_size(apps);
	log->apps = xcalloc(log->n_apps + 1, sizeof *log->apps);
	for (size_t i = 0; i < log->n_apps; i++) {
		const json_t *app = json_array_get(apps, i);
		log->apps[i].name = xstrdup(json_str_opt(app, "name", ""));
		/* A terminal's output is a picture, drawn with control sequences. */
		log->apps[i].silent = json_bool_opt(app, "tty", false);
	}
}

/* "<N>" in front, sd-daemon(3). Its length, 0: there is none. */
static size_t parse_priority(const char *line, size_t len, char *ret)
{
	size_t i = 1;
	unsigned value = 0;
	if (len < 3 || line[0] != '<')
		return 0;
	/* As journald: up to three digits, and no facility in them. */
	for (; i < len && i < 4 && line[i] >= '0' && line[i] <= '9'; i++)
		value = value * 10 + (unsigned)(line[i] - '0');
	if (i == 1 || i == len || line[i] != '>' || value > 7)
		return 0;
	*ret = (char)('0' + value);
	return i + 1;
}

static void send_line(struct applog *log, size_t app, int k)
{
	struct applog_line *l = &log->apps[app].line[k];
	const char *name = log->apps[app].name;
	const char *stream = k ? "stderr" : "stdout";
	size_t skip = 0;
	if (!l->continued) {
		l->priority = PRIORITY_DEFAULT;
		skip = parse_priority(l->buf, l->len, &l->priority);
	}
	const struct journal_field fields[] = {
		{"MESSAGE", l->buf + skip, l->len - skip},
		{"PRIORITY", &l->priority, 1},
		{"SYSLOG_IDENTIFIER", name, strlen(name)},
		{"XENPOD_UUID", log->uuid, strlen(log->uuid)},
		{"XENPOD_APP", name, strlen(name)},
		{"XENPOD_STREAM", stream, strlen(stream)},
	};
	/* An empty line says nothing, as in journald. */
	if (l->len > skip && !journal_send(log->fd, log->path, fields, ARRAY_SIZE(fields)) &&
		(!log->instead || !log->instead(log->user, k, l->buf, l->len)))
		log->dropped++;
	l->len = 0;
}

/* The stream's last line may lack its end. */
static void end_line(struct applog *log, size_t app, int k)
{
	struct applog_line *l = &log->apps[app].line[k];
	if (l->len)
		send_line(log, app, k);
	l->continued = false;
}

static void put(struct applog *log, size_t app, int k, const char *data, size_t len)
{
	struct applog_line *l = &log->apps[app].line[k];
	if (!l->buf)
		l->buf = xmalloc(APPLOG_LINE_MAX);
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;
		size_t room = APPLOG_LINE_MAX - l->len;
		if (n > room) {
			n = room;
			end = NULL;
		}
		memcpy(l->buf + l->len, data, n);
		l->len += n;
		n += end ? 1 : 0;
		data += n;
		len -= n;
		if (end) {
			end_line(log, app, k);
		} else if (l->len == APPLOG_LINE_MAX) {
			send_line(log, app, k);
			l->continued = true;
		}
	}
}

void applog_frame(struct applog *log, const struct stream_header *h, const uint8_t *data)
{
	if (log->fd < 0 || h->app >= log->n_apps || log->apps[h->app].silent ||
		(h->stream != STREAM_STDOUT && h->stream != STREAM_STDERR))
		return;
	if (h->type == STREAM_DATA)
		put(log, h->app, h->stream - STREAM_STDOUT, (const char *)data, h->length);
	else if (h->type == STREAM_EOF)
		end_line(log, h->app, h->stream - STREAM_STDOUT);
}

void applog_done(struct applog *log)
{
	for (size_t i = 0; i < log->n_apps; i++) {
		for (int k = 0; k < 2; k++) {
			end_line(log, i, k);
			free(log->apps[i].line[k].buf);
		}
		free(log->apps[i].name);
	}
	free(log->apps);
	if (log->dropped)
		log_warning(
			"%llu lines did not reach the journal", (unsigned long long)log->dropped);
	fd_close(&log->fd);
	*log = (struct applog){.fd = -1};
}
