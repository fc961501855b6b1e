/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of the guest itself: see mounts.h. What an app sees is made by appfs.c. */
#include "guest/mounts.h"

#include <errno.h>
#include <sys/mount.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "guest/appfs.h"
#include "guest/cgroup.h"
#include "guest/loop.h"

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

/* ---- apps' roots ---------------------------------------------------------------------------- */

static int mount_9p(const char *tag, const char *dir, unsigned long flags, struct err *err)
{
	int64_t until = loop_now_ms() + P9_WAIT_MS;
	struct timespec pause = {.tv_nsec = P9_RETRY_MS * 1000000L};
	while (mount(tag, dir, "9p", flags, P9_OPTIONS) < 0) {
		if ((errno != ENOENT && errno != EINVAL) || loop_now_ms() > until)
			return err_sys(err, "mount the 9p export \"%s\"", tag);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int mounts_app(const struct podspec_app *app, int *ret_root, struct err *err)
{
	static struct appfs guest = {
		.apps = "/apps",
		.files = "/run/xenpod/files",
		.hidden = "/run/xenpod/hidden",
		.devpts = "/dev/pts",
		.devshm = "/dev/shm",
		.volumes = {.dir = "/volumes", .mount = mount_9p},
	};
	return appfs_make(&guest, app, ret_root, err);
}
