/* SPDX-License-Identifier: Apache-2.0 */
/* The apps' output as journal entries: lines, pieces, priorities, bytes, and a journald that is slow. */
/* LINK: stage1 proto base */
#include "unit.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/journal.h"
#include "base/json.h"
#include "base/log.h"
#include "stage1/applog.h"

#define UUID "0f9d2b5e-3c41-4c62-9d9e-0123456789ab"

static char dir[] = "/tmp/test_applog.XXXXXX";
static char path[64];
static int journald;
static char entry[128 * 1024];
static size_t entry_len;
static char logged[256];

static void keep_log(enum log_level level, const char *msg, const struct log_field *f, size_t n)
{
	(void)level;
	(void)f;
	(void)n;
	snprintf(logged, sizeof logged, "%s", msg);
}

static int setup(void **state)
{
	(void)state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/journal", dir);
	memcpy(sa.sun_path, path, strlen(path));
	journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	log_set_sink(keep_log);
	return bind(journald, (struct sockaddr *)&sa, sizeof sa);
}

static int teardown(void **state)
{
	(void)state;
	close(journald);
	unlink(path);
	log_set_sink(NULL);
	return rmdir(dir);
}

static void open_log(struct applog *log)
{
	static const char text[] = "[{\"name\":\"web\"},{\"name\":\"shell\",\"tty\":true}]";
	_cleanup_json_ json_t *apps = json_parse(text, strlen(text), "apps", NULL);
	assert_non_null(apps);
	logged[0] = '\0';
	applog_open(log, path, UUID, apps);
	assert_true(log->fd >= 0);
}

static void write_bytes(struct applog *log, int stream, const void *data, size_t len)
{
	const struct stream_header h = {STREAM_DATA, (uint8_t)stream, 0, (uint32_t)len};
	applog_frame(log, &h, data);
}

static void say(struct applog *log, int stream, const char *text)
{
	write_bytes(log, stream, text, strlen(text));
}

static void end(struct applog *log, int stream)
{
	const struct stream_header h = {STREAM_EOF, (uint8_t)stream, 0, 0};
	applog_frame(log, &h, NULL);
}

static bool next_entry(void)
{
	ssize_t n = recv(journald, entry, sizeof entry - 1, MSG_DONTWAIT);
	entry_len = n < 0 ? 0 : (size_t)n;
	entry[entry_len] = '\0';
	return n >= 0;
}

static void expect_entry(const char *message, char priority, const char *stream)
{
	char want[512];
	assert_true(next_entry());
	snprintf(want, sizeof want,
		"MESSAGE=%s\nPRIORITY=%c\nSYSLOG_IDENTIFIER=web\nXENPOD_UUID=" UUID
		"\nXENPOD_APP=web\nXENPOD_STREAM=%s\n",
		message, priority, stream);
	assert_string_equal(entry, want);
}

static void lines_are_entries(void **state)
{
	(void)state;
	struct applog log;
	open_log(&log);
	say(&log, STREAM_STDOUT, "one\ntwo\n\nthr");
	say(&log, STREAM_STDERR, "other\n");
	expect_entry("one", '6', "stdout");
	expect_entry("two", '6', "stdout");
	expect_entry("other", '6', "stderr");
	assert_false(next_entry()); /* an empty line is none, a part is not yet one */
	say(&log, STREAM_STDOUT, "ee\nlast");
	expect_entry("three", '6', "stdout");
	end(&log, STREAM_STDOUT);
	expect_entry("last", '6', "stdout");
	end(&log, STREAM_STDOUT);
	say(&log, STREAM_STDERR, "unfinished");
	applog_done(&log);
	expect_entry("unfinished", '6', "stderr");
	assert_false(next_entry());
	assert_string_equal(logged, "");
	applog_done(&log);
}

static void priorities_as_journald_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		const char *message;
		char priority;
	} cases[] = {
		{"<3>broken\n", "broken", '3'},
		{"<0>\n<7>d\n", "d", '7'}, /* nothing behind it: no entry */
		{"<004>zeros\n", "zeros", '4'},
		{"<8>facility\n", "<8>facility", '6'},
		{"<30>facility\n", "<30>facility", '6'},
		{"<0003>long\n", "<0003>long", '6'},
		{"<>none\n", "<>none", '6'},
		{"<3\n", "<3", '6'},
		{" <3>later\n", " <3>later", '6'},
		{"<-1>minus\n", "<-1>minus", '6'},
	};
	struct applog log;
	open_log(&log);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		say(&log, STREAM_STDERR, cases[i].line);
		expect_entry(cases[i].message, cases[i].priority, "stderr");
		assert_false(next_entry());
	}
	applog_done(&log);
}

