/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the pod directory: see poddir.h. What cannot be honoured is judged in judge.c. */
#include "stage1/poddir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define MANIFEST_MAX (512 * 1024)

/* common/environment.go, for what the manifest leaves out */
static const char *const env_defaults[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SHELL=/bin/sh",
	"USER=root", "LOGNAME=root", "HOME=/root",
	"container=rkt", /* asked for by the appc specification */
};

static void app_done(struct poddir_app *a)
{
	for (char **e = a->env; e && *e; e++)
		free(*e);
	free(a->env);
	appc_image_done(&a->image);
}

void poddir_done(struct poddir *d)
{
	for (size_t i = 0; i < d->napps; i++)
		app_done(&d->apps[i]);
	free(d->apps);
	appc_pod_done(&d->pod);
	*d = (struct poddir){0};
}

static bool env_has(char *const *env, const char *pair)
{
	size_t len = strcspn(pair, "=") + 1;
	for (; *env; env++)
		if (!strncmp(*env, pair, len))
			return true;
	return false;
}

static char **merge_env(const struct appc_app *app, const char *name)
{
	char **env = xcalloc(app->nenv + ARRAY_SIZE(env_defaults) + 2, sizeof *env);
	size_t n = 0;
	for (size_t i = 0; i < app->nenv; i++)
		if (strcmp(app->env[i].name, "AC_APP_NAME"))
			env[n++] = xasprintf("%s=%s", app->env[i].name, app->env[i].value);
	env[n++] = xasprintf("AC_APP_NAME=%s", name);
	for (size_t i = 0; i < ARRAY_SIZE(env_defaults); i++)
		if (!env_has(env, env_defaults[i]))
			env[n++] = xstrdup(env_defaults[i]);
	return env;
}

static int read_image(const char *name, struct appc_image *ret, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(PODDIR_APP_FMT "/manifest", name);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, path, MANIFEST_MAX, &text, &len, err) < 0)
		return -1;
	return appc_image_parse(text, len, ret, err);
}

static int read_app(struct poddir_app *a, const struct appc_pod_app *pod, struct err *err)
{
	a->pod = pod;
	if (read_image(pod->name, &a->image, err) < 0)
		return err_wrap(err, "app %s", pod->name);
	if (!pod->has_app && !a->image.has_app)
		return err_set(err, ERR_INVALID,
			"app %s: neither the pod manifest nor image \"%s\" says what to run "
			"(try --exec=BINARY)",
			pod->name, a->image.name);
	a->app = pod->has_app ? &pod->app : &a->image.app;
	a->env = merge_env(a->app, pod->name);
	return 0;
}

static int read_all(struct poddir *d, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, PODDIR_MANIFEST, MANIFEST_MAX, &text, &len, err) < 0)
		return err_wrap(err, "the working directory is not a pod directory");
	if (appc_pod_parse(text, len, &d->pod, err) < 0)
		return -1;
	d->apps = xcalloc(d->pod.napps + 1, sizeof *d->apps);
	for (size_t i = 0; i < d->pod.napps; i++) {
		d->napps++;
		if (read_app(&d->apps[i], &d->pod.apps[i], err) < 0)
			return -1;
	}
	return 0;
}

int poddir_read(struct poddir *ret, struct err *err)
{
	struct poddir d = {0};
	if (read_all(&d, err) < 0) {
		poddir_done(&d);
		return -1;
	}
	*ret = d;
	return 0;
}
