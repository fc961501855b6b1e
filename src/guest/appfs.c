/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app's file systems: see appfs.h. Everything stands below the app's root in the one mount
 * namespace of the guest, which the app enters with chroot(2).
 */
#include "guest/appfs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/inroot.h"
#include "base/log.h"
#include "guest/appdev.h"
#include "guest/appfiles.h"
#include "guest/mountfd.h"
#include "guest/protect.h"
#include "guest/rootfs.h"

/* Holds mount points and nothing else: directories, empty files. */
#define LAYER_OPTIONS "mode=700,size=4m,nr_inodes=16384"

/* ---- what every app has ------------------------------------------------------------------------ */

/* A mount point in the image, or -1 when it has none and cannot be given one: logged, we go on. */
static int mount_point(const struct podspec_app *app, int root, const char *dir, mode_t mode)
{
	_cleanup_err_ struct err err = {0};
	int fd = rootfs_make_dir(root, dir, mode, &err);
	if (fd < 0)
		log_warning("app %s goes without %s: %s", app->name, dir, err_msg(&err));
	return fd;
}

static int mount_kernel(
	const struct podspec_app *app, int root, const char *dir, const char *type, struct err *err)
{
	_cleanup_fd_ int fd = mount_point(app, root, dir, 0755);
	if (fd < 0)
		return 0;
	return mountfd_new(fd, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err);
}

static int mount_dev(
	const struct appfs *fs, const struct podspec_app *app, int root, struct err *err)
{
	_cleanup_fd_ int under = mount_point(app, root, "/dev", 0755);
	return under < 0 ? 0 : appdev_mount(root, under, fs->devpts, fs->devshm, err);
}

/* What rkt's prepare-app makes besides the mount points. */
static void make_plain_dirs(const struct podspec_app *app, int root)
{
	static const struct {
		const char *dir;
		mode_t mode;
	} dirs[] = {{"/etc", 0755}, {"/run", 0755}, {"/run/systemd", 0755},
		{"/run/systemd/journal", 0755}, {"/tmp", 01777}};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_fd_ int fd = mount_point(app, root, dirs[i].dir, dirs[i].mode);
		(void)fd;
	}
}

static int bind_hostname(int root, struct err *err)
{
	_cleanup_fd_ int source = inroot_open(root, "/proc/sys/kernel/hostname", O_PATH);
	if (source < 0)
		return err_sys(err, "open /proc/sys/kernel/hostname");
	_cleanup_fd_ int target = rootfs_make_target(root, "/etc/hostname", /*dir*/ false, err);
	return target < 0 ? -1 : mountfd_bind(source, target, 0, err);
}

/* Before the volumes: one that covers /etc has its own word, and gets nothing written into it. */
static int fill_root(
	const struct appfs *fs, const struct podspec_app *app, int root, struct err *err)
{
	_cleanup_err_ struct err weak = {0};
	make_plain_dirs(app, root);
	if (mount_kernel(app, root, "/proc", "proc", err) < 0 ||
		mount_kernel(app, root, "/sys", "sysfs", err) < 0 ||
		mount_dev(fs, app, root, err) < 0)
		return -1;
	if (bind_hostname(root, &weak) < 0)
		log_warning("app %s goes without /etc/hostname: %s", app->name, err_msg(&weak));
	return 0;
}

/* ---- the root ---------------------------------------------------------------------------------- */

/* The root directory of an overlay has the owner and the mode of its upper directory. */
static int make_upper(const char *lower, const char *upper, struct err *err)
{
	struct stat st;
	if (stat(lower, &st) < 0)
		return err_sys(err, "stat the image's root");
	if (dir_make_all(upper, 0700, err) < 0)
		return -1;
	if (chown(upper, st.st_uid, st.st_gid) < 0 || chmod(upper, st.st_mode & 07777) < 0)
		return err_sys(err, "set owner and mode of the root");
	return 0;
}

/* Above `lower`, with a small tmpfs below `dir` for what is made; mounted on `root`. */
static int mount_overlay(const char *lower, const char *dir, const char *root, struct err *err)
{
	_cleanup_free_ char *layer = xasprintf("%s/layer", dir);
	_cleanup_free_ char *upper = xasprintf("%s/upper", layer);
	_cleanup_free_ char *work = xasprintf("%s/work", layer);
	_cleanup_free_ char *options =
		xasprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
	if (dir_make_all(layer, 0755, err) < 0)
		return -1;
	if (mount("tmpfs", layer, "tmpfs", MS_NOSUID | MS_NODEV, LAYER_OPTIONS) < 0)
		return err_sys(err, "mount a layer for the read-only root");
	if (make_upper(lower, upper, err) < 0 || dir_make_all(work, 0700, err) < 0)
		return -1;
	if (mount("overlay", root, "overlay", 0, options) < 0)
		return err_sys(err, "mount an overlay above the read-only root");
	return 0;
}

/*
 * A read-only tree is read-only on the host as well, so nothing to mount on can be made in it: that
 * goes into a layer above, which is gone with the guest. Until the end the root can be written.
 */
static int mount_layered(const struct appfs *fs, const struct podspec_app *app, const char *dir,
	const char *root, struct err *err)
{
	_cleanup_free_ char *lower = xasprintf("%s/image", dir);
	if (dir_make_all(lower, 0755, err) < 0 ||
		fs->volumes.mount(app->tag, lower, MS_RDONLY, err) < 0)
		return -1;
	return mount_overlay(lower, dir, root, err);
}

static int mount_root(const struct appfs *fs, const struct podspec_app *app, struct err *err)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", fs->apps, app->name);
	_cleanup_free_ char *root = xasprintf("%s/rootfs", dir);
	if (dir_make_all(root, 0755, err) < 0)
		return -1;
	if (app->read_only ? mount_layered(fs, app, dir, root, err) < 0
			   : fs->volumes.mount(app->tag, root, 0, err) < 0)
		return -1;
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(err, "open the root");
}

static int mount_all(struct appfs *fs, const struct podspec_app *app, int root, struct err *err)
{
	if (fill_root(fs, app, root, err) < 0 || volumes_app(&fs->volumes, app, root, err) < 0 ||
		appfiles_mount(fs->files, app, root, err) < 0)
		return -1;
	if (app->protect && protect_paths(fs->hidden, root, err) < 0)
		return -1;
	/* Volumes are mounts of their own: they can be written as before. */
	return app->read_only ? mountfd_read_only(root, err) : 0;
}

int appfs_make(struct appfs *fs, const struct podspec_app *app, int *ret_root, struct err *err)
{
	_cleanup_fd_ int root = mount_root(fs, app, err);
	if (root < 0 || mount_all(fs, app, root, err) < 0)
		return err_wrap(err, "app %s", app->name);
	*ret_root = TAKE_FD(root);
	return 0;
}
