/* SPDX-License-Identifier: Apache-2.0 */
/* Probing helper locks: see helperlock.h. */
#include "daemon/helperlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static int open_lock(const char *run_dir, const char *uuid)
{
	_cleanup_free_ char *path = xasprintf("%s/lock/%s", run_dir, uuid);
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

bool helperlock_held(const char *run_dir, const char *uuid)
{
	_cleanup_fd_ int fd = open_lock(run_dir, uuid);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* One line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF" (proc(5)). */
static pid_t holder_in(const char *line, const struct stat *st)
{
	char kind[16];
	int pid;
	unsigned maj;
	unsigned min;
	unsigned long ino;
	if (sscanf(line, "%*d: %15s %*s %*s %d %x:%x:%lu", kind, &pid, &maj, &min, &ino) != 5)
		return -1;
	bool same = !strcmp(kind, "FLOCK") && ino == st->st_ino && maj == major(st->st_dev) &&
		    min == minor(st->st_dev);
	return same ? pid : -1;
}

void helperlock_kill(const char *run_dir, const char *uuid)
{
	_cleanup_fd_ int fd = open_lock(run_dir, uuid);
	_cleanup_file_ FILE *f = fopen("/proc/locks", "re");
	struct stat st;
	if (fd < 0 || !f || fstat(fd, &st) < 0)
		return;
	char line[256];
	while (fgets(line, sizeof line, f)) {
		pid_t pid = holder_in(line, &st);
		if (pid > 1)
			kill(pid, SIGKILL);
	}
}
