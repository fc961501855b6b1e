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
static pid_t holder_in(char *line, const struct stat *st)
{
	enum { KIND = 1, PID = 4, FILE_ID = 5, FIELDS };
	const char *field[FIELDS] = {NULL};
	char *save = NULL;
	char *s = line;
	for (int i = 0; i < FIELDS; i++, s = NULL) {
		field[i] = strtok_r(s, " ", &save);
		if (!field[i])
			return -1;
	}
	char want[64];
	snprintf(want, sizeof want, "%02x:%02x:%llu", major(st->st_dev), minor(st->st_dev),
		(unsigned long long)st->st_ino);
	bool same = !strcmp(field[KIND], "FLOCK") && !strcmp(field[FILE_ID], want);
	return same ? (pid_t)strtol(field[PID], NULL, 10) : -1;
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
