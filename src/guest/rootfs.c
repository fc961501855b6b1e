/* SPDX-License-Identifier: Apache-2.0 */
/* Paths confined to an app's root: see rootfs.h. */
#include "guest/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int rootfs_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

int rootfs_stat(int root, const char *path, int nofollow, struct stat *ret)
{
	_cleanup_fd_ int fd = rootfs_open(root, path, O_PATH | (nofollow ? O_NOFOLLOW : 0));
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
	_cleanup_fd_ int fd = rootfs_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
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
	int fd = rootfs_open(root, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return err_sys(err, "open %s", parent);
	*ret_name = slash ? slash + 1 : path;
	return fd;
}

int rootfs_make_dir(int root, const char *path, mode_t mode, struct err *err)
{
	const char *name = NULL;
	int fd = rootfs_open(root, path, O_PATH | O_DIRECTORY);
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
