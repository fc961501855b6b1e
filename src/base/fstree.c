/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal by directory descriptors only. A guest can nest directories deeper than a process may
 * open descriptors, so what lies too deep is moved up and removed from there.
 */
#include "base/fstree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/progress.h"

#define DEPTH_MAX 64

struct level {
	DIR *dir;
	char name[NAME_MAX + 1]; /* in the level above */
};

/* level[0] is the tree's own directory; what lies too deep is moved into it. */
struct removal {
	int above; /* the directory that the tree is in */
	dev_t dev;
	struct level level[DEPTH_MAX];
	size_t n;
	unsigned long moved;
	unsigned long moved_before; /* when the present pass over level[0] began */
};

static int parent_fd(const struct removal *rm)
{
	return rm->n > 1 ? dirfd(rm->level[rm->n - 2].dir) : rm->above;
}

static int push(struct removal *rm, int fd, const char *name, struct err *err)
{
	_cleanup_fd_ int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (sub < 0 || fstat(sub, &st) < 0)
		return err_sys(err, "open %s", name);
	if (st.st_dev != rm->dev)
		return err_set(err, ERR_STATE, "%s: something is still mounted here", name);
	struct level *l = &rm->level[rm->n];
	l->dir = fdopendir(sub);
	if (!l->dir)
		return err_sys(err, "read %s", name);
	TAKE_FD(sub);
	snprintf(l->name, sizeof(l->name), "%s", name);
	rm->n++;
	return 0;
}

static int move_up(struct removal *rm, int fd, const char *name, struct err *err)
{
	int top = dirfd(rm->level[0].dir);
	char to[64];
	do
		snprintf(to, sizeof(to), ".xenpod-deep-%lu", rm->moved++);
	while (faccessat(top, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(fd, name, top, to) < 0)
		return err_sys(err, "move %s up", name);
	return 0;
}

static int remove_entry(struct removal *rm, int fd, const char *name, struct err *err)
{
	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EBUSY)
		return err_sys(err, "remove %s", name);
	if (rm->n == DEPTH_MAX)
		return move_up(rm, fd, name, err);
	return push(rm, fd, name, err);
}

/* A level is read to its end: the tree's own is gone through again until nothing was moved to it.
 */
static int leave_level(struct removal *rm, struct err *err)
{
	struct level *l = &rm->level[rm->n - 1];
	if (rm->n == 1 && rm->moved != rm->moved_before) {
		rm->moved_before = rm->moved;
		rewinddir(l->dir);
		return 0;
	}
	int r = unlinkat(parent_fd(rm), l->name, AT_REMOVEDIR);
	if (r < 0 && errno == ENOENT)
		r = 0;
	if (r < 0)
		err_sys(err, "remove %s", l->name);
	closedir(l->dir);
	rm->n--;
	return r;
}

static int remove_next(struct removal *rm, struct err *err)
{
	DIR *dir = rm->level[rm->n - 1].dir;
	errno = 0;
	const struct dirent *de = readdir(dir);
	if (!de && errno)
		return err_sys(err, "read %s", rm->level[rm->n - 1].name);
	if (!de)
		return leave_level(rm, err);
	if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
		return 0;
	return remove_entry(rm, dirfd(dir), de->d_name, err);
}

static int remove_tree(int dirfd, const char *name, dev_t dev, struct err *err)
{
	struct removal rm = {.above = dirfd, .dev = dev};
	int r = remove_entry(&rm, dirfd, name, err);
	while (r == 0 && rm.n) {
		progress_turn(); /* a tree may have a million files */
		r = remove_next(&rm, err);
	}
	while (rm.n)
		closedir(rm.level[--rm.n].dir);
	return r;
}

int fstree_remove_at(int dirfd, const char *name, struct err *err)
{
	struct stat st;
	struct stat parent;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "%s", name);
	_cleanup_free_ char *copy = xstrdup(name);
	_cleanup_fd_ int fd = openat(dirfd, dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &parent) < 0)
		return err_sys(err, "directory of %s", name);
	const char *slash = strrchr(name, '/');
	return remove_tree(fd, slash ? slash + 1 : name, parent.st_dev, err);
}