static void long_lines_go_in_pieces(void **state)
{
	(void)state;
	struct applog log;
	_cleanup_free_ char *text = xmalloc(2 * APPLOG_LINE_MAX + 8);
	size_t n = 2 * APPLOG_LINE_MAX + 7;
	memset(text, 'x', n);
	memcpy(text, "<2>", 3);
	text[n] = '\n';
	open_log(&log);
	for (size_t done = 0; done < n + 1; done += 1000)
		write_bytes(&log, STREAM_STDOUT, text + done,
			n + 1 - done < 1000 ? n + 1 - done : 1000);
	size_t seen = 0;
	for (int i = 0; i < 3; i++) {
		assert_true(next_entry());
		assert_memory_equal(entry, "MESSAGE=x", 9);
		assert_non_null(strstr(entry, "\nPRIORITY=2\n")); /* of the whole line */
		seen += strcspn(entry, "\n") - 8;
	}
	assert_int_equal(seen, n - 3);
	assert_false(next_entry());
	/* A line that ends just where a piece ended leaves no empty one. */
	memset(text, 'y', APPLOG_LINE_MAX);
	text[APPLOG_LINE_MAX] = '\n';
	write_bytes(&log, STREAM_STDOUT, text, APPLOG_LINE_MAX + 1);
	assert_true(next_entry());
	assert_false(next_entry());
	say(&log, STREAM_STDOUT, "<4>next\n");
	expect_entry("next", '4', "stdout");
	applog_done(&log);
}

static void any_bytes_pass(void **state)
{
	(void)state;
	struct applog log;
	open_log(&log);
	write_bytes(&log, STREAM_STDOUT, "a\0\xff\x1b=\r\n", 7);
	assert_true(next_entry());
	assert_memory_equal(entry, "MESSAGE=a\0\xff\x1b=\r\nPRIORITY=6\n", 26);
	applog_done(&log);
}

/* The binary form of a field, which a value with a newline needs. */
static void a_newline_is_sent_with_its_length(void **state)
{
	(void)state;
	const struct journal_field field = {"MESSAGE", "a\nb", 3};
	const uint64_t len = htole64(3);
	_cleanup_fd_ int fd = journal_connect(path);
	assert_true(journal_send(fd, path, &field, 1));
	assert_true(next_entry());
	assert_int_equal(entry_len, 8 + 8 + 4);
	assert_memory_equal(entry, "MESSAGE\n", 8);
	assert_memory_equal(entry + 8, &len, 8);
	assert_memory_equal(entry + 16, "a\nb\n", 4);
}

static void what_is_not_taken_is_counted_and_told(void **state)
{
	(void)state;
	struct applog log;
	unsigned seen = 0;
	unsigned told = 0;
	open_log(&log);
	for (int i = 0; i < 3000; i++)
		say(&log, STREAM_STDOUT, "line\n"); /* nobody reads: must not wait */
	assert_true(log.dropped > 0);
	while (next_entry())
		seen++;
	assert_int_equal(seen + log.dropped, 3000);
	applog_done(&log);
	assert_int_equal(sscanf(logged, "%u lines did not reach the journal", &told), 1);
	assert_int_equal(told + seen, 3000);
}

static void what_is_no_log_does_not_go_there(void **state)
{
	(void)state;
	struct applog log;
	open_log(&log);
	const struct stream_header frames[] = {
		{STREAM_DATA, STREAM_STDOUT, 1, 2}, /* a terminal */
		{STREAM_DATA, STREAM_STDOUT, 2, 2}, /* there is no such app */
		{STREAM_DATA, STREAM_STDIN, 0, 2},
		{STREAM_ACK, STREAM_STDOUT, 0, 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		applog_frame(&log, &frames[i], (const uint8_t *)"x\n");
	assert_false(next_entry());
	applog_done(&log);
}

static void without_a_journal_nothing_happens(void **state)
{
	(void)state;
	struct applog log;
	logged[0] = '\0';
	applog_open(&log, "/nowhere/at/all", UUID, NULL);
	assert_int_equal(log.fd, -1);
	say(&log, STREAM_STDOUT, "line\n");
	applog_done(&log);
	assert_string_equal(logged, "");
}

static void the_journals_own_stream_is_known(void **state)
{
	(void)state;
	struct stat st;
	char text[64];
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fstat(fds[1], &st), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(journal_is_stream(fds[1]));
	snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	assert_true(journal_is_stream(fds[1]));
	assert_false(journal_is_stream(journald));
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(journal_is_stream(fds[1]));
	unsetenv("JOURNAL_STREAM");
	close(fds[0]);
	close(fds[1]);
}

/* As journald reads it: seven lines, then what is written. */
static void a_stream_says_whose_it_is(void **state)
{
	(void)state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char got[128] = "";
	assert_int_equal(journal_stream("/nowhere/at/all", "me"), -1);
	snprintf(sa.sun_path, sizeof sa.sun_path, "/tmp/xenpod-stream-%d", (int)getpid());
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(l, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(l, 1), 0);
	int fd = journal_stream(sa.sun_path, "me");
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "line\n", 5), 5);
	close(fd);
	int s = accept(l, NULL, NULL);
	assert_int_equal(recv(s, got, sizeof got - 1, MSG_WAITALL), 19);
	assert_string_equal(got, "me\n\n6\n0\n0\n0\n0\nline\n");
	close(s);
	close(l);
	unlink(sa.sun_path);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_stream_says_whose_it_is),
	cmocka_unit_test(the_journals_own_stream_is_known),
	cmocka_unit_test(lines_are_entries),
	cmocka_unit_test(priorities_as_journald_reads_them),
	cmocka_unit_test(long_lines_go_in_pieces),
	cmocka_unit_test(any_bytes_pass),
	cmocka_unit_test(a_newline_is_sent_with_its_length),
	cmocka_unit_test(what_is_not_taken_is_counted_and_told),
	cmocka_unit_test(what_is_no_log_does_not_go_there),
	cmocka_unit_test(without_a_journal_nothing_happens),
};
UNIT_MAIN(tests, setup, teardown)
