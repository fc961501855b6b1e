/* SPDX-License-Identifier: Apache-2.0 */
/* The effective list of mounts: see mountlist.h. */
#include "stage1/mountlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

void mountlist_done(struct mountlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		appc_volume_done(&l->v[i].made);
	free(l->v);
	*l = (struct mountlist){0};
}

static const struct appc_volume *find(const struct appc_volumes *volumes, const char *name)
{
	for (size_t i = 0; i < volumes->n; i++)
		if (!strcmp(volumes->v[i].name, name))
			return &volumes->v[i];
	return NULL;
}

/* The mount point that a mount stands for is the one of the volume's name; there may be none. */
static bool point_says(const struct poddir_app *a, const char *name)
{
	for (size_t i = 0; i < a->app->mount_points.n; i++)
		if (!strcmp(a->app->mount_points.v[i].name, name))
			return a->app->mount_points.v[i].read_only;
	return false;
}

static bool is_read_only(const struct appc_volume *v, bool otherwise)
{
	return v->says_read_only ? v->read_only : otherwise;
}

static int add_mount(struct mountlist *l, const struct appc_volumes *volumes,
	const struct poddir_app *a, const struct appc_mount *m, struct err *err)
{
	const struct appc_volume *v = m->own ? &m->volume : find(volumes, m->name);
	if (!v)
		return err_set(err, ERR_INVALID,
			"app %s: there is no volume %s to mount on %s (try --volume=%s,kind=...)",
			a->pod->name, m->name, m->path, m->name);
	l->v[l->n++] = (struct mount_entry){
		.volume = v,
		.path = m->path,
		.read_only = is_read_only(v, point_says(a, m->name)),
	};
	return 0;
}

static bool is_covered(const struct poddir_app *a, const char *path)
{
	for (size_t i = 0; i < a->pod->mounts.n; i++)
		if (!strcmp(a->pod->mounts.v[i].path, path))
			return true;
	return false;
}

static void add_point(struct mountlist *l, const struct appc_volumes *volumes,
	const struct poddir_app *a, const struct appc_mount_point *p)
{
	struct mount_entry *e = &l->v[l->n++];
	*e = (struct mount_entry){.volume = find(volumes, p->name), .path = p->path};
	if (!e->volume) {
		_cleanup_free_ char *name = xasprintf("%s-%s", a->pod->name, p->name);
		appc_volume_init_empty(&e->made, name);
		e->implicit = true;
		e->volume = &e->made;
	}
	e->read_only = is_read_only(e->volume, p->read_only);
}

static int make(const struct appc_volumes *volumes, const struct poddir_app *a, struct mountlist *l,
	struct err *err)
{
	/* Never grown: entries point into themselves. */
	l->v = xcalloc(a->pod->mounts.n + a->app->mount_points.n + 1, sizeof *l->v);
	for (size_t i = 0; i < a->pod->mounts.n; i++)
		if (add_mount(l, volumes, a, &a->pod->mounts.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < a->app->mount_points.n; i++)
		if (!is_covered(a, a->app->mount_points.v[i].path))
			add_point(l, volumes, a, &a->app->mount_points.v[i]);
	return 0;
}

int mountlist_make(const struct appc_volumes *volumes, const struct poddir_app *a,
	struct mountlist *ret, struct err *err)
{
	struct mountlist l = {0};
	if (make(volumes, a, &l, err) < 0) {
		mountlist_done(&l);
		return -1;
	}
	*ret = l;
	return 0;
}
