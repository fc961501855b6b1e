/* SPDX-License-Identifier: Apache-2.0 */
/* See pod_file.h. */
#include "tools/pod_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

void pod_file_done(struct pod_file *f)
{
	free(f->text);
	appc_pod_done(&f->pod);
	*f = (struct pod_file){0};
}

int pod_file_read(const char *path, struct pod_file *ret, struct err *err)
{
	struct pod_file f = {0};
	int r = file_read_at(AT_FDCWD, path, ARCHIVE_MANIFEST_MAX, &f.text, &f.len, err);
	if (r == 0)
		r = appc_pod_parse(f.text, f.len, &f.pod, err);
	if (r == 0 && !f.pod.napps)
		r = err_set(err, ERR_INVALID, "it has no apps");
	if (r < 0) {
		pod_file_done(&f);
		return err_wrap(err, "--pod-manifest=%s", path);
	}
	*ret = f;
	return 0;
}

/* Images as they were given, and whether an app has asked for them. */
struct given {
	struct image *images;
	bool *used;
	size_t n;
};

static void given_done(struct given *g)
{
	for (size_t i = 0; i < g->n; i++)
		image_done(&g->images[i]);
	free(g->images);
	free(g->used);
}

/* NULL, with err set, when none is or several are called so. */
static const char *id_by_name(const struct given *g, const char *name, struct err *err)
{
	const char *id = NULL;
	for (size_t i = 0; i < g->n; i++) {
		if (strcmp(g->images[i].manifest.name, name) != 0)
			continue;
		if (id && strcmp(id, g->images[i].id) != 0) {
			err_set(err, ERR_INVALID, "several of the given images are named %s", name);
			return NULL;
		}
		id = g->images[i].id;
	}
	if (!id)
		err_set(err, ERR_NOTFOUND,
			"no image of name \"%s\" is given, and the app has no image id", name);
	return id;
}

static void note_used(struct given *g, const char *id)
{
	for (size_t i = 0; i < g->n; i++)
		g->used[i] |= !strcmp(g->images[i].id, id);
}

static int find_image(const struct datadir *d, struct given *g, const struct appc_pod_app *app,
	struct image *ret, struct err *err)
{
	const char *id = *app->image_id ? app->image_id : id_by_name(g, app->image_name, err);
	if (!id || image_by_id(d, id, ret, err) < 0)
		return err_wrap(err, "app %s", app->name);
	note_used(g, id);
	if (image_check_app(ret, app->app.nexec > 0, err) < 0)
		return err_wrap(err, "app %s", app->name);
	return 0;
}

static int find_all(const struct pod_file *f, const struct datadir *d, const struct run_args *args,
	struct given *g, struct image *ret, struct err *err)
{
	for (; g->n < args->napps; g->n++)
		if (image_get(d, args->apps[g->n].image, &g->images[g->n], err) < 0)
			return -1;
	for (size_t i = 0; i < f->pod.napps; i++)
		if (find_image(d, g, &f->pod.apps[i], &ret[i], err) < 0)
			return err_wrap(err, "--pod-manifest=%s", args->pod_manifest);
	for (size_t i = 0; i < g->n; i++)
		if (!g->used[i])
			return err_set(err, ERR_INVALID,
				"image %s (%s, %s) is none that an app of --pod-manifest=%s has",
				args->apps[i].image, g->images[i].manifest.name, g->images[i].id,
				args->pod_manifest);
	return 0;
}

int pod_file_images(const struct pod_file *f, const struct datadir *d, const struct run_args *args,
	struct image *ret, struct err *err)
{
	struct given g = {0};
	g.images = xcalloc(args->napps + 1, sizeof(*g.images));
	g.used = xcalloc(args->napps + 1, sizeof(*g.used));
	int r = find_all(f, d, args, &g, ret, err);
	given_done(&g);
	return r;
}
