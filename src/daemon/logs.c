/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of others, kept small: see logs.h. */
#include "daemon/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/uuid.h"
#include "daemon/messages.h"

#define BLOCK 512 /* st_blocks' unit, whatever the file system's is (stat(2)) */

char *logs_console_path(const char *console_dir, const char *uuid)
{
	return xasprintf("%s/guest-%s.log", console_dir, uuid);
}

char *logs_path(const char *dir, size_t i, const char *uuid)
{
	if (i == 0)
		return xasprintf("%s/qemu-dm-%s.log", dir, uuid);
	_cleanup_free_ char *console = xasprintf("%s/console", dir);
	return logs_console_path(console, uuid);
}

/* 1: done, 0: not needed, or it is none of ours to touch. */
static int trim(const char *path)
{
	struct stat st;
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (st.st_blocks <= LOGS_MAX_BYTES / BLOCK || st.st_size <= LOGS_KEPT)
		return 0;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st.st_size - LOGS_KEPT) ==
		0)
		return 1;
	log_warning("%s takes %lld MiB and cannot be made smaller: %s", path,
		(long long)st.st_blocks * BLOCK >> 20, strerror(errno));
	return 0;
}

int logs_trim(const char *dir, const char *uuid)
{
	int n = 0;
	for (size_t i = 0; i < LOGS_PER_POD; i++) {
		_cleanup_free_ char *path = logs_path(dir, i, uuid);
		n += trim(path);
	}
	return n;
}

struct trim_job {
	struct worker_job job;
	const char *dir;
	size_t n, room;
	char (*uuid)[UUID_TEXT_SIZE];
};

static void trim_work(struct worker_job *wj)
{
	struct trim_job *j = (struct trim_job *)wj;
	for (size_t i = 0; i < j->n; i++)
		if (logs_trim(j->dir, j->uuid[i]))
			log_about(LOG_LVL_WARNING, MSG_LOG_TRIMMED, j->uuid[i],
				"pod %s: a log has grown beyond %d MiB, its beginning is dropped",
				j->uuid[i], LOGS_MAX_BYTES >> 20);
}

static void trim_done(struct worker_job *wj)
{
	struct trim_job *j = (struct trim_job *)wj;
	free(j->uuid);
	free(j);
}

static void add_pod(void *ctx, struct pod *p)
{
	struct trim_job *j = ctx;
	if (p->core.domid >= 0 && j->n < j->room)
		memcpy(j->uuid[j->n++], p->uuid, UUID_TEXT_SIZE);
}

void logs_trim_all(struct worker *w, struct pods *pods, const char *dir)
{
	struct trim_job *j = xcalloc(1, sizeof *j);
	j->job.work = trim_work;
	j->job.done = trim_done;
	j->dir = dir;
	j->room = pods_count(pods);
	j->uuid = xcalloc(j->room + 1, sizeof *j->uuid);
	pods_each(pods, add_pod, j);
	worker_submit(w, &j->job);
}
