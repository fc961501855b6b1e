/* SPDX-License-Identifier: Apache-2.0 */
/* /run/netns, as iproute2 6.1 (ip/ipnetns.c) keeps it: see netns.h. */
#include "net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define HERE "/proc/thread-self/ns/net"

static char *path_of(const char *name, struct err *err)
{
	size_t len = strlen(name);
	if (len == 0 || len > NETNS_NAME_MAX || strchr(name, '/') || name[0] == '.') {
		err_set(err, ERR_INVALID, "\"%s\" cannot be a network namespace's name", name);
		return NULL;
	}
	return xasprintf(NETNS_DIR "/%s", name);
}

/* ---- inside ------------------------------------------------------------------------------------ */

static int enter(int netns, int *ret_home, struct err *err)
{
	_cleanup_fd_ int home = open(HERE, O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return err_sys(err, "open " HERE);
	if (netns < 0 ? unshare(CLONE_NEWNET) < 0 : setns(netns, CLONE_NEWNET) < 0)
		return err_sys(err,
			netns < 0 ? "make a network namespace" : "enter the network namespace");
	*ret_home = TAKE_FD(home);
	return 0;
}

static void leave(int home)
{
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	close(home);
}

int netns_run(int netns, int (*fn)(void *arg, struct err *err), void *arg, struct err *err)
{
	int home = -1;
	if (netns == NETNS_OWN)
		return fn(arg, err);
	if (enter(netns, &home, err) < 0)
		return -1;
	int r = fn(arg, err);
	leave(home);
	return r;
}

/* ---- making ------------------------------------------------------------------------------------ */

/*
 * The directory, a shared mount of its own. The lock is iproute2's as well: two that make the first
 * namespace at the same time would bind the directory twice.
 */
static int make_dir(struct err *err)
{
	if (dir_make_all(NETNS_DIR, 0755, err) < 0)
		return -1;
	_cleanup_fd_ int lock = open(NETNS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(err, "lock " NETNS_DIR);
	if (mount("none", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL) /* anything but: it is no mount point yet */
		return err_sys(err, "share " NETNS_DIR);
	if (mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
		mount("none", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return err_sys(err, "make " NETNS_DIR " a shared mount");
	return 0;
}

static int loopback_up(void *arg, struct err *err)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)arg;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_sys(err, "bring up the loopback interface");
	return 0;
}

static int bind_new(const char *path, struct err *err)
{
	int home = -1;
	_cleanup_fd_ int file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	if (file < 0)
		return err_sys(err, "make %s", path);
	if (enter(-1, &home, err) < 0)
		return -1;
	int r = mount(HERE, path, "none", MS_BIND, NULL);
	int why = errno;
	leave(home);
	errno = why;
	return r < 0 ? err_sys(err, "mount the namespace at %s", path) : 0;
}

int netns_make(const char *name, struct err *err)
{
	bool there = false;
	_cleanup_fd_ int netns = -1;
	_cleanup_free_ char *path = path_of(name, err);
	if (!path || make_dir(err) < 0 || netns_exists(name, &there, err) < 0)
		return -1;
	if ((!there && bind_new(path, err) < 0) || netns_open(name, &netns, err) < 0)
		return -1;
	return netns_run(netns, loopback_up, NULL, err);
}

/* ---- the rest ---------------------------------------------------------------------------------- */

/* Before the mount, and after a reboot that kept /run, the file is nothing but a file. */
int netns_open(const char *name, int *ret_fd, struct err *err)
{
	struct statfs fs;
	_cleanup_free_ char *path = path_of(name, err);
	if (!path)
		return -1;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return err_sys(err, "open %s", path);
	if (fd >= 0 && fstatfs(fd, &fs) < 0)
		return err_sys(err, "look at %s", path);
	if (fd < 0 || fs.f_type != NSFS_MAGIC)
		return err_set(err, ERR_NOTFOUND, "there is no network namespace \"%s\"", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int netns_exists(const char *name, bool *ret, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	_cleanup_fd_ int fd = -1;
	int r = netns_open(name, &fd, &why);
	if (r < 0 && why.code != ERR_NOTFOUND) {
		err_move(err, &why);
		return -1;
	}
	*ret = r == 0;
	return 0;
}

int netns_remove(const char *name, struct err *err)
{
	_cleanup_free_ char *path = path_of(name, err);
	if (!path)
		return -1;
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT) /* not mounted, not there */
		return err_sys(err, "unmount %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s", path);
	return 0;
}
