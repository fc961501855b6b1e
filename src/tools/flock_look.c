/* SPDX-License-Identifier: Apache-2.0 */
/* See flock_look.h. */
#include "tools/flock_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

/* One line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF" (proc(5)). */
static bool is_of(char *line, const struct stat *st, pid_t *ret_holder)
{
	enum { KIND = 1, MODE = 3, PID = 4, FILE_ID = 5, FIELDS };
	const char *field[FIELDS] = {NULL};
	char *save = NULL;
	char *s = line;
	char want[64];
	for (int i = 0; i < FIELDS; i++, s = NULL) {
		field[i] = strtok_r(s, " ", &save);
		if (!field[i])
			return false;
	}
	snprintf(want, sizeof(want), "%02x:%02x:%llu", major(st->st_dev), minor(st->st_dev),
		(unsigned long long)st->st_ino);
	if (strcmp(field[KIND], "FLOCK") != 0 || strcmp(field[MODE], "WRITE") != 0 ||
		strcmp(field[FILE_ID], want) != 0)
		return false;
	long pid = strtol(field[PID], NULL, 10);
	*ret_holder = pid > 0 ? (pid_t)pid : 0;
	return true;
}

static bool is_listed(const struct stat *st, pid_t *ret_holder)
{
	char line[256];
	_cleanup_file_ FILE *f = fopen("/proc/locks", "re");
	while (f && fgets(line, sizeof(line), f))
		if (is_of(line, st, ret_holder))
			return true;
	return false;
}

enum flock_state flock_look(const char *path, bool expected, pid_t *ret_holder)
{
	struct stat st;
	*ret_holder = 0;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? FLOCK_MISSING : FLOCK_UNKNOWN;
	if (fstat(fd, &st) < 0)
		return FLOCK_UNKNOWN;
	if (is_listed(&st, ret_holder))
		return FLOCK_HELD;
	if (expected && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return FLOCK_HELD;
	return FLOCK_FREE;
}
