/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching and removing the exported trees: see exports.h. */
#include "act/exports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/mounts.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/files.h"
#include "proto/world.h"

#define HOLDER_FLAGS   (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define HOLDER_OPTIONS "size=4k,nr_inodes=2,mode=0755" /* the root and one file */

static int check_kind(const struct tree *t, struct err *err)
{
	struct stat st;
	if (fstat(t->fd, &st) < 0)
		return err_sys(err, "its descriptor");
	if (!t->file && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, "it is not a directory");
	if (!t->file)
		return 0;
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, "it is not a file");
	if (!*t->file || strchr(t->file, '/') || !strcmp(t->file, ".") || !strcmp(t->file, ".."))
		return err_set(err, ERR_INVALID, "\"%s\" is not the name of a file", t->file);
	return 0;
}

static uint64_t mount_id(int fd, const char *path)
{
	struct statx sx = {0};
	int flags = AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH);
	if (statx(fd, path, flags, STATX_MNT_ID, &sx) < 0 || !(sx.stx_mask & STATX_MNT_ID))
		return 0;
	return sx.stx_mnt_id;
}

/*
 * An attach sent again: the descriptor is that very mount. It must stay, for a mount that was
 * unmounted cannot be attached a second time, nor (before Linux 6.15) a detached one be cloned.
 */
static bool is_attached(const struct tree *t, const char *path)
{
	uint64_t id = mount_id(t->fd, "");
	return id && id == mount_id(AT_FDCWD, path);
}

static int attach_mount(const struct tree *t, const char *path, struct err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.propagation = MS_PRIVATE,
	};
	if (t->read_only)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	/* Recursive also for a single mount: then whatever was cloned obeys. */
	if (mount_setattr(t->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
		return err_sys(err, "set its mount attributes");
	if (move_mount(t->fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "attach it to %s", path);
	return 0;
}

static int attach_dir(const struct tree *t, const char *path, struct err *err)
{
	int lazy = 0;
	if (is_attached(t, path))
		return 0;
	if (mounts_remove(path, &lazy, err) < 0)
		return -1;
	return attach_mount(t, path, err);
}

static int make_holder(const char *path, const char *file, struct err *err)
{
	int lazy = 0;
	if (mounts_remove(path, &lazy, err) < 0)
		return -1;
	if (mount("xenpod", path, "tmpfs", HOLDER_FLAGS, HOLDER_OPTIONS) < 0)
		return err_sys(err, "mount a tmpfs on %s", path);
	_cleanup_fd_ int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "make %s", file);
	return 0;
}

/* Closed last, also when the rest was done by an attach that died before that. */
static int attach_file(const struct tree *t, const char *path, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("%s/%s", path, t->file);
	struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY};
	if (!is_attached(t, file) &&
		(make_holder(path, file, err) < 0 || attach_mount(t, file, err) < 0))
		return -1;
	if (mount_setattr(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &closed, sizeof closed) < 0)
		return err_sys(err, "make %s read-only", path);
	return 0;
}

static int attach_one(const struct tree *t, const char *path, struct err *err)
{
	if (check_kind(t, err) < 0)
		return -1;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make directory %s", path);
	return t->file ? attach_file(t, path, err) : attach_dir(t, path, err);
}

int exports_attach(const char *dir, const struct tree *trees, size_t n, struct err *err)
{
	_cleanup_free_ char *base = xasprintf("%s/tree", dir);
	if (dir_make_all(base, 0700, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *path = xasprintf(WORLD_TREE_FMT, dir, i);
		if (attach_one(&trees[i], path, err) < 0)
			return err_wrap(err, "tree %zu", i);
		crash_point("tree-attached");
	}
	return 0;
}

static int check_mounted(const char *path, struct err *err)
{
	struct statx sx = {0};
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) < 0)
		return err_sys(err, "it is not exported: %s", path);
	if (!(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return err_set(
			err, ERR_NOTFOUND, "it is not exported: nothing is mounted on %s", path);
	return 0;
}

int exports_check(const char *dir, const struct tree *trees, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *file = trees[i].file;
		_cleanup_free_ char *path = xasprintf(WORLD_TREE_FMT, dir, i);
		_cleanup_free_ char *whole =
			xasprintf("%s%s%s", path, file ? "/" : "", file ? file : "");
		if (check_mounted(path, err) < 0 || check_mounted(whole, err) < 0)
			return err_wrap(err, "tree %zu", i);
	}
	return 0;
}

/* rmdir only: had something stayed mounted or been put there, it fails and nothing is lost. */
static int remove_dir(int parent, const char *name, struct err *err)
{
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, "remove directory %s", name);
	return 0;
}

static int remove_trees(const char *base, struct err *err)
{
	_cleanup_dir_ DIR *d = opendir(base);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(err, "open %s", base);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (remove_dir(dirfd(d), e->d_name, err) < 0)
			return err_wrap(err, "%s", base);
	}
	return remove_dir(AT_FDCWD, base, err);
}

int exports_remove(const char *dir, int *lazy, struct err *err)
{
	_cleanup_free_ char *base = xasprintf("%s/tree", dir);
	if (mounts_remove(dir, lazy, err) < 0 || remove_trees(base, err) < 0)
		return -1;
	crash_point("trees-removed");
	return remove_dir(AT_FDCWD, dir, err);
}
