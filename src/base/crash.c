/* SPDX-License-Identifier: Apache-2.0 */
/* Dying where one is told to: see crash.h. In all but one build this file is empty. */
#ifdef XENPOD_CRASH
#include "base/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINE_MAX_ 64

static int dir_open(void)
{
	const char *dir = getenv("XENPOD_CRASH_DIR");
	return open(dir ? dir : "/run/xenpod", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void tell(int dir, const char *name)
{
	_cleanup_fd_ int fd =
		openat(dir, "crash-log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		dprintf(fd, "%d %s\n", (int)getpid(), name);
}

static void die(const char *who)
{
	bool other =
		!strcmp(who, "parent") && strcmp(program_invocation_short_name, "xenpodd") != 0;
	kill(other ? getppid() : getpid(), SIGKILL);
	if (other)
		return;
	for (;;)
		pause();
}

void crash_point(const char *name)
{
	char line[LINE_MAX_] = "";
	char who[16] = "";
	long n = 0;
	_cleanup_fd_ int dir = dir_open();
	_cleanup_fd_ int fd = openat(dir, "crash-at", O_RDWR | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0 || read(fd, line, sizeof line - 1) < 0)
		return;
	if (sscanf(line, "%ld %15s", &n, who) < 1)
		return;
	tell(dir, name);
	if (n == 1) {
		unlinkat(dir, "crash-at", 0);
		die(who);
		return;
	}
	if (n > 1 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		dprintf(fd, "%ld %s\n", n - 1, who);
}
#endif
