/* SPDX-License-Identifier: Apache-2.0 */
/* The spec's own files: see appfiles.h. */
#include "guest/appfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "guest/mountfd.h"
#include "guest/rootfs.h"

static int write_text(const char *path, const char *text, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, "make %s", path);
	/* Every user of the app reads it, whatever the umask is. */
	if (fchmod(fd, 0644) < 0)
		return err_sys(err, "set the mode of %s", path);
	return fd_write_all(fd, text, strlen(text), err) < 0 ? -1 : TAKE_FD(fd);
}

/* A link that leads to nothing counts as nothing: the file is made where it points. */
static bool is_there(int root, const char *path)
{
	struct stat st;
	if (rootfs_stat(root, path, /*nofollow*/ 0, &st) < 0)
		return errno != ENOENT;
	/* An empty file says nothing, and may be what we mounted on in an earlier life. */
	return !S_ISREG(st.st_mode) || st.st_size > 0;
}

static int mount_one(const char *kept, const struct podspec_file *file, bool read_only, int root,
	struct err *err)
{
	if (file->if_absent && is_there(root, file->path))
		return 0;
	_cleanup_fd_ int source = write_text(kept, file->text, err);
	if (source < 0)
		return -1;
	_cleanup_fd_ int target = rootfs_make_target(root, file->path, /*dir*/ false, err);
	if (target < 0)
		return -1;
	return mountfd_bind(source, target, read_only ? MOUNT_ATTR_RDONLY : 0, err);
}

int appfiles_mount(const char *dir, const struct podspec_app *app, int root, struct err *err)
{
	_cleanup_free_ char *own = xasprintf("%s/%s", dir, app->name);
	if (app->n_files && dir_make_all(own, 0700, err) < 0)
		return -1;
	for (size_t i = 0; i < app->n_files; i++) {
		_cleanup_free_ char *kept = xasprintf("%s/%zu", own, i);
		if (mount_one(kept, &app->files[i], app->read_only, root, err) < 0)
			return err_wrap(err, "put a file on %s", app->files[i].path);
	}
	return 0;
}
