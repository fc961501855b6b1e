/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app's /dev: a small tmpfs with the nodes of contract 3.5, not the guest's devtmpfs: an app that
 * is not root shall not even see /dev/xen/xenbus (GUEST-PROTOCOL.md has the limits of that). All apps
 * share /dev/pts and /dev/shm, as they share the IPC namespace. There is no /dev/log: a guest has no
 * journal, and syslog(3) is content without.
 */
#include "guest/appdev.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "guest/mountfd.h"

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
	_cleanup_fd_ int from = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return err_sys(err, "open %s", source);
	_cleanup_fd_ int to = openat(dev, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_sys(err, "open /dev/%s", name);
	return mountfd_bind(from, to, 0, err);
}

int appdev_mount(int root, int under, const char *devpts, const char *devshm, struct err *err)
{
	if (mountfd_new(under, "tmpfs", MS_NOSUID, "mode=755,nr_inodes=4096", err) < 0)
		return -1;
	/* The descriptor from before the mount still shows what is below it. */
	_cleanup_fd_ int dev = inroot_open(root, "/dev", O_RDONLY | O_DIRECTORY);
	if (dev < 0)
		return err_sys(err, "open /dev");
	if (fill_dev(dev, err) < 0 || bind_below(dev, "pts", devpts, err) < 0)
		return -1;
	return bind_below(dev, "shm", devshm, err);
}
