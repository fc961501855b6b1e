/* SPDX-License-Identifier: Apache-2.0 */
/* Files by directory fd: atomic replacement, limits, directories, flags, closing for exec. */
/* LINK: base */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "fdcount.h"

static char dir_path[64];
static int dir = -1;

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir_path, "/tmp/xenpod-files-XXXXXX");
	if (!mkdtemp(dir_path))
		return -1;
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	char cmd[128];
	close(dir);
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir_path);
	return system(cmd); /* NOLINT(cert-env33-c): a path of our own */
}

static void expect_content(const char *name, const char *want)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	assert_ok(file_read_at(dir, name, 4096, &text, &len, &err), &err);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
}

static int entries(void)
{
	int n = 0;
	_cleanup_dir_ DIR *d = opendir(dir_path);
	while (readdir(d))
		n++;
	return n - 2;
}

static void write_then_read(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct stat st;
	assert_ok(file_write_atomic_at(dir, "a", "one", 3, 0640, &err), &err);
	expect_content("a", "one");
	mode_t old = umask(077); /* the mode is what was asked for, whatever the umask */
	assert_ok(file_write_atomic_at(dir, "a", "", 0, 0644, &err), &err);
	umask(old);
	expect_content("a", "");
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(entries(), 1);
	unlinkat(dir, "a", 0);
}

static void readers_see_old_or_new(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char text[2][9000];
	memset(text[0], 'a', sizeof text[0]);
	memset(text[1], 'b', sizeof text[1]);
	assert_ok(file_write_atomic_at(dir, "f", text[0], sizeof text[0], 0644, &err), &err);
	pid_t writer = fork();
	if (writer == 0)
		for (int i = 1;; i++)
			if (file_write_atomic_at(
				    dir, "f", text[i % 2], sizeof text[0], 0644, &err) < 0)
				_exit(1);
	for (int i = 0; i < 300; i++) {
		_cleanup_free_ char *got = NULL;
		size_t len = 0;
		assert_ok(file_read_at(dir, "f", sizeof text[0], &got, &len, &err), &err);
		assert_int_equal(len, sizeof text[0]);
		assert_memory_equal(got, text[got[0] == 'b'], len);
	}
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	unlinkat(dir, "f", 0);
	unlinkat(dir, "f.new", 0);
}

/* A link planted under the temporary name must not lead the write elsewhere. */
static void temporary_name_is_not_followed(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	assert_ok(file_write_atomic_at(dir, "victim", "safe", 4, 0644, &err), &err);
	assert_int_equal(symlinkat("victim", dir, "b.new"), 0);
	(void)file_write_atomic_at(dir, "b", "evil", 4, 0644, &err);
	expect_content("victim", "safe");
	unlinkat(dir, "victim", 0);
	unlinkat(dir, "b", 0);
	unlinkat(dir, "b.new", 0);
}

static void failed_write_leaves_nothing(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	assert_fails(file_write_atomic_at(dir, "no/such", "x", 1, 0644, &err), &err, ERR_NOTFOUND,
		"no/such");
	assert_int_equal(mkdirat(dir, "d", 0755), 0);
	assert_int_equal(mkdirat(dir, "d/full", 0755), 0);
	assert_fails(file_write_atomic_at(dir, "d", "x", 1, 0644, &err), &err, ERR_SYSTEM,
		"rename to d");
	assert_int_equal(entries(), 1);
	unlinkat(dir, "d/full", AT_REMOVEDIR);
	unlinkat(dir, "d", AT_REMOVEDIR);
}

static void read_limit_is_exact(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char text[10000];
	_cleanup_free_ char *got = NULL;
	size_t len = 0;
	memset(text, 'x', sizeof text);
	assert_ok(file_write_atomic_at(dir, "f", text, sizeof text, 0644, &err), &err);
	assert_fails(file_read_at(dir, "f", sizeof text - 1, &got, &len, &err), &err, ERR_FULL,
		"f is larger than 9999");
	assert_null(got);
	assert_ok(file_read_at(dir, "f", sizeof text, &got, &len, &err), &err);
	assert_int_equal(len, sizeof text);
	assert_int_equal(got[len], '\0');
	unlinkat(dir, "f", 0);
}

static void read_tells_what_is_wrong(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char *got = NULL;
	assert_fails(file_read_at(dir, "none", 10, &got, NULL, &err), &err, ERR_NOTFOUND, "none");
	assert_fails(file_read_at(dir, ".", 10, &got, NULL, &err), &err, ERR_SYSTEM, "read .");
}

