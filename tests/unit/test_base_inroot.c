/* SPDX-License-Identifier: Apache-2.0 */
/* Paths below a root whose owner means no good: whatever they say, they stay inside. */
/* LINK: base */
/* VALGRIND: no, 3.19 does not know openat2(2) */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "fdcount.h"
#include "mountns.h"

#define FOR_EVER 1000000

static int root = -1;
static int interrupted; /* so many calls are answered as if something had been renamed */

/* In place of libc's; nothing here calls it but what is tested. */
long syscall(long number, ...)
{
	va_list ap;
	va_start(ap, number);
	int dir = va_arg(ap, int);
	const char *path = va_arg(ap, const char *);
	struct open_how *how = va_arg(ap, struct open_how *);
	size_t size = va_arg(ap, size_t);
	va_end(ap);
	assert_int_equal(number, SYS_openat2);
	if (interrupted > 0) {
		interrupted--;
		errno = EAGAIN;
		return -1;
	}
	long (*real)(long, ...);
	*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, dir, path, how, size);
}

/* The root is root/; what no path may reach is secret/ beside it. Both have a file of one name. */
static int group_setup(void **state)
{
	if (mountns_setup(state) < 0)
		return -1;
	mountns_mkdir("secret");
	mountns_write("secret/file", "outside");
	mountns_mkdir("root");
	mountns_mkdir("root/d");
	mountns_write("root/d/file", "inside");
	mountns_mkdir("root/proc");
	root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : mount("proc", "root/proc", "proc", 0, NULL);
}

static int group_teardown(void **state)
{
	fd_close(&root);
	return mountns_teardown(state);
}

/* T is replaced by where the test's directory is on the host. */
static const struct way {
	const char *link; /* what root/l points to */
	const char *path;
	int want; /* 0: it is root/d/file */
} ways[] = {
	{"x", "/d/file", 0},
	{"x", "d/file", 0},
	{"x", "/../../d/./../d/file", 0},
	{"d/file", "/l", 0},
	{"/d", "/l/file", 0},
	{"../../../../d/file", "l", 0},
	{"/d/../..", "/l/d/file", 0},
	{"x", "/nothing", ENOENT},
	{"x", "/l", ENOENT},
	{"x", "/../secret/file", ENOENT},
	{"../secret", "/l/file", ENOENT},
	{"/../secret/file", "/l", ENOENT},
	{"T/secret/file", "/l", ENOENT},
	{"..", "/l/secret/file", ENOENT},
	{"l", "/l", ELOOP},
	{"x", "/d/file/x", ENOTDIR},
	{"x", "/proc/self/root/d/file", ELOOP}, /* a link that is none: it leads anywhere */
	{"/proc/self/cwd", "/l/secret/file", ELOOP},
};

static void check_way(const struct way *w)
{
	char target[PATH_MAX];
	char text[16] = "";
	snprintf(target, sizeof target, "%s%s", mountns_dir, w->link + 1);
	assert_int_equal(symlink(*w->link == 'T' ? target : w->link, "root/l"), 0);
	errno = 0;
	_cleanup_fd_ int fd = inroot_open(root, w->path, O_RDONLY);
	int got = errno;
	assert_int_equal(unlink("root/l"), 0);
	if (w->want ? fd >= 0 || got != w->want : fd < 0 || read(fd, text, sizeof text - 1) < 0)
		fail_msg("%s, link to %s: %d, %s", w->path, w->link, fd, strerror(got));
	if (!w->want)
		assert_string_equal(text, "inside");
}

static void every_way_stays_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		check_way(&ways[i]);
}

static void flags_are_the_callers_and_close_on_exec(void **state)
{
	(void)state;
	_cleanup_fd_ int fd = inroot_open(root, "/", O_PATH | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_PATH);
	assert_int_equal(inroot_open(root, "/d/file", O_PATH | O_DIRECTORY), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(symlink("file", "root/d/l"), 0);
	assert_int_equal(inroot_open(root, "/d/l", O_RDONLY | O_NOFOLLOW), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink("root/d/l"), 0);
}

/* openat2(2): EAGAIN when any directory of the host is renamed while a ".." is walked. */
static void renames_elsewhere_do_no_harm(void **state)
{
	(void)state;
	interrupted = 10;
	_cleanup_fd_ int fd = inroot_open(root, "/d/../d/file", O_PATH);
	assert_true(fd >= 0);
	assert_int_equal(interrupted, 0);
	interrupted = FOR_EVER;
	assert_int_equal(inroot_open(root, "/d/../d/file", O_PATH), -1);
	assert_int_equal(errno, EAGAIN);
	interrupted = 0;
}

static const struct CMUnitTest tests[] = {
	fd_counted(every_way_stays_inside),
	fd_counted(flags_are_the_callers_and_close_on_exec),
	fd_counted(renames_elsewhere_do_no_harm),
};

UNIT_MAIN(tests, group_setup, group_teardown)
