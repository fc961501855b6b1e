/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pod may ask for and the guest cannot give yet is refused here with one line, before
 * anything is done: a port that is silently left out would be worse than no pod. Streams are judged
 * in stdio.c, volumes in volumes.c, isolators where they are read.
 */
#include "stage1/poddir.h"

#include <string.h>

#include "appc/lenient.h"
#include "base/cleanup.h"
#include "proto/spec.h"

static int not_yet(struct err *err, const char *app, const char *what)
{
	return err_set(err, ERR_UNSUPPORTED, "app %s: not supported yet: %s", app, what);
}

/* Without a network a port of an app opens nothing by itself; one that waits for a socket of
 * systemd's would never get it. */
static int judge_ports(const struct poddir_app *a, struct err *err)
{
	size_t i;
	const json_t *port;
	json_array_foreach (a->app->ports, i, port) {
		bool activated;
		if (lenient_bool(port, "socketActivated", &activated, err) < 0)
			return err_wrap(err, "app %s: \"ports\"", a->pod->name);
		if (activated)
			return not_yet(err, a->pod->name,
				"socket-activated ports (a domain cannot take over the host's "
				"sockets)");
	}
	return 0;
}

static int judge_app(const struct poddir_app *a, struct err *err)
{
	const char *name = a->pod->name;
	if (strlen(name) > SPEC_NAME_MAX)
		return err_set(err, ERR_INVALID,
			"app %s: a name of an app has at most %d letters; give it another (try "
			"--name=NAME)",
			name, SPEC_NAME_MAX);
	if (!a->app->nexec || !*a->app->exec[0])
		return err_set(err, ERR_INVALID,
			"app %s: image \"%s\" has an empty \"exec\" (try --exec=BINARY)", name,
			a->image.name);
	return judge_ports(a, err);
}

int poddir_judge(const struct poddir *d, struct err *err)
{
	const char *is_mutable = appc_pod_annotation(&d->pod, APPC_ANNOTATION_MUTABLE);
	if (is_mutable && !strcmp(is_mutable, "true"))
		return err_set(err, ERR_UNSUPPORTED, "not supported yet: mutable pods");
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
