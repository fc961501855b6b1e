/* SPDX-License-Identifier: Apache-2.0 */
/* Makes empty volumes, and removes them again: see shared.h. */
#include "stage1/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fstree.h"
#include "base/log.h"
#include "stage1/seed.h"

struct making {
	int shared; /* the directory */
	struct shared *made;
	struct seed seed; /* one for the pod */
};

/* 1: made now, 0: it was there. */
static int make_dir(int at, const char *name, struct err *err)
{
	if (mkdirat(at, name, 0700) == 0)
		return 1;
	return errno == EEXIST ? 0 : err_sys(err, "make directory %s", name);
}

static int open_dir(int at, const char *name, struct err *err)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(err, "open directory %s", name);
}

static void note_volume(struct shared *made, const char *name)
{
	made->volume = xreallocarray(made->volume, made->n + 1, sizeof *made->volume);
	made->volume[made->n++] = xstrdup(name);
}

static int copy_image(
	struct making *m, int dir, const struct poddir_app *a, const char *at, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(PODDIR_APP_FMT "/rootfs", a->pod->name);
	_cleanup_fd_ int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "open %s", path);
	int r = seed_copy(&m->seed, root, at, dir, err);
	if (r > 0 && m->seed.left_out)
		log_warning(
			"app %s: %zu sockets, FIFOs or devices below %s of its image are not in "
			"the volume made for it",
			a->pod->name, m->seed.left_out, at);
	return r;
}

static int make_volume(
	struct making *m, const struct poddir_app *a, const struct mount_entry *e, struct err *err)
{
	const struct appc_volume *v = e->volume;
	int is_new = make_dir(m->shared, v->name, err);
	if (is_new < 0)
		return -1;
	if (is_new)
		note_volume(m->made, v->name);
	_cleanup_fd_ int dir = open_dir(m->shared, v->name, err);
	if (dir < 0)
		return -1;
	if (is_new && e->implicit && appc_image_annotation(&a->image, APPC_ANNOTATION_DOCKER)) {
		int r = copy_image(m, dir, a, e->path, err);
		if (r) /* 1: it has the image's content, owner and mode now */
			return r < 0 ? -1 : 0;
	}
	/* chown(2) may take setgid away, so the mode comes last; no umask has a say. */
	if (fchown(dir, v->uid, v->gid) < 0 || fchmod(dir, v->mode) < 0)
		return err_sys(err, "owner and mode");
	return 0;
}

static int make_volumes(
	struct making *m, const struct poddir_app *a, const struct mountlist *l, struct err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].volume->host && make_volume(m, a, &l->v[i], err) < 0)
			return err_wrap(
				err, "app %s: volume %s", a->pod->name, l->v[i].volume->name);
	return 0;
}

int shared_make(int pod, const struct poddir *d, const struct mountlist *lists, struct shared *made,
	int *ret, struct err *err)
{
	static const struct seed_limits limits = {
		.entries = APPC_IMAGE_ENTRIES_MAX, .bytes = APPC_IMAGE_BYTES_MAX};
	int is_new = make_dir(pod, SHARED_DIR, err);
	if (is_new < 0)
		return -1;
	made->dir = is_new;
	_cleanup_fd_ int shared = open_dir(pod, SHARED_DIR, err);
	if (shared < 0)
		return -1;
	if (fchmod(shared, 0755) < 0)
		return err_sys(err, "mode of " SHARED_DIR);
	struct making m = {.shared = shared, .made = made, .seed = {.limits = &limits}};
	for (size_t i = 0; i < d->napps; i++)
		if (make_volumes(&m, &d->apps[i], &lists[i], err) < 0)
			return -1;
	*ret = TAKE_FD(shared);
	return 0;
}

static void undo_volume(int pod, const char *name)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *path = xasprintf(SHARED_DIR "/%s", name);
	if (fstree_remove_at(pod, path, &err) < 0)
		log_warning("volume %s stays until the pod is removed: %s", name, err_msg(&err));
}

void shared_undo(int pod, struct shared *made)
{
	for (size_t i = 0; i < made->n; i++)
		undo_volume(pod, made->volume[i]);
	/* Not empty: one has stayed, and that was said. */
	if (made->dir && unlinkat(pod, SHARED_DIR, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		log_warning(SHARED_DIR " stays until the pod is removed: %s", strerror(errno));
	shared_done(made);
}

void shared_done(struct shared *made)
{
	for (size_t i = 0; i < made->n; i++)
		free(made->volume[i]);
	free(made->volume);
	*made = (struct shared){0};
}
