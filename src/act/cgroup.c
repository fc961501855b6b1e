/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup v2 by its files (Linux, admin-guide/cgroup-v2.rst): see cgroup.h. */
#include "act/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/files.h"

#define STEP_NS     (10 * 1000 * 1000L)
#define EMPTY_TRIES 1000

static int write_file(int dirfd, const char *name, const char *text, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", name);
	if (write(fd, text, strlen(text)) < 0)
		return err_sys(err, "write %s", name);
	return 0;
}

int cgroup_join(const char *dir, struct err *err)
{
	struct statfs fs;
	if (dir_make_all(dir, 0755, err) < 0)
		return err_wrap(err, "cgroup");
	_cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cgroup %s", dir);
	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, "cgroup %s", dir);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(err, ERR_UNSUPPORTED,
			"%s is not in a cgroup v2 hierarchy: mount one (mount -t cgroup2 ...)",
			dir);
	if (write_file(fd, "cgroup.procs", "0", err) < 0)
		return err_wrap(err, "join cgroup %s", dir);
	return 0;
}

/* 1 when processes are in it or below, 0 when none, -1. */
static int is_populated(int dirfd, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(dirfd, "cgroup.events", 4096, &text, NULL, err) < 0)
		return -1;
	return strstr(text, "populated 1") != NULL;
}

int cgroup_populated(const char *dir, bool *ret, struct err *err)
{
	_cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret = false;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cgroup %s", dir);
	int r = is_populated(fd, err);
	if (r < 0)
		return err_wrap(err, "cgroup %s", dir);
	*ret = r;
	return 0;
}

static int wait_empty(int dirfd, struct err *err)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	for (int i = 0; i < EMPTY_TRIES; i++) {
		int r = is_populated(dirfd, err);
		if (r <= 0)
			return r;
		nanosleep(&step, NULL);
	}
	return err_set(err, ERR_TIMEOUT, "its processes do not die (SIGKILL, 10 s)");
}

/* Its files go with the directory; what is not empty after all stays, and is the error. */
static int remove_dir(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)where;
	return type == FTW_DP && rmdir(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int remove_tree(const char *dir, struct err *err)
{
	if (nftw(dir, remove_dir, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return err_sys(err, "remove");
	return 0;
}

int cgroup_clear(const char *dir, struct err *err)
{
	_cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cgroup %s", dir);
	if (write_file(fd, "cgroup.kill", "1", err) < 0 || wait_empty(fd, err) < 0 ||
		remove_tree(dir, err) < 0)
		return err_wrap(err, "cgroup %s", dir);
	return 0;
}
