/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's filter on the real kernel: what would harm the host is refused, all else goes on. */
/* LINK: act proto base */
/* LIBS: seccomp */
/* VALGRIND: no, valgrind itself would be under the filter in the child */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/guard.h"
#include "base/cleanup.h"
#include "base/json.h"

static char dir[] = "/tmp/xenpod-guard-XXXXXX";

static int setup(void **state)
{
	(void)state;
	umask(0);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink("file");
	(void)unlink("made");
	(void)unlink("fifo");
	return chdir("/") < 0 ? -1 : rmdir(dir);
}

static bool refused(int r)
{
	return r < 0 && errno == EPERM;
}

/* The number of the first thing that is not as it should be; 0: all is. */
static int in_the_child(const struct guard *g)
{
	int file = open("file", O_RDWR | O_CREAT, 0644);
	if (file < 0 || guard_apply(g) < 0)
		return 1;
	if (!refused(chmod("file", 04755)) || !refused(fchmod(file, 04644)))
		return 2;
	if (!refused(fchmodat(AT_FDCWD, "file", 02755, 0)) || !refused(chmod("file", 06777)))
		return 3;
	if (chmod("file", 0755) < 0 || fchmod(file, 02644) < 0 || chmod("file", 01644) < 0)
		return 4;
	if (!refused(open("made", O_WRONLY | O_CREAT, 04755)) || !refused(creat("made", 04700)))
		return 5;
	if (open("file", O_RDONLY, 04755) < 0 || open("made", O_WRONLY | O_CREAT, 0755) < 0)
		return 6;
	if (!refused(mknod("node", S_IFCHR | 0600, makedev(1, 3))) ||
		!refused(mknodat(AT_FDCWD, "node", S_IFBLK | 0600, makedev(8, 0))))
		return 7;
	return mknod("fifo", S_IFIFO | 0600, 0) < 0 ? 8 : 0;
}

static void what_the_host_could_run_is_not_made(void **state)
{
	(void)state;
	struct err err = {0};
	struct guard g = {0};
	int status = 0;
	assert_ok(guard_make(&g, &err), &err);
	pid_t pid = fork();
	if (pid == 0)
		_exit(in_the_child(&g));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	guard_done(&g);
}

static void only_for_what_is_the_hosts_own(void **state)
{
	(void)state;
	static const struct {
		const char *trees;
		bool needed;
	} rows[] = {
		{"[]", false},
		{"[{\"tag\":\"app0\",\"read_only\":false}]", false},
		{"[{\"tag\":\"vol0\",\"host\":true,\"read_only\":true}]", false},
		{"[{\"tag\":\"app0\"},{\"tag\":\"vol0\",\"host\":true}]", true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *trees =
			json_parse(rows[i].trees, strlen(rows[i].trees), "trees", NULL);
		assert_int_equal(guard_needed(trees), rows[i].needed);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_the_host_could_run_is_not_made),
	cmocka_unit_test(only_for_what_is_the_hosts_own),
};

UNIT_MAIN(tests, setup, teardown)
