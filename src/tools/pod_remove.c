/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retiring and removing pods. Unlike rkt's, a failed gc entrypoint keeps the pod: it is the only
 * chance to give back what the pod held (contract 1.4).
 */
#include "tools/pod_remove.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fstree.h"
#include "base/log.h"
#include "tools/image.h"
#include "tools/overlay.h"
#include "tools/stage1.h"

int pod_retire(const struct datadir *d, struct pod *p, struct err *err)
{
	if (pod_lock(p, err) < 0)
		return -1;
	switch (p->place) {
	case POD_RUN:
		return pod_move(d, p, POD_EXITED_GARBAGE, err);
	case POD_EMBRYO:
	case POD_PREPARE:
	case POD_PREPARED:
		return pod_move(d, p, POD_GARBAGE, err);
	default:
		return 0;
	}
}

static bool has(const struct pod *p, const char *name)
{
	return faccessat(p->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* After a reboot nothing is mounted. Without this the tree store's copy of gc runs: good enough. */
static void mount_stage1(const struct datadir *d, const struct pod *p)
{
	_cleanup_free_ char *pod = pod_path(d, p);
	_cleanup_free_ char *target = xasprintf("%s/stage1/rootfs", pod);
	_cleanup_free_ char *id = NULL;
	if (!has(p, "overlay-prepared") || mount_is_at(target) || stage1_tree_id(p, &id, NULL) < 0)
		return;
	_cleanup_free_ char *tree = image_tree_path(id);
	_cleanup_free_ char *lower = xasprintf("%s/%s/rootfs", d->path, tree);
	_cleanup_free_ char *upper = xasprintf("%s/overlay/%s/upper", pod, id);
	_cleanup_free_ char *work = xasprintf("%s/overlay/%s/work", pod, id);
	struct err err = {0};
	if (overlay_mount(lower, upper, work, target, &err) < 0)
		log_debug("%s", err_msg(&err));
	err_done(&err);
}

static int call_gc(const struct datadir *d, const struct pod *p, struct err *err)
{
	char uuid[UUID_TEXT_SIZE];
	memcpy(uuid, p->uuid, sizeof(uuid));
	char *old[] = {uuid, NULL};
	char flag[] = "--local-config";
	char dir[] = "/etc/rkt";
	char *args[] = {flag, dir, uuid, NULL};
	int version;
	struct stage1_end end = {0};
	if (stage1_interface_version(p, &version, err) < 0 ||
		stage1_call(d, p, "gc", version >= 5 ? args : old, true, &end, err) < 0)
		return -1;
	if (end.status)
		return err_set(err, ERR_SYSTEM, "%s", end.why);
	return 0;
}

static int run_gc(const struct datadir *d, struct pod *p, bool force, struct err *err)
{
	/* Died between its move to run/ and its first files: no stage1 ever ran. */
	if (p->place != POD_EXITED_GARBAGE || !has(p, "stage1/manifest"))
		return 0;
	mount_stage1(d, p);
	struct err why = {0};
	int r = call_gc(d, p, &why);
	if (r < 0 && force)
		log_warning("pod %s: %s; removed all the same", p->uuid, err_msg(&why));
	if (r < 0 && !force)
		err_set(err, why.code, "%s; the pod is kept (try again, or --force)",
			err_msg(&why));
	err_done(&why);
	return force ? 0 : r;
}

int pod_remove(const struct datadir *d, struct pod *p, bool force, struct err *err)
{
	_cleanup_free_ char *path = pod_path(d, p);
	int r = run_gc(d, p, force, err);
	if (r == 0)
		r = mount_remove_below(path, err);
	if (r == 0)
		r = fstree_remove_at(d->fd, path + strlen(d->path) + 1, err);
	if (r < 0)
		return err_wrap(err, "pod %s", p->uuid);
	return 0;
}