static void directories_are_made_once(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s//p/q/r/", dir_path);
	assert_ok(dir_make_all(path, 0750, &err), &err);
	assert_ok(dir_make_all(path, 0750, &err), &err);
	assert_int_equal(fstatat(dir, "p/q/r", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_ok(dir_make_all("/", 0755, &err), &err);
	unlinkat(dir, "p/q/r", AT_REMOVEDIR);
	unlinkat(dir, "p/q", AT_REMOVEDIR);
	unlinkat(dir, "p", AT_REMOVEDIR);
}

static void a_file_is_no_directory(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char path[128];
	assert_ok(file_write_atomic_at(dir, "f", "x", 1, 0644, &err), &err);
	snprintf(path, sizeof path, "%s/f", dir_path);
	assert_fails(dir_make_all(path, 0755, &err), &err, ERR_EXISTS, "/f");
	snprintf(path, sizeof path, "%s/f/g", dir_path);
	assert_int_equal(dir_make_all(path, 0755, &err), -1);
	assert_fails(dir_make_all("", 0755, &err), &err, ERR_INVALID, "empty");
	unlinkat(dir, "f", 0);
}

/* More than the pipe holds, through a slow reader, on a non-blocking fd: EAGAIN and short writes.
 */
static void write_all_waits_for_the_reader(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	enum { SIZE = 300000 };
	static char data[SIZE];
	int p[2];
	memset(data, 'z', SIZE);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_ok(fd_set_nonblock(p[1], 1, &err), &err);
	pid_t reader = fork();
	if (reader == 0) {
		char buf[1000];
		size_t got = 0;
		ssize_t n;
		close(p[1]);
		while ((n = read(p[0], buf, sizeof buf)) > 0)
			got += (size_t)n;
		_exit(got == SIZE ? 0 : 1);
	}
	close(p[0]);
	assert_ok(fd_write_all(p[1], data, SIZE, &err), &err);
	close(p[1]);
	int status = -1;
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
}

static void write_all_to_nobody_fails(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	int p[2];
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	close(p[0]);
	assert_fails(fd_write_all(p[1], "x", 1, &err), &err, ERR_SYSTEM, strerror(EPIPE));
	close(p[1]);
	signal(SIGPIPE, old);
}

static void flags_go_on_and_off(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_fd_ int fd = dup(dir);
	assert_ok(fd_set_cloexec(fd, 1, &err), &err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_ok(fd_set_cloexec(fd, 0, &err), &err);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_ok(fd_set_nonblock(fd, 1, &err), &err);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_ok(fd_set_nonblock(fd, 0, &err), &err);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_fails(fd_set_cloexec(-1, 1, &err), &err, ERR_SYSTEM, "fd -1");
	assert_fails(fd_set_nonblock(-1, 1, &err), &err, ERR_SYSTEM, "fd -1");
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* In a child, whose descriptors nobody needs: bit i of its exit code = descriptor i was wrong. */
static void close_above_keeps_the_kept(void **state)
{
	(void)state;
	static const int keep[] = {45, 40, -1, 41, 3};
	pid_t pid = fork();
	if (pid == 0) {
		int wrong = 0;
		for (int fd = 40; fd < 50; fd++)
			dup2(dir, fd);
		fd_close_above(40, keep, ARRAY_SIZE(keep));
		for (int fd = 40; fd < 50; fd++)
			wrong += is_open(fd) != (fd == 40 || fd == 41 || fd == 45);
		wrong += !is_open(dir); /* below the lowest */
		fd_close_above(40, NULL, 0);
		for (int fd = 40; fd < 50; fd++)
			wrong += is_open(fd);
		_exit(wrong);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	fd_counted(write_then_read),
	fd_counted(readers_see_old_or_new),
	fd_counted(temporary_name_is_not_followed),
	fd_counted(failed_write_leaves_nothing),
	fd_counted(read_limit_is_exact),
	fd_counted(read_tells_what_is_wrong),
	fd_counted(directories_are_made_once),
	fd_counted(a_file_is_no_directory),
	fd_counted(write_all_waits_for_the_reader),
	fd_counted(write_all_to_nobody_fails),
	fd_counted(flags_go_on_and_off),
	fd_counted(close_above_keeps_the_kept),
};

UNIT_MAIN(tests, make_dir, remove_dir)
