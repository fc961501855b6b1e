/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod manifest: each image's "app" with the user's changes merged in by the rules of rkt's
 * stage0 (contract 3.2, 3.4). No files are touched.
 */
#include "tools/pod_manifest.h"

#include <stdio.h>
#include <string.h>

#include "appc/acname.h"
#include "appc/lenient.h"
#include "appc/pod.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/values.h"

static bool name_taken(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool name_given(const struct run_args *args, const char *name)
{
	for (size_t i = 0; i < args->napps; i++)
		if (args->apps[i].name && !strcmp(args->apps[i].name, name))
			return true;
	return false;
}

/* Given names come first: a made one gives way even to one that stands later. */
static char *name_make(
	const struct run_args *args, char *const *names, size_t n, const char *image_name)
{
	_cleanup_free_ char *base = acname_from_image(image_name);
	char *name = base ? xstrdup(base) : NULL;
	for (int i = 2; name && (name_taken(names, n, name) || name_given(args, name)); i++) {
		free(name);
		name = xasprintf("%s-%d", base, i);
	}
	return name;
}

static int name_pick(const struct run_args *args, const struct image *images, char **names,
	size_t i, struct err *err)
{
	const char *given = args->apps[i].name;
	if (given && name_taken(names, i, given))
		return err_set(err, ERR_INVALID, "two apps are named \"%s\"", given);
	names[i] = given ? xstrdup(given) : name_make(args, names, i, images[i].manifest.name);
	if (!names[i])
		return err_set(err, ERR_INVALID,
			"image name \"%s\" gives no name for an app (use --name)",
			images[i].manifest.name);
	return 0;
}

int pod_manifest_names(
	const struct run_args *args, const struct image *images, char ***ret, struct err *err)
{
	char **names = xcalloc(args->napps, sizeof(*names));
	for (size_t i = 0; i < args->napps; i++) {
		if (name_pick(args, images, names, i, err) == 0)
			continue;
		while (i)
			free(names[--i]);
		free(names);
		return -1;
	}
	*ret = names;
	return 0;
}

static json_t *string_array(const json_t *from)
{
	return from ? json_deep_copy(from) : json_array();
}

static void set_exec(json_t *app, const struct run_app *ra)
{
	json_t *exec =
		ra->exec ? json_make("[s]", ra->exec) : string_array(lenient_get(app, "exec"));
	for (size_t i = 0; i < ra->nargs; i++)
		json_array_append_new(exec, json_string(ra->args[i]));
	lenient_set(app, "exec", exec);
}

static bool env_has(const json_t *env, const char *name)
{
	return lenient_pair(env, name) != NULL;
}

static void set_one_env(json_t *env, const char *name, const char *value)
{
	for (size_t i = json_array_size(env); i-- > 0;) {
		const char *have = NULL;
		lenient_str(json_array_get(env, i), "name", &have, NULL);
		if (have && !strcmp(have, name))
			json_array_remove(env, i);
	}
	json_array_append_new(env, json_make("{s:s, s:s}", "name", name, "value", value));
}

static void set_env_words(json_t *env, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++) {
		size_t len = strcspn(words->v[i], "=");
		_cleanup_free_ char *name = xstrndup(words->v[i], len);
		set_one_env(env, name, words->v[i] + len + 1);
	}
}

/* From the weakest to the strongest; what is inherited only fills gaps. */
static void set_env(json_t *app, const struct run_args *args, const struct run_app *ra)
{
	const char *name;
	json_t *value;
	json_t *env = string_array(lenient_get(app, "environment"));
	json_object_foreach (args->file_env, name, value)
		set_one_env(env, name, json_string_value(value));
	set_env_words(env, &args->env);
	set_env_words(env, &ra->env);
	json_object_foreach (args->inherited, name, value)
		if (!env_has(env, name))
			set_one_env(env, name, json_string_value(value));
	lenient_set(app, "environment", env);
}

static void set_text(json_t *app, const char *key, const char *value)
{
	if (value)
		lenient_set(app, key, json_string(value));
}

static void set_json(json_t *app, const char *key, json_t *value)
{
	if (value)
		lenient_set(app, key, json_incref(value));
}

static json_t *make_app(
	const struct run_args *args, const struct run_app *ra, const struct image *image)
{
	json_t *from = lenient_get(image->manifest.json, "app");
	json_t *app =
		from ? json_deep_copy(from) : json_make("{s:s, s:s}", "user", "0", "group", "0");
	set_exec(app, ra);
	set_env(app, args, ra);
	set_text(app, "user", ra->user);
	set_text(app, "group", ra->group);
	set_text(app, "workingDirectory", ra->cwd);
	set_json(app, "supplementaryGIDs", ra->gids);
	set_json(app, "userAnnotations", ra->user_annotations);
	set_json(app, "userLabels", ra->user_labels);
	lenient_set(
		app, "isolators", isolators_merge(lenient_get(app, "isolators"), ra->isolators));
	return app;
}

static json_t *make_runtime_app(const struct run_args *args, const struct run_app *ra,
	const struct image *image, const char *name)
{
	json_t *labels = image->manifest.labels;
	json_t *o = json_make("{s:s, s:{s:s, s:s, s:o}, s:o}", "name", name, "image", "name",
		image->manifest.name, "id", image->id, "labels", string_array(labels), "app",
		make_app(args, ra, image));
	if (ra->read_only)
		json_object_set_new(o, "readOnlyRootFS", json_true());
	if (ra->mounts || args->mounts)
		json_object_set_new(o, "mounts", value_mounts_merge(ra->mounts, args->mounts));
	return o;
}

static void annotate(json_t *list, const char *name, const char *value)
{
	json_array_append_new(list, json_make("{s:s, s:s}", "name", name, "value", value));
}

static json_t *make_annotations(const struct run_args *args)
{
	json_t *list = json_make("[{s:s, s:s}, {s:s, s:s}]", "name", APPC_ANNOTATION_MUTABLE,
		"value", "false", "name", APPC_ANNOTATION_OWNER, "value", "xenpod");
	if (args->type)
		annotate(list, APPC_ANNOTATION_TYPE, args->type);
	if (args->net.guard)
		annotate(list, APPC_ANNOTATION_GUARD, "true");
	if (args->restart)
		annotate(list, APPC_ANNOTATION_RESTART, args->restart);
	return list;
}

/* What the stage1 will make of it: a fault is told before anything is prepared. */
static int check(const json_t *manifest, struct err *err)
{
	_cleanup_free_ char *text = json_text(manifest);
	struct appc_pod pod = {0};
	int r = appc_pod_parse(text, strlen(text), &pod, err);
	appc_pod_done(&pod);
	return r;
}

int pod_manifest_make(const struct run_args *args, const struct image *images, char *const *names,
	json_t **ret, struct err *err)
{
	json_t *apps = json_array();
	for (size_t i = 0; i < args->napps; i++)
		json_array_append_new(
			apps, make_runtime_app(args, &args->apps[i], &images[i], names[i]));
	_cleanup_json_ json_t *pod = json_make("{s:s, s:s, s:o, s:O?, s:n, s:o, s:o}", "acVersion",
		"0.8.11", "acKind", "PodManifest", "apps", apps, "volumes", args->volumes,
		"isolators", "annotations", make_annotations(args), "ports",
		args->net.ports ? json_incref(args->net.ports) : json_array());
	if (check(pod, err) < 0)
		return err_wrap(err, "pod manifest");
	*ret = TAKE_PTR(pod);
	return 0;
}
