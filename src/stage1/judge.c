/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pod may ask for and the guest cannot give yet is refused here with one line, before
 * anything is done: an isolator or a volume that is silently left out would be worse than no pod.
 */
#include "stage1/poddir.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "proto/spec.h"

static int not_yet(struct err *err, const char *app, const char *what)
{
	return err_set(err, ERR_UNSUPPORTED, "app %s: not supported yet: %s", app, what);
}

/* Parsed but ignored by every stage1 (contract 3.4): nothing is lost by ignoring them here. */
static bool isolator_ignorable(const char *name)
{
	static const char *const names[] = {"resource/block-bandwidth", "resource/block-iops",
		"resource/network-bandwidth", "os/linux/selinux-context", "os/unix/sysctl"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return !strcmp(name, APPC_ISOLATOR_MEMORY) || !strcmp(name, APPC_ISOLATOR_CPU);
}

static int judge_isolators(const struct poddir_app *a, struct err *err)
{
	const char *name;
	json_t *value;
	json_object_foreach (a->app->isolators, name, value) {
		if (!isolator_ignorable(name))
			return err_set(err, ERR_UNSUPPORTED,
				"app %s: not supported yet: isolator %s", a->pod->name, name);
	}
	return 0;
}

/* The stage2 modes of contract 3.6; a mode that does not exist means the default there. */
static int judge_stdio(const struct poddir_app *a, struct err *err)
{
	static const char *const refused[] = {"tty", "stream", "interactive"};
	static const char *const names[] = {"stdin", "stdout", "stderr"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char key[64];
		snprintf(key, sizeof key, "coreos.com/rkt/stage2/%s", names[i]);
		const char *mode = appc_pod_app_annotation(a->pod, key);
		if (!mode)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(refused); k++)
			if (!strcmp(mode, refused[k]))
				return err_set(err, ERR_UNSUPPORTED,
					"app %s: not supported yet: --%s=%s", a->pod->name,
					names[i], mode);
		if (i > 0 && !strcmp(mode, "null"))
			return err_set(err, ERR_UNSUPPORTED, "app %s: not supported yet: --%s=null",
				a->pod->name, names[i]);
	}
	return 0;
}

static int judge_app(const struct poddir_app *a, struct err *err)
{
	const char *name = a->pod->name;
	if (!a->app->nexec || !*a->app->exec[0])
		return err_set(err, ERR_INVALID,
			"app %s: image \"%s\" has an empty \"exec\" (try --exec=BINARY)", name,
			a->image.name);
	if (a->pod->mounts || a->app->mount_points)
		return not_yet(err, name, "volumes and mount points");
	if (a->app->event_handlers)
		return not_yet(err, name, "event handlers");
	if (judge_isolators(a, err) < 0)
		return -1;
	return judge_stdio(a, err);
}

int poddir_judge(const struct poddir *d, struct err *err)
{
	const char *is_mutable = appc_pod_annotation(&d->pod, APPC_ANNOTATION_MUTABLE);
	if (is_mutable && !strcmp(is_mutable, "true"))
		return err_set(err, ERR_UNSUPPORTED, "not supported yet: mutable pods");
	if (d->pod.ports)
		return err_set(err, ERR_UNSUPPORTED,
			"not supported yet: forwarded ports; run the pod without --port");
	if (appc_pod_annotation(&d->pod, "coreos.com/rkt/experiment/logmode"))
		return err_set(err, ERR_UNSUPPORTED, "not supported yet: kubernetes log files");
	if (!d->napps)
		return err_set(err, ERR_INVALID, "the pod manifest has no apps");
	if (d->napps > SPEC_MAX_APPS)
		return err_set(err, ERR_INVALID, "the pod has %zu apps, at most %d are possible",
			d->napps, SPEC_MAX_APPS);
	for (size_t i = 0; i < d->napps; i++)
		if (judge_app(&d->apps[i], err) < 0)
			return -1;
	return 0;
}
