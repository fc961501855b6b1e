/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a directory of an image, which may be hostile, by descriptors only: see seed.h. */
#include "stage1/seed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"

#define DEPTH_MAX 128 /* three descriptors are open for each */
#define WAY_OUT   "; give the mount point a volume"

/* The owner first: chown(2) takes setuid and setgid away. */
static int copy_attributes(int to, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -1;
	return futimens(to, times);
}

static int copy_extent(int from, int to, off_t at, off_t end)
{
	if (lseek(to, at, SEEK_SET) < 0)
		return -1;
	while (at < end) {
		ssize_t n = sendfile(to, from, &at, (size_t)(end - at));
		if (n == 0 || (n < 0 && errno != EINTR))
			return (int)n;
	}
	return 0;
}

/* Before they are written. Hard links count each time: each becomes a file of its own. */
static int count_bytes(struct seed *s, int64_t n, struct err *err)
{
	if (n > s->limits->bytes - s->bytes)
		return err_set(err, ERR_FULL,
			"the pod's volumes would get more than %lld bytes from images" WAY_OUT,
			(long long)s->limits->bytes);
	s->bytes += n;
	return 0;
}

static int count_entry(struct seed *s, struct err *err)
{
	if (s->entries == s->limits->entries)
		return err_set(err, ERR_FULL,
			"the pod's volumes would get more than %lld entries from images" WAY_OUT,
			(long long)s->limits->entries);
	s->entries++;
	return 0;
}

/* Holes stay holes: a small image must not fill the host's disk with zeros. */
static int copy_content(struct seed *s, int from, int to, off_t size, struct err *err)
{
	off_t at = 0;
	while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, at, SEEK_HOLE);
		if (end < 0)
			return err_sys(err, "read");
		if (count_bytes(s, end - at, err) < 0)
			return -1;
		if (copy_extent(from, to, at, end) < 0)
			return err_sys(err, "copy");
		at = end;
	}
	if (errno != ENXIO)
		return err_sys(err, "read");
	return ftruncate(to, size) < 0 ? err_sys(err, "size") : 0;
}

static int copy_file(struct seed *s, int from_dir, int to_dir, const char *name, struct err *err)
{
	struct stat st;
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return err_sys(err, "%s", name);
	_cleanup_fd_ int to =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return err_sys(err, "%s", name);
	if (copy_content(s, from, to, st.st_size, err) < 0)
		return err_wrap(err, "%s", name);
	return copy_attributes(to, &st) < 0 ? err_sys(err, "%s", name) : 0;
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	ssize_t len = readlinkat(from, name, target, sizeof target - 1);
	if (len < 0)
		return -1;
	target[len] = '\0';
	if (symlinkat(target, to, name) < 0 ||
		fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

/* NOLINTBEGIN(misc-no-recursion): DEPTH_MAX bounds it */
static int copy_dir(struct seed *s, int from, int to, struct err *err);

static int copy_sub(struct seed *s, int from_dir, int to_dir, const char *name, struct err *err)
{
	if (s->depth == DEPTH_MAX)
		return err_set(err, ERR_FULL, "directories are nested deeper than %d", DEPTH_MAX);
	if (mkdirat(to_dir, name, 0700) < 0)
		return err_sys(err, "%s", name);
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return err_sys(err, "%s", name);
	s->depth++;
	int r = copy_dir(s, from, to, err);
	s->depth--;
	return r < 0 ? err_wrap(err, "%s", name) : 0;
}

static int copy_entry(struct seed *s, int from, int to, const char *name, struct err *err)
{
	struct stat st;
	if (count_entry(s, err) < 0)
		return -1;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "%s", name);
	if (S_ISDIR(st.st_mode))
		return copy_sub(s, from, to, name, err);
	if (S_ISREG(st.st_mode))
		return copy_file(s, from, to, name, err);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st) < 0 ? err_sys(err, "%s", name) : 0;
	s->left_out++;
	return 0;
}

static int copy_entries(struct seed *s, int from, int to, struct err *err)
{
	_cleanup_fd_ int fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_sys(err, "read the directory");
	TAKE_FD(fd);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e)
			return errno ? err_sys(err, "read the directory") : 0;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (copy_entry(s, from, to, e->d_name, err) < 0)
			return -1;
	}
}

/*
 * Its own attributes are read first, as reading entries changes a time, and set last: making entries
 * changes the others, and its mode may forbid it.
 */
static int copy_dir(struct seed *s, int from, int to, struct err *err)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return err_sys(err, "owner and mode");
	if (copy_entries(s, from, to, err) < 0)
		return -1;
	return copy_attributes(to, &st) < 0 ? err_sys(err, "owner and mode") : 0;
}

/* NOLINTEND(misc-no-recursion) */

int seed_copy(struct seed *s, int root, const char *path, int to, struct err *err)
{
	s->left_out = 0;
	s->depth = 0;
	_cleanup_fd_ int from = inroot_open(root, path, O_RDONLY | O_DIRECTORY);
	if (from < 0 && errno == ENOENT)
		return 0;
	if (from < 0 && errno == ENOTDIR)
		return err_set(err, ERR_INVALID, "%s is no directory in the image", path);
	if (from < 0)
		return err_sys(err, "open %s in the image", path);
	if (copy_dir(s, from, to, err) < 0)
		return err_wrap(err, "copy %s of the image", path);
	return 1;
}
