/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path protection: see protect.h. The lists are those of stage1/init/common/app.go in rkt. Hidden is
 * what systemd's InaccessiblePaths= makes of a path: an empty file or directory without any
 * permission, on a read-only mount.
 */
#include "guest/protect.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/inroot.h"
#include "guest/mountfd.h"

#define HIDDEN_ATTRS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *const read_only[] = {
	"/proc/bus",
	"/proc/sys/kernel/core_pattern",
	"/proc/sys/kernel/modprobe",
	"/proc/sys/vm/panic_on_oom",
	"/proc/sysrq-trigger",
	"/sys/block",
	"/sys/bus",
	"/sys/class",
	"/sys/dev",
	"/sys/devices",
	"/sys/kernel",
};

static const char *const hidden[] = {
	"/proc/config.gz",
	"/proc/kallsyms",
	"/proc/kcore",
	"/proc/kmem",
	"/proc/mem",
	"/proc/sched_debug",
	"/sys/firmware",
	"/sys/fs",
	"/sys/hypervisor",
	"/sys/module",
	"/sys/power",
};

/* *ret -1: there is nothing. */
static int open_if_there(int root, const char *path, int *ret, struct err *err)
{
	*ret = inroot_open(root, path, O_PATH);
	if (*ret < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(err, "open %s", path);
	return 0;
}

static int make_read_only(int root, const char *path, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	if (open_if_there(root, path, &fd, err) < 0)
		return -1;
	if (fd >= 0 && mountfd_bind(fd, fd, MOUNT_ATTR_RDONLY, err) < 0)
		return err_wrap(err, "make %s read-only", path);
	return 0;
}

static int hide(int root, const char *path, int empty_dir, int empty_file, struct err *err)
{
	struct stat st;
	_cleanup_fd_ int fd = -1;
	if (open_if_there(root, path, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", path);
	int by = S_ISDIR(st.st_mode) ? empty_dir : empty_file;
	return mountfd_bind(by, fd, HIDDEN_ATTRS, err) < 0 ? err_wrap(err, "hide %s", path) : 0;
}

static int open_empty(const char *parent, const char *name, int flags, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", parent, name);
	int fd = open(path, flags | O_CLOEXEC, 0);
	return fd >= 0 ? fd : err_sys(err, "open %s", path);
}

static int hide_all(const char *dir, int root, struct err *err)
{
	_cleanup_free_ char *empty = xasprintf("%s/dir", dir);
	if (dir_make_all(dir, 0700, err) < 0 || dir_make_all(empty, 0, err) < 0)
		return -1;
	_cleanup_fd_ int empty_dir = open_empty(dir, "dir", O_PATH | O_DIRECTORY, err);
	if (empty_dir < 0)
		return -1;
	_cleanup_fd_ int empty_file = open_empty(dir, "file", O_RDONLY | O_CREAT, err);
	if (empty_file < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (hide(root, hidden[i], empty_dir, empty_file, err) < 0)
			return -1;
	}
	return 0;
}

int protect_paths(const char *dir, int root, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		if (make_read_only(root, read_only[i], err) < 0)
			return -1;
	}
	return hide_all(dir, root, err);
}
