/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts: see mounts.h. An app's /dev is a small tmpfs with the nodes of contract 3.5, not the
 * guest's devtmpfs: an app that is not root shall not even see /dev/xen/xenbus (GUEST-PROTOCOL.md
 * has the limits of that). All apps share /dev/pts and /dev/shm, as they share the IPC namespace.
 */
#include "guest/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/log.h"
#include "guest/cgroup.h"
#include "guest/loop.h"
#include "guest/rootfs.h"

/* msize: what one request carries. cache=mmap: without it shared writable mappings fail, and so do
 * databases and package managers (design-review 14). */
#define P9_OPTIONS "trans=xen,version=9p2000.L,msize=131072,cache=mmap"
/* The device of a tag appears when both ends have connected, some time after the module is in. */
#define P9_WAIT_MS  20000
#define P9_RETRY_MS 20

struct base_mount {
	const char *dir;
	const char *type;
	const char *options;
	unsigned long flags;
};

static const struct base_mount base_mounts[] = {
	{"/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{CGROUP_MOUNT, "cgroup2", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"/dev", "devtmpfs", "mode=755", MS_NOSUID},
	{"/dev/pts", "devpts", "newinstance,gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
	{"/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
	{"/run", "tmpfs", "mode=755", MS_NOSUID | MS_NODEV},
	{"/apps", "tmpfs", "mode=700", MS_NOSUID},
};

int mounts_base(struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(base_mounts); i++) {
		const struct base_mount *m = &base_mounts[i];
		if (dir_make_all(m->dir, 0755, err) < 0)
			return -1;
		if (mount(m->type, m->dir, m->type, m->flags, m->options) < 0)
			return err_sys(err, "mount %s on %s", m->type, m->dir);
	}
	return 0;
}

/* ---- an app's root --------------------------------------------------------------------------- */

static int mount_9p(const char *tag, const char *dir, struct err *err)
{
	int64_t until = loop_now_ms() + P9_WAIT_MS;
	struct timespec pause = {.tv_nsec = P9_RETRY_MS * 1000000L};
	while (mount(tag, dir, "9p", 0, P9_OPTIONS) < 0) {
		if ((errno != ENOENT && errno != EINVAL) || loop_now_ms() > until)
			return err_sys(err, "mount the 9p export \"%s\"", tag);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* mount(2) wants a path; this one cannot be led astray by links in the image. */
static int mount_on_fd(int fd, const char *source, const char *type, unsigned long flags,
	const char *options, struct err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mount(source, path, type, flags, options) < 0)
		return err_sys(err, "mount %s", source);
	return 0;
}

/* A mount point in the image, or -1 when it has none and cannot be given one: logged, we go on. */
static int mount_point(const struct podspec_app *app, int root, const char *dir)
{
	_cleanup_err_ struct err err = {0};
	int fd = rootfs_make_dir(root, dir, 0755, &err);
	if (fd < 0)
		log_warning("app %s goes without %s: %s", app->name, dir, err_msg(&err));
	return fd;
}

struct node {
	const char *name;
	mode_t mode;
	unsigned major;
	unsigned minor;
};

static const struct node nodes[] = {
	{"null", 0666, 1, 3},
	{"zero", 0666, 1, 5},
	{"full", 0666, 1, 7},
	{"random", 0666, 1, 8},
	{"urandom", 0666, 1, 9},
	{"tty", 0666, 5, 0},
	{"console", 0600, 5, 1},
	{"net/tun", 0666, 10, 200},
};

static const char *const links[][2] = {
	{"pts/ptmx", "ptmx"},
	{"/proc/self/fd", "fd"},
	{"/proc/self/fd/0", "stdin"},
	{"/proc/self/fd/1", "stdout"},
	{"/proc/self/fd/2", "stderr"},
};

static int fill_dev(int dev, struct err *err)
{
	static const char *const dirs[] = {"net", "pts", "shm"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (mkdirat(dev, dirs[i], 0755) < 0)
			return err_sys(err, "make /dev/%s", dirs[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		const struct node *n = &nodes[i];
		if (mknodat(dev, n->name, S_IFCHR | n->mode, makedev(n->major, n->minor)) < 0 ||
			fchmodat(dev, n->name, n->mode, 0) < 0)
			return err_sys(err, "make /dev/%s", n->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (symlinkat(links[i][0], dev, links[i][1]) < 0)
			return err_sys(err, "make /dev/%s", links[i][1]);
	}
	return 0;
}

static int bind_below(int dev, const char *name, const char *source, struct err *err)
{
	_cleanup_fd_ int fd = openat(dev, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open /dev/%s", name);
	return mount_on_fd(fd, source, NULL, MS_BIND, NULL, err);
}

static int mount_dev(const struct podspec_app *app, int root, struct err *err)
{
	_cleanup_fd_ int under = mount_point(app, root, "/dev");
	if (under < 0)
		return 0;
	if (mount_on_fd(under, "tmpfs", "tmpfs", MS_NOSUID, "mode=755,nr_inodes=4096", err) < 0)
		return -1;
	/* The descriptor from before the mount still shows what is below it. */
	_cleanup_fd_ int dev = rootfs_open(root, "/dev", O_RDONLY | O_DIRECTORY);
	if (dev < 0)
		return err_sys(err, "open /dev");
	if (fill_dev(dev, err) < 0 || bind_below(dev, "pts", "/dev/pts", err) < 0)
		return -1;
	return bind_below(dev, "shm", "/dev/shm", err);
}

static int mount_kernel(
	const struct podspec_app *app, int root, const char *dir, const char *type, struct err *err)
{
	_cleanup_fd_ int fd = mount_point(app, root, dir);
	if (fd < 0)
		return 0;
	return mount_on_fd(fd, type, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err);
}

/* What rkt's prepare-app makes besides the mount points. */
static void make_plain_dirs(const struct podspec_app *app, int root)
{
	static const struct {
		const char *dir;
		mode_t mode;
	} dirs[] = {{"/etc", 0755}, {"/run", 0755}, {"/tmp", 01777}};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_err_ struct err err = {0};
		_cleanup_fd_ int fd = rootfs_make_dir(root, dirs[i].dir, dirs[i].mode, &err);
		if (fd < 0)
			log_warning("app %s goes without %s: %s", app->name, dirs[i].dir,
				err_msg(&err));
	}
}

static int fill_root(const struct podspec_app *app, const char *dir, int root, struct err *err)
{
	make_plain_dirs(app, root);
	if (mount_kernel(app, root, "/proc", "proc", err) < 0 ||
		mount_kernel(app, root, "/sys", "sysfs", err) < 0 || mount_dev(app, root, err) < 0)
		return -1;
	if (app->read_only && mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return err_sys(err, "make the root read-only");
	return 0;
}

int mounts_app(const struct podspec_app *app, int *ret_root, struct err *err)
{
	_cleanup_free_ char *dir = xasprintf("/apps/%s/rootfs", app->name);
	if (dir_make_all(dir, 0755, err) < 0 || mount_9p(app->tag, dir, err) < 0)
		return err_wrap(err, "app %s", app->name);
	_cleanup_fd_ int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "app %s: open its root", app->name);
	if (fill_root(app, dir, root, err) < 0)
		return err_wrap(err, "app %s", app->name);
	*ret_root = TAKE_FD(root);
	return 0;
}
