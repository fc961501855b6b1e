/* SPDX-License-Identifier: Apache-2.0 */
/* The last lines of a guest's console: how many, whole ones, and harmless. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/console.h"
#include "fsm/cause.h"

#define UUID "11112222-3333-4444-8555-666666666666"

static char dir[] = "/tmp/xenpod-console-XXXXXX";
static char *path;

static int setup(void **state)
{
	(void)state;
	strcpy(dir + sizeof dir - 7, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/guest-" UUID ".log", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	free(path);
	return rmdir(dir);
}

static void write_log(const char *text, size_t len)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
}

static void assert_tail(const char *log, size_t len, const char *want)
{
	write_log(log, len);
	_cleanup_free_ char *got = console_tail(dir, UUID);
	assert_non_null(got);
	assert_string_equal(got, want);
}

#define TAIL(log, want) assert_tail(log, sizeof(log) - 1, want)

static void test_harmless(void **state)
{
	(void)state;
	TAIL("", "");
	TAIL("\n\r\n", "");
	TAIL("one\r\ntwo", "one\ntwo");
	TAIL("\033[2Jboo\a\tx\0y\377\302\251\n\n", "?[2Jboo? x?y???");
}

static void put_line(char *to, int i, const char *end)
{
	to[0] = (char)('0' + i / 10);
	to[1] = (char)('0' + i % 10);
	strcpy(to + 2, end);
}

static void test_lines_are_counted(void **state)
{
	(void)state;
	char log[99 * 4 + 1];
	char want[CONSOLE_LINES * 3 + 1];
	for (int i = 0; i < 99; i++)
		put_line(log + (size_t)i * 4, i, "\r\n");
	for (int i = 0; i < CONSOLE_LINES; i++)
		put_line(want + (size_t)i * 3, 99 - CONSOLE_LINES + i, "\n");
	want[sizeof want - 2] = '\0'; /* the last line feed is not kept */
	assert_tail(log, sizeof log - 1, want);
	/* As many as are kept, and not one more: nothing is cut off. */
	assert_tail(log + 99 * 4 - CONSOLE_LINES * 4, CONSOLE_LINES * 4, want);
}

static void test_bytes_are_counted(void **state)
{
	(void)state;
	static char log[3 * CONSOLE_BYTES];
	static char want[CONSOLE_BYTES + 1];
	memset(log, 'x', sizeof log);
	memset(want, 'x', CONSOLE_BYTES);
	assert_tail(log, sizeof log, want); /* one line without end */
	/* Half a line at the beginning is left out, a whole one is not. */
	log[sizeof log - CONSOLE_BYTES + 5] = '\n';
	want[CONSOLE_BYTES - 6] = '\0';
	assert_tail(log, sizeof log, want);
	log[sizeof log - CONSOLE_BYTES - 1] = '\n';
	memset(want, 'x', CONSOLE_BYTES);
	want[5] = '\n';
	assert_tail(log, sizeof log, want);
}

static void test_what_is_no_log(void **state)
{
	(void)state;
	assert_null(console_tail(dir, UUID));
	assert_null(console_tail("/nonexistent", UUID));
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_null(console_tail(dir, UUID));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(console_tail(dir, UUID));
}

static void test_whose_is_kept(void **state)
{
	(void)state;
	assert_true(pod_cause_in_order(CAUSE_FINISHED, 0));
	assert_false(pod_cause_in_order(CAUSE_FINISHED, 3));
	assert_false(pod_cause_in_order(CAUSE_FINISHED, -1));
	assert_true(pod_cause_in_order(CAUSE_STOPPED, 1));
	assert_false(pod_cause_in_order(CAUSE_OOM, 137));
	assert_false(pod_cause_in_order(CAUSE_CRASHED, -1));
	for (int c = CAUSE_NONE + 1; c < CAUSE_MAX_; c++)
		if (pod_cause_failed((enum pod_cause)c))
			assert_false(pod_cause_in_order((enum pod_cause)c, -1));
}

static void test_panic_tells_its_reason(void **state)
{
	(void)state;
	static const char said[] =
		"Kernel panic - not syncing: the first\n---[ end Kernel panic ]---\n"
		"[    1.5] Kernel panic - not syncing: out of luck\nRebooting";
	_cleanup_free_ char *why = console_panic(said);
	assert_string_equal(why, "out of luck");
	assert_null(console_panic("Kernel panic"));
	_cleanup_free_ char *cut = console_panic("Kernel panic - not syncing: ");
	assert_string_equal(cut, "");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_harmless),
	T(test_lines_are_counted),
	T(test_bytes_are_counted),
	T(test_what_is_no_log),
	T(test_whose_is_kept),
	T(test_panic_tells_its_reason),
};

UNIT_MAIN(tests, NULL, NULL)
