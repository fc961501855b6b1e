/* SPDX-License-Identifier: Apache-2.0 */
/* What is found beside the running program, and what is taken when nothing is. */
/* LINK: base */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/self.h"

/* This program's own directory. */
static char *own(void)
{
	char *path = realpath("/proc/self/exe", NULL);
	*strrchr(path, '/') = '\0';
	return path;
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	close(fd);
}

static void test_beside(void **state)
{
	(void)state;
	_cleanup_free_ char *dir = own();
	_cleanup_free_ char *file = xasprintf("%s/self-%d", dir, (int)getpid());
	const char *name = strrchr(file, '/') + 1;
	_cleanup_free_ char *round = xasprintf("../%s/%s", strrchr(dir, '/') + 1, name);
	assert_null(self_beside(name));
	touch(file);
	_cleanup_free_ char *found = self_beside(name);
	_cleanup_free_ char *same = self_beside(round);
	_cleanup_free_ char *lib = self_lib(name);
	_cleanup_free_ char *libdir = self_libdir(name);
	unlink(file);
	assert_string_equal(found, file);
	assert_string_equal(same, file); /* a real path */
	assert_string_equal(lib, file);
	assert_string_equal(libdir, dir);
}

static void test_nowhere(void **state)
{
	(void)state;
	_cleanup_free_ char *wanted = xasprintf("%s/no-such-program", self_built_for());
	_cleanup_free_ char *lib = self_lib("no-such-program");
	_cleanup_free_ char *libdir = self_libdir("no-such-program");
	assert_string_equal(lib, wanted);
	assert_string_equal(libdir, self_built_for());
	assert_int_equal(*self_built_for(), '/');
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_beside),
	cmocka_unit_test(test_nowhere),
};

UNIT_MAIN(tests, NULL, NULL)
