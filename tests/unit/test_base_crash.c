/* SPDX-License-Identifier: Apache-2.0 */
/* Crash points: the one that was asked for kills, those before it are told, without a file none does. */
/* LINK: base */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* No build that tests are made of has them. */
#define XENPOD_CRASH 1
#include "base/crash.c" /* NOLINT(bugprone-suspicious-include): see above */

static char dir[] = "/tmp/test-crash-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) && setenv("XENPOD_CRASH_DIR", dir, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"crash-at", "crash-log"};
	char path[64];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void arm(const char *text)
{
	char path[64];
	snprintf(path, sizeof path, "%s/crash-log", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/crash-at", dir);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static bool is_armed(void)
{
	char path[64];
	snprintf(path, sizeof path, "%s/crash-at", dir);
	return access(path, F_OK) == 0;
}

/* The names alone, a blank after each. */
static void told(char *ret, size_t size)
{
	char path[64];
	char line[64];
	snprintf(path, sizeof path, "%s/crash-log", dir);
	FILE *f = fopen(path, "re");
	*ret = '\0';
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		strncat(ret, strchr(line, ' ') + 1, size - strlen(ret) - 2);
		strcat(ret, " ");
	}
	if (f)
		fclose(f);
}

/* A process with three points: by which signal it ended, 0 when by none. */
static int live(void)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		crash_point("one");
		crash_point("two");
		crash_point("three");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void without_a_file_nothing_happens(void **state)
{
	char log[64];
	(void)state;
	arm("");
	assert_int_equal(live(), 0);
	teardown(NULL);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(live(), 0);
	told(log, sizeof log);
	assert_string_equal(log, "");
}

static void the_nth_is_the_last(void **state)
{
	char log[64];
	(void)state;
	arm("2\n");
	assert_int_equal(live(), SIGKILL);
	told(log, sizeof log);
	assert_string_equal(log, "one two ");
	assert_false(is_armed());
	assert_int_equal(live(), 0);
}

static void it_counts_over_processes(void **state)
{
	(void)state;
	arm("5 \n");
	assert_int_equal(live(), 0);
	assert_true(is_armed());
	assert_int_equal(live(), SIGKILL);
}

static void zero_only_tells(void **state)
{
	char log[64];
	(void)state;
	arm("0");
	assert_int_equal(live(), 0);
	assert_true(is_armed());
	told(log, sizeof log);
	assert_string_equal(log, "one two three ");
}

/* The parent of the process with the points is one of its own, for it dies. */
static void a_helper_kills_its_parent(void **state)
{
	int status;
	char log[64];
	(void)state;
	arm("2 parent\n");
	pid_t pid = fork();
	if (pid == 0) {
		int r = live();
		_exit(r ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	for (int i = 0; i < 500; i++) {
		told(log, sizeof log);
		if (strstr(log, "two"))
			break;
		usleep(10000);
	}
	assert_string_equal(log, "one two ");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(without_a_file_nothing_happens),
	cmocka_unit_test(the_nth_is_the_last),
	cmocka_unit_test(it_counts_over_processes),
	cmocka_unit_test(zero_only_tells),
	cmocka_unit_test(a_helper_kills_its_parent),
};

UNIT_MAIN(tests, setup, teardown)
