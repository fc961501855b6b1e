/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stop while the reader of an app's output is slow: TERM, grace, KILL and the end come in their
 * time, and each byte that the app has written is given to the client or counted as lost.
 */
/* LINK: guest proto base */
/* LIBS: xenstore */
/* WITH: guestkit.c ringkit.c */
/* VALGRIND: no, 3.19 does not know openat2(2) */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "fdcount.h"
#include "guest/session.h"
#include "guestkit.h"
#include "ringkit.h"

#define GRACE_MS 300
#define LATE_MS  2500 /* what a machine that has other things to do may add */
/* GIVE_UP_MS of pod.c, behind the grace. */
#define PATIENCE_MS 3000
#define STALL_MS    5000 /* pod.c's, for a client that is not there */
#define LINE_SIZE   1000

#define SH(script)                                                                                 \
	(char *[])                                                                                 \
	{                                                                                          \
		(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){script}, NULL                        \
	}

/* Lines of LINE_SIZE without end; `n` has how many of them the pipe has taken, or one less. */
#define WRITES                                                                                     \
	"l=$(busybox printf %0999d 0); i=0; "                                                      \
	"while echo $l; do i=$((i+1)); echo $i >/out/n; done"

static struct guestkit kit;
static struct session session;
static struct ringkit *ring;
static size_t delivered; /* bytes of DATA that the client has read */
static size_t lost;      /* as LOST frames told it */
static bool told_end;
static uint64_t logged; /* as lost */

/* ---- the client ------------------------------------------------------------------------------- */

static void attach_client(void)
{
	_cleanup_err_ struct err err = {0};
	session = (struct session){.pod = &kit.pod, .phase = SESSION_ACTIVE, .kind = &streams_kind};
	session.chan = libxenvchan_server_init(NULL, 0, "", 0, 0);
	ring = ringkit_ring;
	ring->open = 1;
	delivered = 0;
	lost = 0;
	told_end = false;
	assert_ok(streams_kind.start(&session, NULL, &err), &err);
	session_kick(&session);
}

static void note_frame(const struct stream_header *h, const uint8_t *payload)
{
	assert_false(told_end);
	if (h->type == STREAM_DATA)
		delivered += h->length;
	if (h->type == STREAM_LOST)
		lost += stream_get_u32(payload);
	told_end = h->type == STREAM_END;
}

/* Reads one frame, if there is a whole one. */
static bool client_reads(void)
{
	struct stream_header h;
	if (ring->out_len < STREAM_HEADER_SIZE)
		return false;
	assert_int_equal(stream_header_get(ring->out, &h), 0);
	if (ring->out_len < STREAM_HEADER_SIZE + h.length)
		return false;
	note_frame(&h, ring->out + STREAM_HEADER_SIZE);
	ringkit_take(ring, STREAM_HEADER_SIZE + h.length);
	session_kick(&session);
	return true;
}

static void drop_client(void)
{
	loop_timer_stop(&session.timer);
	libxenvchan_close(session.chan);
	guestkit_done(&kit);
}

/* ---- the app ---------------------------------------------------------------------------------- */

/* It has filled the ring, the session, the buffer and the pipe, and waits in its write. */
static bool app_waits(const struct pod *pod)
{
	static char before[16];
	static int same;
	_cleanup_free_ char *now = guestkit_read("n");
	if (pod->apps[0].out[0].len < APP_OUTPUT_MAX || strcmp(now, before) != 0 || !now[0])
		same = 0;
	snprintf(before, sizeof(before), "%.15s", now);
	return ++same > 20;
}

static void start_writer(char **exec)
{
	guestkit_init(&kit, 1);
	kit.spec.grace_ms = GRACE_MS;
	kit.spec.streams = true;
	kit.app_specs[0].exec = exec;
	guestkit_start(&kit);
	attach_client();
	guestkit_until(&kit, app_waits);
}

/* All that the app has written has this many bytes. */
static void assert_all_accounted(size_t bytes)
{
	_cleanup_free_ char *n = guestkit_read("n");
	size_t lines = strtoul(n, NULL, 10);
	if (bytes != (lines + 1) * LINE_SIZE)
		assert_int_equal(bytes, lines * LINE_SIZE);
}

static bool is_draining(const struct pod *pod)
{
	return pod->phase >= POD_DRAINING;
}

static int64_t stop(void)
{
	int64_t begin = loop_now_ms();
	pod_stop(&kit.pod, false);
	guestkit_until(&kit, guestkit_ended);
	return loop_now_ms() - begin;
}

