/* SPDX-License-Identifier: Apache-2.0 */
/* Pod manifests: see pod.h. */
#include "appc/pod.h"

#include <stdlib.h>
#include <string.h>

#include "appc/acname.h"
#include "appc/lenient.h"
#include "base/alloc.h"

static void pod_app_done(struct appc_pod_app *app)
{
	free(app->name);
	free(app->image_id);
	free(app->image_name);
	appc_mounts_done(&app->mounts);
	appc_app_done(&app->app);
}

void appc_pod_done(struct appc_pod *pod)
{
	for (size_t i = 0; i < pod->napps; i++)
		pod_app_done(&pod->apps[i]);
	free(pod->apps);
	appc_volumes_done(&pod->volumes);
	json_decref(pod->json);
	*pod = (struct appc_pod){0};
}

static int check_kind(const json_t *o, struct err *err)
{
	const char *kind;
	if (lenient_str(o, "acKind", &kind, err) < 0)
		return -1;
	if (strcmp(kind, "PodManifest"))
		return err_set(err, ERR_INVALID, "\"acKind\" is \"%s\", not \"PodManifest\"", kind);
	return 0;
}

static int read_image(const json_t *o, struct appc_pod_app *app, struct err *err)
{
	json_t *image;
	const char *id;
	const char *name;
	if (lenient_obj(o, "image", &image, err) < 0 || lenient_str(image, "id", &id, err) < 0 ||
		lenient_str(image, "name", &name, err) < 0)
		return -1;
	app->image_id = xstrdup(id);
	app->image_name = xstrdup(name);
	return 0;
}

static int read_app(const json_t *o, struct appc_pod_app *app, struct err *err)
{
	json_t *inner;
	if (read_image(o, app, err) < 0 ||
		lenient_bool(o, "readOnlyRootFS", &app->read_only, err) < 0 ||
		appc_mounts_read(o, &app->mounts, err) < 0 ||
		lenient_filled(o, "annotations", &app->annotations, err) < 0 ||
		lenient_obj(o, "app", &inner, err) < 0)
		return -1;
	if (inner && appc_app_parse(inner, &app->app, err) < 0)
		return -1;
	app->has_app = inner != NULL;
	return 0;
}

static int add_app(struct appc_pod *pod, const json_t *o, struct err *err)
{
	const char *name;
	if (lenient_str(o, "name", &name, err) < 0)
		return -1;
	if (!acname_valid(name))
		return err_set(err, ERR_INVALID, "\"%s\" is not a valid app name", name);
	for (size_t i = 0; i < pod->napps; i++)
		if (!strcmp(pod->apps[i].name, name))
			return err_set(err, ERR_INVALID, "two apps are named %s", name);
	struct appc_pod_app *app = &pod->apps[pod->napps++];
	app->name = xstrdup(name);
	if (read_app(o, app, err) < 0)
		return err_wrap(err, "app %s", name);
	return 0;
}

static int read_apps(struct appc_pod *pod, struct err *err)
{
	json_t *apps;
	size_t i;
	json_t *o;
	if (lenient_array(pod->json, "apps", &apps, err) < 0)
		return -1;
	pod->apps = xcalloc(json_array_size(apps) + 1, sizeof *pod->apps);
	json_array_foreach (apps, i, o) {
		if (add_app(pod, o, err) < 0)
			return -1;
	}
	return 0;
}

static int read_all(struct appc_pod *pod, struct err *err)
{
	const json_t *o = pod->json;
	if (check_kind(o, err) < 0 || appc_volumes_read(o, &pod->volumes, err) < 0 ||
		lenient_filled(o, "ports", &pod->ports, err) < 0 ||
		lenient_filled(o, "annotations", &pod->annotations, err) < 0)
		return -1;
	return read_apps(pod, err);
}

int appc_pod_parse(const char *text, size_t len, struct appc_pod *ret, struct err *err)
{
	struct appc_pod pod = {.json = lenient_parse(text, len, "pod manifest", err)};
	if (!pod.json)
		return -1;
	if (read_all(&pod, err) < 0) {
		appc_pod_done(&pod);
		return err_wrap(err, "pod manifest");
	}
	*ret = pod;
	return 0;
}

const char *appc_pod_annotation(const struct appc_pod *pod, const char *name)
{
	return lenient_pair_str(pod->annotations, name);
}

const char *appc_pod_app_annotation(const struct appc_pod_app *app, const char *name)
{
	return lenient_pair_str(app->annotations, name);
}
