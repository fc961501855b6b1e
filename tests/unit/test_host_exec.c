/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that end, that do not, that print too much, and that are not there. */
/* LINK: host base */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/exec.h"

static int sh(const char *script, int timeout_ms, char **ret, int *ret_status, struct err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	return exec_run(&(struct exec){.argv = argv, .input = "in\n", .timeout_ms = timeout_ms},
		ret, ret_status, err);
}

static void what_it_prints(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *said = NULL;
	int status = -1;
	assert_ok(sh("cat; echo $LC_ALL; echo no >&2; exit 3", 0, &said, &status, &err), &err);
	assert_string_equal(said, "in\nC\n");
	assert_int_equal(status, 3);
}

static void why_it_fails(void **st)
{
	(void)st;
	static const struct {
		const char *script;
		enum err_code code;
		const char *text;
	} table[] = {
		{"echo first >&2; echo 'the reason' >&2; exit 3", ERR_SYSTEM,
			"exit status 3: the reason"},
		{"exit 1", ERR_SYSTEM, "exit status 1"},
		{"kill -9 $$", ERR_SYSTEM, "signal 9 ended it"},
		{"sleep 1000", ERR_TIMEOUT, "it did not end within 300 ms and was killed"},
		{"yes", ERR_FULL, "it printed more than 1048576 bytes"},
		{"yes >&2", ERR_FULL, "it printed more than 1048576 bytes"},
		{"head -c 1048577 /dev/zero", ERR_FULL, "it printed more than 1048576 bytes"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_err_ struct err err = {0};
		_cleanup_free_ char *said = NULL;
		int timeout = table[i].code == ERR_TIMEOUT ? 300 : 60000;
		assert_int_equal(sh(table[i].script, timeout, &said, NULL, &err), -1);
		assert_int_equal(err.code, table[i].code);
		assert_non_null(strstr(err_msg(&err), table[i].text));
		assert_null(said);
	}
}

/* What it has started and left behind holds its output open, and is not waited for. */
static void children_are_not_waited_for(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *said = NULL;
	assert_ok(sh("(trap '' HUP; sleep 20) & echo done", 10000, &said, NULL, &err), &err);
	assert_string_equal(said, "done\n");
}

/* Is it there, and no zombie? */
static bool runs(long pid)
{
	_cleanup_free_ char *at = xasprintf("/proc/%ld/stat", pid);
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, at, 4096, &text, NULL, NULL) < 0)
		return false;
	return !strstr(text, ") Z ");
}

static long number_in(const char *path)
{
	_cleanup_free_ char *text = NULL;
	return file_read_at(AT_FDCWD, path, 64, &text, NULL, NULL) < 0 ? 0 : strtol(text, NULL, 10);
}

/* ^C, or a unit's stop: what it has started is no process group of the terminal's, and holds the lock. */
static void a_signal_ends_both(void **st)
{
	(void)st;
	char path[] = "/tmp/xenpod-exec-XXXXXX";
	int status;
	long pid = 0;
	_cleanup_fd_ int fd = mkstemp(path);
	_cleanup_free_ char *script = xasprintf("echo $$ >%s; exec sleep 1000", path);
	assert_true(fd >= 0);
	pid_t parent = fork();
	assert_true(parent >= 0);
	if (parent == 0)
		_exit(sh(script, 900000, NULL, NULL, NULL));
	for (int i = 0; i < 1000 && (pid = number_in(path)) == 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_true(pid > 0);
	assert_int_equal(kill(parent, SIGTERM), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	for (int i = 0; i < 1000 && runs(pid); i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_false(runs(pid));
	unlink(path);
}

static void none_of_that_name(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	const char *const argv[] = {"xenpod-no-such-program", NULL};
	assert_false(exec_exists(argv[0]));
	assert_true(exec_exists("sh"));
	assert_true(exec_exists("/bin/sh"));
	assert_int_equal(exec_run(&(struct exec){.argv = argv}, NULL, NULL, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_it_prints),
	cmocka_unit_test(why_it_fails),
	cmocka_unit_test(children_are_not_waited_for),
	cmocka_unit_test(a_signal_ends_both),
	cmocka_unit_test(none_of_that_name),
};
UNIT_MAIN(tests, NULL, NULL)
