/* SPDX-License-Identifier: Apache-2.0 */
/* Makes empty volumes: see shared.h. */
#include "stage1/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "stage1/seed.h"

/* 1: made now, 0: it was there. */
static int make_dir(int at, const char *name, int *ret, struct err *err)
{
	int made = mkdirat(at, name, 0700) == 0;
	if (!made && errno != EEXIST)
		return err_sys(err, "make directory %s", name);
	*ret = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0)
		return err_sys(err, "open directory %s", name);
	return made;
}

/* 1: it has the image's content, owner and mode now. */
static int seed(int dir, const struct poddir_app *a, const struct mount_entry *e, struct err *err)
{
	size_t left_out = 0;
	_cleanup_free_ char *path = xasprintf(PODDIR_APP_FMT "/rootfs", a->pod->name);
	_cleanup_fd_ int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "open %s", path);
	int r = seed_copy(root, e->path, dir, &left_out, err);
	if (r > 0 && left_out)
		log_warning(
			"app %s: %zu sockets, FIFOs or devices below %s of its image are not in "
			"the volume made for it",
			a->pod->name, left_out, e->path);
	return r;
}

static int make_volume(
	int shared, const struct poddir_app *a, const struct mount_entry *e, struct err *err)
{
	const struct appc_volume *v = e->volume;
	_cleanup_fd_ int dir = -1;
	int made = make_dir(shared, v->name, &dir, err);
	if (made < 0)
		return -1;
	if (made && e->implicit && appc_image_annotation(&a->image, APPC_ANNOTATION_DOCKER)) {
		int r = seed(dir, a, e, err);
		if (r)
			return r < 0 ? -1 : 0;
	}
	/* chown(2) may take setgid away, so the mode comes last; no umask has a say. */
	if (fchown(dir, v->uid, v->gid) < 0 || fchmod(dir, v->mode) < 0)
		return err_sys(err, "owner and mode");
	return 0;
}

static int make_volumes(
	int shared, const struct poddir_app *a, const struct mountlist *l, struct err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].volume->host && make_volume(shared, a, &l->v[i], err) < 0)
			return err_wrap(
				err, "app %s: volume %s", a->pod->name, l->v[i].volume->name);
	return 0;
}

int shared_make(
	int pod, const struct poddir *d, const struct mountlist *lists, int *ret, struct err *err)
{
	_cleanup_fd_ int shared = -1;
	if (make_dir(pod, SHARED_DIR, &shared, err) < 0)
		return -1;
	if (fchmod(shared, 0755) < 0)
		return err_sys(err, "mode of " SHARED_DIR);
	for (size_t i = 0; i < d->napps; i++)
		if (make_volumes(shared, &d->apps[i], &lists[i], err) < 0)
			return -1;
	*ret = TAKE_FD(shared);
	return 0;
}
