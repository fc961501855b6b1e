/* SPDX-License-Identifier: Apache-2.0 */
/* Overlays of a pod that is there: see remount.h. */
#include "tools/remount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "tools/image.h"
#include "tools/overlay.h"
#include "tools/stage1.h"

/* `name` is NULL for the stage1, as in prepare.c, which has made these directories. */
static int mount_tree(const struct datadir *d, const struct pod *p, const char *id,
	const char *name, struct err *err)
{
	const char *sep = name ? "/" : "";
	const char *app = name ? name : "";
	_cleanup_free_ char *pod = pod_path(d, p);
	_cleanup_free_ char *target =
		name ? xasprintf("%s/stage1/rootfs/opt/stage2/%s/rootfs", pod, name)
		     : xasprintf("%s/stage1/rootfs", pod);
	if (mount_is_at(target))
		return 0;
	_cleanup_free_ char *tree = image_tree_path(id);
	_cleanup_free_ char *lower = xasprintf("%s/%s/rootfs", d->path, tree);
	_cleanup_free_ char *upper = xasprintf("%s/overlay/%s/upper%s%s", pod, id, sep, app);
	_cleanup_free_ char *work = xasprintf("%s/overlay/%s/work%s%s", pod, id, sep, app);
	return overlay_mount(lower, upper, work, target, err);
}

static int mount_app(
	const struct datadir *d, const struct pod *p, const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("appsinfo/%s/treeStoreID", name);
	_cleanup_free_ char *id = NULL;
	if (file_read_at(p->fd, path, NAME_MAX, &id, NULL, err) < 0)
		return -1;
	id[strcspn(id, "\n")] = '\0';
	if (!*id || strchr(id, '/'))
		return err_set(err, ERR_INVALID, "%s is no name of a tree", path);
	return mount_tree(d, p, id, name, err);
}

int remount_pod(
	const struct datadir *d, const struct pod *p, const struct appc_pod *m, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	if (faccessat(p->fd, "overlay-prepared", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	/* Two of us would both find nothing mounted. Given back at the exec, or our end. */
	_cleanup_fd_ int guard = openat(p->fd, "overlay", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (guard < 0 || flock(guard, LOCK_EX) < 0)
		return err_sys(err, "pod %s: lock its overlays", p->uuid);
	if (stage1_tree_id(p, &id, err) < 0 || mount_tree(d, p, id, NULL, err) < 0)
		return err_wrap(err, "stage1 of pod %s", p->uuid);
	for (size_t i = 0; i < m->napps; i++)
		if (mount_app(d, p, m->apps[i].name, err) < 0)
			return err_wrap(err, "pod %s: app %s", p->uuid, m->apps[i].name);
	return 0;
}

int remount_forget_codes(const struct pod *p, const struct appc_pod *m, struct err *err)
{
	for (size_t i = 0; i < m->napps; i++) {
		_cleanup_free_ char *path =
			xasprintf("stage1/rootfs/rkt/status/%s", m->apps[i].name);
		if (unlinkat(p->fd, path, 0) < 0 && errno != ENOENT)
			return err_sys(err, "pod %s: remove %s", p->uuid, path);
	}
	return 0;
}
