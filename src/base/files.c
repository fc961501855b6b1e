/* SPDX-License-Identifier: Apache-2.0 */
/* File helpers by directory fd: see files.h. No logging, no policy. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int file_read_at(
	int dirfd, const char *path, size_t max, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	size_t cap = 4096;
	size_t len = 0;
	_cleanup_free_ char *buf = xmalloc(cap + 1);
	for (;;) {
		ssize_t n = read(fd, buf + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read %s", path);
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return err_set(err, ERR_FULL, "%s is larger than %zu bytes", path, max);
		if (len == cap)
			buf = xreallocarray(buf, (cap *= 2) + 1, 1);
	}
	buf[len] = '\0';
	if (ret_len)
		*ret_len = len;
	*ret = TAKE_PTR(buf);
	return 0;
}

int fd_write_all(int fd, const void *data, size_t len, struct err *err)
{
	const char *p = data;
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = {.fd = fd, .events = POLLOUT};
			poll(&pfd, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int dir_sync_at(int dirfd, const char *path, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open directory %s", path);
	if (fsync(fd) < 0)
		return err_sys(err, "sync directory %s", path);
	return 0;
}

/* The directory that holds `path`: its entry is made durable. */
static int sync_parent(int dirfd, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir =
		!slash ? xstrdup(".") : xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	return dir_sync_at(dirfd, dir, err);
}

static char *temp_of(const char *path)
{
	return xasprintf("%s.new", path);
}

static int write_temp(
	int dirfd, const char *tmp, const void *data, size_t len, mode_t mode, struct err *err)
{
	_cleanup_fd_ int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(err, "create %s", tmp);
	/* Cut off only now: what is there may be the block that file_reserve_at() kept for this. */
	if (fd_write_all(fd, data, len, err) < 0)
		return err_wrap(err, "%s", tmp);
	if (ftruncate(fd, (off_t)len) < 0)
		return err_sys(err, "truncate %s", tmp);
	if (fchmod(fd, mode) < 0)
		return err_sys(err, "chmod %s", tmp);
	if (fsync(fd) < 0)
		return err_sys(err, "sync %s", tmp);
	return 0;
}

int file_replace_at(
	int dirfd, const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	_cleanup_free_ char *tmp = temp_of(path);
	if (write_temp(dirfd, tmp, data, len, mode, err) < 0) {
		unlinkat(dirfd, tmp, 0);
		return -1;
	}
	if (renameat(dirfd, tmp, dirfd, path) < 0) {
		err_sys(err, "rename to %s", path);
		unlinkat(dirfd, tmp, 0);
		return -1;
	}
	return 0;
}

int file_write_atomic_at(
	int dirfd, const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	if (file_replace_at(dirfd, path, data, len, mode, err) < 0)
		return -1;
	return sync_parent(dirfd, path, err);
}

int file_reserve_at(int dirfd, const char *path, struct err *err)
{
	static const char block[FILE_RESERVED];
	_cleanup_free_ char *tmp = temp_of(path);
	if (write_temp(dirfd, tmp, block, sizeof block, 0600, err) == 0)
		return sync_parent(dirfd, path, err);
	unlinkat(dirfd, tmp, 0);
	return -1;
}

int file_unreserve_at(int dirfd, const char *path, struct err *err)
{
	_cleanup_free_ char *tmp = temp_of(path);
	if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s", tmp);
	return 0;
}

static int make_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, "make directory %s", path);
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ERR_EXISTS, "make directory %s: something else is there", path);
	return 0;
}

int dir_make_all(const char *path, mode_t mode, struct err *err)
{
	_cleanup_free_ char *p = xstrdup(path);
	if (!*p)
		return err_set(err, ERR_INVALID, "make directory: the path is empty");
	for (char *s = p + 1;; s++) {
		if (*s && *s != '/')
			continue;
		char saved = *s;
		*s = '\0';
		if (make_dir(p, mode, err) < 0)
			return -1;
		*s = saved;
		if (!saved)
			return 0;
	}
}

static int fd_flag(int fd, int get, int set, int flag, int on)
{
	int now = fcntl(fd, get);
	if (now < 0)
		return -1;
	return fcntl(fd, set, on ? now | flag : now & ~flag);
}

int fd_set_cloexec(int fd, int on, struct err *err)
{
	if (fd_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on) < 0)
		return err_sys(err, "close-on-exec flag of fd %d", fd);
	return 0;
}

int fd_set_nonblock(int fd, int on, struct err *err)
{
	if (fd_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on) < 0)
		return err_sys(err, "non-blocking flag of fd %d", fd);
	return 0;
}

static int next_kept(int from, const int *keep, size_t n)
{
	int best = -1;
	for (size_t i = 0; i < n; i++)
		if (keep[i] >= from && (best < 0 || keep[i] < best))
			best = keep[i];
	return best;
}

void fd_close_above(int lowest, const int *keep, size_t n)
{
	int from = lowest;
	for (;;) {
		int kept = next_kept(from, keep, n);
		if (kept < 0)
			break;
		if (kept > from)
			close_range((unsigned)from, (unsigned)kept - 1, 0);
		from = kept + 1;
	}
	close_range((unsigned)from, ~0U, 0);
}
