/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's bytes to `run`: frames, the JSON in them, lines for the journal. The first byte of an
 * input is of choices, the rest is what is in the ring. Whatever comes, no more of it is kept than
 * may wait for a slow reader, and what reaches the journal and the exit status keeps to its form.
 */
/* LINK: stage1 appc proto base */
/* WITH: ../unit/ringkit.c ../unit/xskit.c */
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../unit/ringkit.h"
#include "../unit/xskit.h"
#include "base/cleanup.h"
#include "base/journal.h"
#include "base/json.h"
#include "stage1/podio.h"

/* What waits when it is full, and what one read of the ring adds to it: at worst log lines about
 * frames of 12 bytes each. */
#define KEPT_MAX (RELAY_WAITING_MAX + (STREAM_PAYLOAD_MAX / 12 + 1) * 100)

enum choice {
	SLOW = 1,         /* nobody reads our outputs */
	SLOW_JOURNAL = 2, /* nor the journal's socket */
	UNIT = 4,         /* our outputs are the journal's */
};

static uint8_t choices;

/* ---- the journal ------------------------------------------------------------------------------- */

int journal_connect(const char *path)
{
	(void)path;
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

int journal_stream(const char *path, const char *identifier)
{
	(void)path;
	(void)identifier;
	return -1;
}

bool journal_is_stream(int fd)
{
	return fd >= 0 && (choices & UNIT);
}

static void check_field(const struct journal_field *f)
{
	const char *value = f->data;
	if (!strcmp(f->name, "PRIORITY"))
		must(f->len == 1 && *value >= '0' && *value <= '7');
	if (!strcmp(f->name, "MESSAGE"))
		must(f->len && f->len <= APPLOG_LINE_MAX && !memchr(value, '\n', f->len));
	/* The other one has a terminal, whose output is no log. */
	if (!strcmp(f->name, "XENPOD_APP"))
		must(f->len == 3 && !memcmp(value, "web", 3));
}

bool journal_send(int fd, const char *path, const struct journal_field *fields, size_t n)
{
	(void)path;
	must(fd >= 0);
	for (size_t i = 0; i < n; i++)
		check_field(&fields[i]);
	return !(choices & SLOW_JOURNAL);
}

/* ---- `run` ------------------------------------------------------------------------------------- */

/* A file, or a pipe that takes a page and no more. */
static int open_output(int *ret_rd)
{
	int fds[2];
	*ret_rd = -1;
	if (!(choices & SLOW))
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	must(pipe2(fds, O_CLOEXEC) == 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	*ret_rd = fds[0];
	return fds[1];
}

static void redirect(struct sink *s, int fd)
{
	sink_done(s);
	sink_open(s, fd);
}

static void check(const struct podio *io)
{
	const struct relay *r = &io->relay;
	must(sink_pending(&r->out) <= KEPT_MAX && sink_pending(&r->err) <= KEPT_MAX);
	must(r->kind == GSTATE_EXITED || r->kind == GSTATE_KILLED);
	must(r->code >= 0 && r->code <= 255);
	for (const char *p = r->refused; *p; p++)
		must(*p >= ' ' && *p <= '~');
}

static void carry(struct podio *io, const uint8_t *data, size_t size)
{
	struct session *s = io->attach.session;
	must(session_turn(s, NULL) == SESSION_GOES_ON && session_mapped(s));
	ringkit_put(ringkit_ring, data, size);
	while (ringkit_ring->in_len) {
		if (session_turn(s, NULL) != SESSION_GOES_ON)
			break;
		check(io);
		if (io->relay.ended || relay_full(&io->relay))
			break;
	}
}

static void run(const json_t *request, const uint8_t *data, size_t size)
{
	struct podio io;
	int rd[2];
	podio_open(&io, request);
	_cleanup_fd_ int out = open_output(&rd[0]);
	_cleanup_fd_ int err = open_output(&rd[1]);
	redirect(&io.relay.out, out);
	redirect(&io.relay.err, err);
	io.attach.session =
		session_new(XSKIT_UUID, 1, io.attach.hello(&io, 1), io.attach.on_frame, &io, NULL);
	must(io.attach.session != NULL);
	carry(&io, data, size);
	podio_done(&io);
	must(!ringkit_ring);
	for (int i = 0; i < 2; i++)
		fd_close(&rd[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "{\"uuid\":\"" XSKIT_UUID "\",\"guest\":{\"apps\":["
				   "{\"name\":\"web\",\"stdin\":\"stream\"},"
				   "{\"name\":\"term\",\"tty\":true}]}}";
	if (!size)
		return 0;
	_cleanup_json_ json_t *request = json_parse(text, strlen(text), "request", NULL);
	must(request != NULL);
	choices = data[0];
	xskit_told = false;
	run(request, data + 1, size - 1);
	return 0;
}
