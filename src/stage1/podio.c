/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of a pod at its proxy: see podio.h. */
#include "stage1/podio.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/journal.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "stage1/again.h"
#include "stage1/hook.h"
#include "stage1/tty.h"

#define FAULTS_MAX 5

/* ---- frames -------------------------------------------------------------------------------------
 */

static json_t *hello(void *user, int64_t generation)
{
	struct podio *io = user;
	stdin_session_new(&io->in);
	return json_make("{s:i, s:s, s:I, s:s}", "version", STREAM_VERSION, "uuid", io->uuid,
		"generation", (json_int_t)generation, "kind", "streams");
}

/* The guest threw output away while nobody read it. */
static void warn_lost(const struct podio *io, const struct stream_header *h, const uint8_t *data)
{
	const json_t *app = json_array_get(io->apps, h->app);
	if (h->length != 4 || !app)
		return;
	log_warning("app %s: %u bytes of its %s are lost, because nobody was there to read them",
		json_str_opt(app, "name", ""), stream_get_u32(data),
		h->stream == STREAM_STDERR ? "stderr" : "stdout");
}

static void on_frame(void *user, const struct stream_header *h, const uint8_t *data)
{
	struct podio *io = user;
	progress_end(); /* the terminal is the app's from here on */
	if (h->type == STREAM_WELCOME)
		io->faults = 0;
	if (h->type == STREAM_LOST)
		warn_lost(io, h, data);
	stdin_frame(&io->in, io->attach.session, h, data);
	applog_frame(&io->log, h, data);
	relay_frame(&io->relay, h, data);
	session_pause(io->attach.session, relay_full(&io->relay));
}

/* ---- opened, closed -----------------------------------------------------------------------------
 */

/* Without its fields, but not lost: this way the guest's writers wait for a slow journald. */
static bool relay_line(void *user, int k, const char *line, size_t len)
{
	struct podio *io = user;
	struct sink *sink = k ? &io->relay.err : &io->relay.out;
	if (k ? !io->relay.skip_err : !io->relay.skip_out)
		return false;
	sink_put(sink, line, len);
	sink_put(sink, "\n", 1);
	return true;
}

/* In a unit our own outputs are the journal's: what the apps say would stand there twice. */
static void skip_journal(struct podio *io)
{
	io->log.instead = relay_line;
	io->log.user = io;
	io->relay.skip_out = io->log.fd >= 0 && (io->alone || journal_is_stream(STDOUT_FILENO));
	io->relay.skip_err = io->log.fd >= 0 && (io->alone || journal_is_stream(STDERR_FILENO));
}

/* At most one app is interactive (contract 1.3, item 10). */
static void open_stdin(struct podio *io)
{
	size_t i;
	json_t *app;
	io->in = STDIN_NONE;
	json_array_foreach (io->apps, i, app) {
		bool tty = json_bool_opt(app, "tty", false);
		if (!tty && strcmp(json_str_opt(app, "stdin", "null"), "stream"))
			continue;
		stdin_open(&io->in, (uint16_t)i, tty && tty_present());
		return;
	}
}

void podio_open(struct podio *io, const json_t *request)
{
	const char *uuid = json_str_opt(request, "uuid", "");
	*io = (struct podio){
		.uuid = uuid,
		.apps = json_object_get(json_object_get(request, "guest"), "apps"),
		.attach = {.uuid = uuid, .hello = hello, .on_frame = on_frame, .user = io},
		.alone = again_wanted(request),
	};
	relay_open(&io->relay);
	relay_log_through(&io->relay);
	applog_open(&io->log, JOURNAL_SOCKET, uuid, io->apps);
	skip_journal(io);
	open_stdin(io);
}

void podio_leave(struct podio *io)
{
	if (!io->alone)
		return;
	relay_flush(&io->relay);
	sink_done(&io->relay.out);
	sink_done(&io->relay.err);
	again_leave_outputs();
	sink_open(&io->relay.out, STDOUT_FILENO);
	sink_open(&io->relay.err, STDERR_FILENO);
}

void podio_let_go(struct podio *io)
{
	attach_let_go(&io->attach);
	io->in.ready = false;
	tty_restore(); /* nobody is there to type to: ^C stops the pod now */
}

void podio_done(struct podio *io)
{
	podio_let_go(io);
	applog_done(&io->log);
	stdin_done(&io->in);
	relay_done(&io->relay);
}

/* ---- the loop's part ----------------------------------------------------------------------------
 */

static void on_fault(struct podio *io, const struct err *err)
{
	io->faults++;
	if (io->faults == 1)
		log_warning("output of the pod: %s, trying again", err_msg(err));
	if (io->faults < FAULTS_MAX)
		return;
	log_warning("output of the pod: %s, given up; the pod goes on without", err_msg(err));
	podio_let_go(io);
}

void podio_turn(struct podio *io, bool accepted)
{
	_cleanup_err_ struct err err = {0};
	relay_flush(&io->relay); /* first: what it frees lets the session read on */
	if (!accepted || io->attach.over)
		return;
	stdin_read(&io->in, io->attach.session);
	if (io->attach.session)
		session_pause(io->attach.session, relay_full(&io->relay));
	enum attach_result r = attach_turn(&io->attach, &err);
	if (io->relay.ended) {
		podio_let_go(io); /* the guest waits for that */
		if (*io->relay.refused)
			log_warning("output of the pod: the guest says: %s", io->relay.refused);
	} else if (r == ATTACH_FAULT) {
		on_fault(io, &err);
	} else if (r == ATTACH_OVER) {
		podio_let_go(io);
	}
}

void podio_poll(const struct podio *io, struct pollfd ret[PODIO_POLLFDS])
{
	ret[0] = stdin_poll(&io->in, io->attach.session);
	ret[1] = sink_poll(&io->relay.out);
	ret[2] = sink_poll(&io->relay.err);
	attach_poll(&io->attach, ret + 3);
}

int podio_wait_ms(const struct podio *io)
{
	return attach_wait_ms(&io->attach);
}

/* False: nothing more is to be waited for. */
static bool wait_for_reader(struct podio *io, int sigfd, int wait_ms)
{
	struct pollfd fds[] = {{.fd = sigfd, .events = POLLIN}, sink_poll(&io->relay.out),
		sink_poll(&io->relay.err)};
	if (poll(fds, ARRAY_SIZE(fds), wait_ms) == 0)
		return false;
	int signo = hook_next_signal(sigfd);
	if (signo && !stdin_signal(&io->in, NULL, signo))
		return false;
	relay_flush(&io->relay);
	return true;
}

static size_t unwritten(const struct podio *io)
{
	return sink_pending(&io->relay.out) + sink_pending(&io->relay.err);
}

void podio_finish(struct podio *io, int sigfd, int patience_ms)
{
	int64_t left = patience_ms;
	int64_t until = clock_ms() + left;
	size_t before = unwritten(io);
	applog_done(&io->log);
	while (relay_waiting(&io->relay) && wait_for_reader(io, sigfd, (int)left)) {
		if (unwritten(io) < before)
			until = clock_ms() + patience_ms; /* slow is not gone */
		before = unwritten(io);
		if (patience_ms >= 0)
			left = until > clock_ms() ? until - clock_ms() : 0;
	}
	size_t lost = unwritten(io);
	if (lost)
		log_warning(
			"output of the pod: %zu bytes are lost, because nobody reads them", lost);
}
