/* SPDX-License-Identifier: Apache-2.0 */
/* Leaks of descriptors: a group's teardown compares with its setup. */
#ifndef UNIT_FDCOUNT_H
#define UNIT_FDCOUNT_H

#include <dirent.h>

/* How many descriptors this process has open. */
static inline int fd_count(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* As a test's setup and teardown: fails the test when it leaves more or fewer open. */
static inline int fd_count_setup(void **state)
{
	*state = (void *)(intptr_t)fd_count();
	return 0;
}

static inline int fd_count_teardown(void **state)
{
	int before = (int)(intptr_t)*state;
	int now = fd_count();
	if (now != before)
		print_error("# %d descriptors open before, %d after\n", before, now);
	return now == before ? 0 : -1;
}

#define fd_counted(test) cmocka_unit_test_setup_teardown(test, fd_count_setup, fd_count_teardown)

#endif
