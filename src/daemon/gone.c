/* SPDX-License-Identifier: Apache-2.0 */
/* Pods without a directory: see gone.h. */
#include "daemon/gone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/engine_int.h"
#include "daemon/messages.h"
#include "daemon/worker.h"

static bool is_missing(const char *path)
{
	struct stat st;
	return lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

bool gone_dir(const char *dir)
{
	static const char *const places[] = {"exited-garbage", "garbage"};
	const char *uuid = strrchr(dir, '/');
	if (!uuid || !is_missing(dir))
		return false;
	/* DATA/pods/run/UUID */
	const char *run = uuid == dir ? NULL : memrchr(dir, '/', (size_t)(uuid - dir));
	if (!run)
		return false;
	_cleanup_free_ char *pods = xasprintf("%.*s", (int)(run - dir), dir);
	if (is_missing(pods))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *moved = xasprintf("%s/%s%s", pods, places[i], uuid);
		if (!is_missing(moved))
			return false;
	}
	return true;
}

struct look {
	struct worker_job job;
	struct engine *e;
	struct looked {
		char uuid[UUID_TEXT_SIZE];
		char *dir;
		bool gone;
	} * pod;
	size_t n, room;
};

static bool waits_for_gc(const struct pod *p)
{
	return p->core.state == POD_EXITED || p->core.state == POD_FAILED;
}

static void add(void *ctx, struct pod *p)
{
	struct look *l = ctx;
	if (!waits_for_gc(p))
		return;
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->pod = xreallocarray(l->pod, l->room, sizeof *l->pod);
	}
	struct looked *to = &l->pod[l->n++];
	memcpy(to->uuid, p->uuid, sizeof to->uuid);
	to->dir = xstrdup(pod_dir(p));
	to->gone = false;
}

static void work(struct worker_job *job)
{
	struct look *l = (struct look *)job;
	for (size_t i = 0; i < l->n; i++)
		l->pod[i].gone = gone_dir(l->pod[i].dir);
}

static void judge(struct engine *e, const struct looked *l)
{
	struct pod *p = pods_find(e->pods, l->uuid);
	if (!p || !waits_for_gc(p))
		return;
	if (l->gone && p->dir_gone) {
		log_pod(LOG_LVL_NOTICE, p->uuid,
			"pod %s: its directory %s was removed without its gc: doing that now",
			p->uuid, l->dir);
		engine_post(e, p, EV_GC, NULL);
	}
	p->dir_gone = l->gone;
}

static void done(struct worker_job *job)
{
	struct look *l = (struct look *)job;
	for (size_t i = 0; i < l->n; i++) {
		judge(l->e, &l->pod[i]);
		free(l->pod[i].dir);
	}
	free(l->pod);
	free(l);
}

void gone_look(struct engine *e)
{
	struct look *l = xcalloc(1, sizeof *l);
	l->job.work = work;
	l->job.done = done;
	l->e = e;
	pods_each(e->pods, add, l);
	worker_submit(e->cfg.worker, &l->job);
}
