/* SPDX-License-Identifier: Apache-2.0 */
/* Paths confined to an app's root: see rootfs.h. */
#include "guest/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/inroot.h"

#define LINKS_MAX 40 /* as many as the kernel follows: MAXSYMLINKS */

int rootfs_stat(int root, const char *path, int nofollow, struct stat *ret)
{
	_cleanup_fd_ int fd = inroot_open(root, path, O_PATH | (nofollow ? O_NOFOLLOW : 0));
	return fd < 0 ? -1 : fstat(fd, ret);
}

static int read_up_to(int fd, const char *path, size_t max, char **ret, struct err *err)
{
	_cleanup_free_ char *buf = xmalloc(max + 2);
	size_t len = 0;
	while (len <= max) {
		ssize_t n = read(fd, buf + len, max + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read %s", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max)
		return err_set(err, ERR_FULL, "%s is larger than %zu bytes", path, max);
	buf[len] = '\0';
	*ret = TAKE_PTR(buf);
	return 0;
}

int rootfs_read(int root, const char *path, size_t max, char **ret, struct err *err)
{
	struct stat st;
	_cleanup_fd_ int fd = inroot_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a regular file", path);
	return read_up_to(fd, path, max, ret, err);
}

/* The directory that holds `path`, and the last part's name. */
static int open_parent(int root, const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent =
		slash && slash > path ? xstrndup(path, (size_t)(slash - path)) : xstrdup("/");
	int fd = inroot_open(root, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return err_sys(err, "open %s", parent);
	*ret_name = slash ? slash + 1 : path;
	return fd;
}

int rootfs_make_dir(int root, const char *path, mode_t mode, struct err *err)
{
	const char *name = NULL;
	int fd = inroot_open(root, path, O_PATH | O_DIRECTORY);
	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : err_sys(err, "open %s", path);
	_cleanup_fd_ int parent = open_parent(root, path, &name, err);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, name, mode) < 0)
		return err_sys(err, "make directory %s", path);
	/* The umask must not take the sticky bit's companions from /tmp. */
	if (fchmodat(parent, name, mode, 0) < 0)
		return err_sys(err, "set the mode of %s", path);
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(err, "open %s", path);
}

/* ---- targets of mounts ----------------------------------------------------------------------- */

static int make_entry(int parent, const char *name, bool dir)
{
	if (dir) {
		if (mkdirat(parent, name, 0755) < 0)
			return -1;
	} else {
		int made = openat(
			parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (made < 0)
			return -1;
		close(made);
	}
	return openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* `name`, of `len` bytes at `path`, is a link that leads nowhere: the path with what it says. */
static char *path_by_link(int parent, const char *path, const char *name, size_t len)
{
	char link[PATH_MAX];
	_cleanup_free_ char *entry = xstrndup(name, len);
	ssize_t n = readlinkat(parent, entry, link, sizeof(link));
	if (n <= 0 || (size_t)n >= sizeof(link))
		return NULL;
	int before = link[0] == '/' ? 0 : (int)(name - path);
	return xasprintf("%.*s%.*s%s", before, path, (int)n, link, name + len);
}

/*
 * Follows `path` from part to part and makes what is missing. Each beginning of the path is resolved
 * anew from the root, so links and ".." are the kernel's business. *ret_next: the path to go on with
 * when a link led to something that is not there.
 */
static int walk(int root, const char *path, bool dir, char **ret_next, struct err *err)
{
	_cleanup_fd_ int at = inroot_open(root, "/", O_PATH | O_DIRECTORY);
	const char *name = path + strspn(path, "/");
	while (at >= 0 && *name) {
		size_t len = strcspn(name, "/");
		const char *next = name + len + strspn(name + len, "/");
		_cleanup_free_ char *so_far = xstrndup(path, (size_t)(name - path) + len);
		_cleanup_fd_ int fd = inroot_open(root, so_far, O_PATH | (*next ? O_DIRECTORY : 0));
		if (fd < 0 && errno == ENOENT) {
			_cleanup_free_ char *entry = xstrndup(name, len);
			fd = make_entry(at, entry, *next || dir);
		}
		if (fd < 0 && errno == EEXIST)
			*ret_next = path_by_link(at, path, name, len);
		if (fd < 0)
			return *ret_next ? -1 : err_sys(err, "open or make %s", so_far);
		close(at);
		at = TAKE_FD(fd);
		name = next;
	}
	return at >= 0 ? TAKE_FD(at) : err_sys(err, "open the root");
}

static int check_kind(int fd, const char *path, bool dir, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", path);
	if (S_ISDIR(st.st_mode) && !dir)
		return err_set(err, ERR_INVALID, "%s is a directory, not a file", path);
	if (!S_ISDIR(st.st_mode) && dir)
		return err_set(err, ERR_INVALID, "%s is not a directory", path);
	return 0;
}

int rootfs_make_target(int root, const char *path, bool dir, struct err *err)
{
	_cleanup_free_ char *way = xstrdup(path);
	for (int i = 0; i < LINKS_MAX; i++) {
		char *next = NULL;
		_cleanup_fd_ int fd = walk(root, way, dir, &next, err);
		if (fd >= 0)
			return check_kind(fd, path, dir, err) < 0 ? -1 : TAKE_FD(fd);
		if (!next)
			return -1;
		free(way);
		way = next;
	}
	return err_set(err, ERR_INVALID, "%s: its links lead in a circle", path);
}
