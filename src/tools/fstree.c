/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal by directory descriptors only. A guest can nest directories deeper than a process may
 * open descriptors, so what lies too deep is moved up and removed from there.
 */
#include "tools/fstree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DEPTH_MAX 64

struct removal {
	int top; /* directory into which deep subtrees are moved; -1 until needed */
	dev_t dev;
	unsigned long moved;
};

static int remove_entry(
	struct removal *rm, int dirfd, const char *name, int depth, struct err *err);

static int remove_contents(struct removal *rm, int fd, int depth, struct err *err)
{
	/* Not a dup: that would share the offset, and a second pass would see nothing. */
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *d = again < 0 ? NULL : fdopendir(again);
	if (!d)
		return err_sys(err, "read directory");
	struct dirent *de;
	while ((errno = 0, de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (remove_entry(rm, fd, de->d_name, depth + 1, err) < 0)
			return -1;
	}
	return errno ? err_sys(err, "read directory") : 0;
}

static int move_up(struct removal *rm, int dirfd, const char *name, struct err *err)
{
	char to[64];
	do
		snprintf(to, sizeof(to), ".xenpod-deep-%lu", rm->moved++);
	while (faccessat(rm->top, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(dirfd, name, rm->top, to) < 0)
		return err_sys(err, "move %s up", name);
	return 0;
}

static int remove_dir(struct removal *rm, int dirfd, const char *name, int depth, struct err *err)
{
	if (depth > DEPTH_MAX)
		return move_up(rm, dirfd, name, err);
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open %s", name);
	if (st.st_dev != rm->dev)
		return err_set(err, ERR_STATE, "%s: something is still mounted here", name);
	bool top = rm->top < 0;
	if (top)
		rm->top = fd;
	unsigned long moved;
	/* Until a pass has moved nothing more to the top. */
	do {
		moved = rm->moved;
		if (remove_contents(rm, fd, depth, err) < 0)
			return err_wrap(err, "%s", name);
	} while (top && moved != rm->moved);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s", name);
	return 0;
}

static int remove_entry(struct removal *rm, int dirfd, const char *name, int depth, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EBUSY)
		return err_sys(err, "remove %s", name);
	return remove_dir(rm, dirfd, name, depth, err);
}

int fstree_remove_at(int dirfd, const char *name, struct err *err)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "%s", name);
	struct stat parent;
	if (fstat(dirfd, &parent) < 0)
		return err_sys(err, "stat");
	struct removal rm = {.top = -1, .dev = parent.st_dev};
	return remove_entry(&rm, dirfd, name, 0, err);
}
