/* SPDX-License-Identifier: Apache-2.0 */
/* Boot id and directories: see setup.h. */
#include "daemon/setup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "daemon/loop.h"

int setup_boot_id(char *ret, size_t size, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL, err) < 0)
		return -1;
	text[strcspn(text, "\n")] = '\0';
	snprintf(ret, size, "%s", text);
	return 0;
}

int setup_dirs(const char *state_dir, const char *run_dir, struct err *err)
{
	_cleanup_free_ char *pods = xasprintf("%s/pods", run_dir);
	_cleanup_free_ char *lock = xasprintf("%s/lock", run_dir);
	if (dir_make_all(state_dir, 0700, err) < 0 || dir_make_all(run_dir, 0755, err) < 0 ||
		dir_make_all(pods, 0700, err) < 0)
		return -1;
	return dir_make_all(lock, 0700, err);
}

int64_t setup_boot_ns(void *clock)
{
	(void)clock;
	return clock_boot_ns();
}

int64_t setup_wall_ns(void *clock)
{
	(void)clock;
	return clock_wall_ns();
}
