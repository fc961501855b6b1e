/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount namespace of the test's own, and in it a directory with a tmpfs: what is mounted is seen by
 * nobody else and gone with the process. Needs root.
 */
#ifndef UNIT_MOUNTNS_H
#define UNIT_MOUNTNS_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char mountns_dir[] = "/tmp/xenpod-test-mountns-XXXXXX";

/* A group's setup: the working directory is the new one. */
static inline int mountns_setup(void **state)
{
	(void)state;
	umask(022);
	if (!mkdtemp(mountns_dir) || unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("test", mountns_dir, "tmpfs", 0, "mode=755") < 0)
		return -1;
	return chdir(mountns_dir);
}

static inline int mountns_teardown(void **state)
{
	(void)state;
	if (chdir("/") < 0 || umount2(mountns_dir, MNT_DETACH) < 0)
		return -1;
	return rmdir(mountns_dir);
}

/* Paths are relative to the working directory. */
static inline void mountns_mkdir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static inline void mountns_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void mountns_tmpfs(const char *path)
{
	assert_int_equal(mount("test", path, "tmpfs", 0, "mode=755"), 0);
}

static inline void mountns_reads(int dirfd, const char *path, const char *want)
{
	char text[256] = {0};
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s cannot be opened", path);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	assert_true(n >= 0);
	assert_string_equal(text, want);
}

#endif