static void note_log(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	static const char begin[] = "output is lost, ";
	(void)level;
	(void)fields;
	(void)n;
	if (strncmp(msg, begin, strlen(begin)) != 0)
		return;
	assert_non_null(strstr(msg, "bytes: its reader takes nothing"));
	logged += strtoull(msg + strlen(begin), NULL, 10);
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void a_reader_that_takes_nothing_delays_no_stop(void **state)
{
	(void)state;
	start_writer(SH("trap '' TERM; " WRITES));
	logged = 0;
	log_set_sink(note_log);
	int64_t took = stop();
	log_set_sink(log_stderr_sink);
	assert_in_range(took, GRACE_MS + PATIENCE_MS, GRACE_MS + PATIENCE_MS + LATE_MS);
	assert_string_equal(gstate_kind_name(kit.pod.apps[0].kind), "killed");
	assert_int_equal(kit.pod.apps[0].code, SIGKILL);
	/* Of what is in the ring the last frame is not whole. */
	size_t unsent = session_unsent(&session);
	assert_true(unsent > 0);
	assert_true(logged > unsent + APP_OUTPUT_MAX);
	size_t in_ring = 0;
	for (size_t at = 0; at + STREAM_HEADER_SIZE < ring->out_len;) {
		struct stream_header h;
		assert_int_equal(stream_header_get(ring->out + at, &h), 0);
		at += STREAM_HEADER_SIZE;
		if (h.type == STREAM_DATA)
			in_ring += h.length < ring->out_len - at ? h.length : ring->out_len - at;
		at += h.length;
	}
	assert_all_accounted(in_ring + logged);
	/* It wakes up before the domain is gone: what is missing is told, and the end. */
	while (client_reads())
		;
	assert_true(told_end);
	assert_true(lost >= APP_OUTPUT_MAX);
	assert_all_accounted(delivered + lost);
	drop_client();
}

/* TERM reaches an app that waits in a write; then only its output is waited for. */
static void a_reader_that_wakes_up_gets_all_of_it(void **state)
{
	(void)state;
	start_writer(SH(WRITES));
	int64_t begin = loop_now_ms();
	pod_stop(&kit.pod, false);
	while (kit.pod.phase < POD_SYNCING) {
		assert_true(loop_now_ms() - begin < GRACE_MS + LATE_MS);
		if (kit.pod.phase == POD_DRAINING)
			assert_true(client_reads());
		else
			guestkit_until(&kit, is_draining);
	}
	while (client_reads())
		;
	assert_int_equal(kit.pod.apps[0].code, SIGTERM);
	assert_int_equal(kit.pod.code, 0);
	assert_true(told_end);
	assert_int_equal(lost, 0);
	assert_all_accounted(delivered);
	drop_client();
}

static int64_t reads_on_at;

static bool reader_is_back(const struct pod *pod)
{
	(void)pod;
	return loop_now_ms() >= reads_on_at;
}

/* `run | less`: nobody has asked for the end, and the reader is there. */
static void a_pod_that_ends_by_itself_waits_for_its_reader(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.spec.grace_ms = GRACE_MS;
	kit.spec.streams = true;
	kit.app_specs[0].exec =
		SH("busybox seq 100 | while read n; do busybox printf %0999d 0; echo; done");
	guestkit_start(&kit);
	attach_client();
	guestkit_until(&kit, is_draining);
	reads_on_at = loop_now_ms() + STALL_MS + 500;
	guestkit_until(&kit, reader_is_back);
	assert_int_equal(kit.pod.phase, POD_DRAINING);
	assert_false(kit.pod.ending_told); /* or the supervisor would lose its patience */
	while (kit.pod.phase < POD_SYNCING) {
		assert_true(client_reads());
		reads_on_at = loop_now_ms();
		guestkit_until(&kit, reader_is_back);
	}
	while (client_reads())
		;
	assert_true(told_end);
	assert_int_equal(lost, 0);
	assert_int_equal(delivered, 100 * LINE_SIZE);
	guestkit_until(&kit, guestkit_ended);
	drop_client();
}

/* One that wants to say something is in nobody's way, either. */
static void post_stop_that_cannot_write_is_killed(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.spec.grace_ms = GRACE_MS;
	kit.spec.streams = true;
	kit.app_specs[0].exec = SH(WRITES);
	kit.app_specs[0].post_stop = SH("while echo post; do :; done");
	guestkit_start(&kit);
	attach_client();
	guestkit_until(&kit, app_waits);
	int64_t took = stop();
	assert_in_range(took, GRACE_MS + PATIENCE_MS, GRACE_MS + PATIENCE_MS + LATE_MS);
	assert_int_equal(kit.pod.apps[0].code, SIGTERM);
	assert_int_equal(kit.pod.code, 0);
	drop_client();
}

static const struct CMUnitTest tests[] = {
	fd_counted(a_reader_that_takes_nothing_delays_no_stop),
	fd_counted(a_reader_that_wakes_up_gets_all_of_it),
	fd_counted(a_pod_that_ends_by_itself_waits_for_its_reader),
	fd_counted(post_stop_that_cannot_write_is_killed),
};

UNIT_MAIN(tests, guestkit_setup, guestkit_teardown)
