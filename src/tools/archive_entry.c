/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules for one archive entry (archive.h lists them). The chroot of the unpacking process is
 * the wall; these rules are there so that a hostile or broken image is refused by name instead of
 * being unpacked into something odd.
 */
#include "tools/archive_entry.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tools/archive.h"

int entry_path(const char *raw, char **ret, struct err *err)
{
	if (!raw || !*raw)
		return err_set(err, ERR_INVALID, "archive entry without a name");
	if (*raw == '/')
		return err_set(err, ERR_INVALID, "archive entry \"%s\" has an absolute path", raw);
	if (strlen(raw) >= PATH_MAX - 64)
		return err_set(
			err, ERR_INVALID, "archive entry \"%.64s...\" has too long a path", raw);
	_cleanup_free_ char *out = xcalloc(1, strlen(raw) + 2);
	size_t len = 0;
	int depth = 0;
	for (const char *p = raw; *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && !strncmp(p, "..", 2))
			return err_set(err, ERR_INVALID, "archive entry \"%s\" leads upwards", raw);
		if (n && !(n == 1 && *p == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
			depth++;
		}
		p += n;
		p += *p == '/';
	}
	if (depth > ARCHIVE_DEPTH_MAX)
		return err_set(
			err, ERR_INVALID, "archive entry \"%.64s...\" is nested too deep", raw);
	if (!len)
		out[0] = '.';
	*ret = TAKE_PTR(out);
	return 0;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return !strncmp(path, dir, n) && path[n] == '/';
}

/* The layout of an ACI: appc spec, "Image Layout". */
static int check_place(const char *path, mode_t type, bool link, struct err *err)
{
	if (is_below(path, "rootfs"))
		return 0;
	if (!strcmp(path, "rootfs")) {
		if (type == AE_IFDIR && !link)
			return 0;
		return err_set(err, ERR_INVALID, "rootfs in the image is not a directory");
	}
	if (!strcmp(path, "manifest")) {
		if (type == AE_IFREG && !link)
			return 0;
		return err_set(err, ERR_INVALID, "manifest in the image is not a plain file");
	}
	return err_set(err, ERR_INVALID,
		"archive entry \"%s\": an image holds nothing but manifest and rootfs", path);
}

/*
 * Opens the directory that `path` (normalised, without "..") lies in, through no symlink; *ret_name
 * is its last component. By hand and not by openat2(2), which valgrind does not know.
 */
static int open_parent(char *path, char **ret_name)
{
	int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *p = path;
	for (char *slash; fd >= 0 && (slash = strchr(p, '/')); p = slash + 1) {
		*slash = '\0';
		int next = openat(fd, p, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*slash = '/';
		close(fd);
		fd = next;
	}
	*ret_name = p;
	return fd;
}

/* The target must be a file or symlink that this archive has put below rootfs already. */
static int check_hardlink(struct archive_entry *e, const char *path, struct err *err)
{
	_cleanup_free_ char *target = NULL;
	if (entry_path(archive_entry_hardlink(e), &target, err) < 0)
		return err_wrap(err, "hard link \"%s\"", path);
	if (!is_below(target, "rootfs"))
		return err_set(err, ERR_INVALID, "hard link \"%s\" leads out of rootfs, to \"%s\"",
			path, target);
	char *name;
	struct stat st;
	_cleanup_fd_ int dir = open_parent(target, &name);
	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_INVALID, "hard link \"%s\" to \"%s\", which is not there",
			path, target);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(err, ERR_INVALID, "hard link \"%s\" to \"%s\", which is not a file",
			path, target);
	archive_entry_set_hardlink(e, target);
	return 0;
}

static int check_type(const char *path, mode_t type, enum entry_verdict *ret, struct err *err)
{
	*ret = ENTRY_TAKE;
	if (type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK)
		return 0;
	if (is_below(path, "rootfs/dev")) {
		*ret = ENTRY_SKIP;
		return 0;
	}
	const char *what = type == AE_IFIFO    ? "a FIFO"
			   : type == AE_IFSOCK ? "a socket"
			   : type == AE_IFBLK  ? "a block device"
			   : type == AE_IFCHR  ? "a character device"
					       : "of an unknown kind";
	return err_set(err, ERR_INVALID,
		"archive entry \"%s\" is %s; outside of /dev an image may not hold one", path,
		what);
}

static int check_first(const char *path, mode_t type, struct err *err)
{
	struct stat st;
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	/* tar -r repeats directories; they merge. */
	if (S_ISDIR(st.st_mode) && type == AE_IFDIR)
		return 0;
	return err_set(err, ERR_INVALID, "archive entry \"%s\" is there twice", path);
}

static void filter_xattrs(struct archive_entry *e)
{
	int n = archive_entry_xattr_reset(e);
	if (n <= 0)
		return;
	struct archive_entry *copy = archive_entry_clone(e);
	archive_entry_xattr_clear(e);
	archive_entry_xattr_reset(copy);
	const char *name;
	const void *value;
	size_t size;
	while (archive_entry_xattr_next(copy, &name, &value, &size) == 0)
		if (!strncmp(name, "user.", 5) || !strcmp(name, "security.capability"))
			archive_entry_xattr_add_entry(e, name, value, size);
	archive_entry_free(copy);
}

int entry_check(struct archive_entry *e, enum entry_verdict *ret, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	if (entry_path(archive_entry_pathname(e), &path, err) < 0)
		return -1;
	if (!strcmp(path, ".")) {
		*ret = ENTRY_SKIP;
		return 0;
	}
	bool link = archive_entry_hardlink(e) != NULL;
	mode_t type = link ? AE_IFREG : archive_entry_filetype(e);
	if (check_place(path, type, link, err) < 0 || check_type(path, type, ret, err) < 0)
		return -1;
	if (*ret == ENTRY_SKIP)
		return 0;
	if (check_first(path, type, err) < 0)
		return -1;
	if (link && check_hardlink(e, path, err) < 0)
		return -1;
	archive_entry_copy_pathname(e, path);
	archive_entry_acl_clear(e);
	archive_entry_set_fflags(e, 0, 0);
	filter_xattrs(e);
	return 0;
}
