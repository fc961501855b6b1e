/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes and readiness as rkt reads them: see rktfiles.h. */
#include "daemon/rktfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/files.h"

#define READY_LINK   "supervisor-status"
#define READY_TARGET "ready"

int rktfiles_ready(int rkt_dirfd, struct err *err)
{
	if (symlinkat(READY_TARGET, rkt_dirfd, READY_LINK) < 0 && errno != EEXIST)
		return err_sys(err, "make rkt/%s", READY_LINK);
	crash_point("shown-ready");
	return 0;
}

int rktfiles_unready(int rkt_dirfd, struct err *err)
{
	if (unlinkat(rkt_dirfd, READY_LINK, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove rkt/%s", READY_LINK);
	crash_point("shown-unready");
	return 0;
}

static int write_code(int rkt_dirfd, const struct pod_app *a, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("status/%s", a->name);
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", a->code);
	return file_replace_at(rkt_dirfd, path, text, (size_t)n, 0644, err);
}

/* `run` has kept room for it (stage1/podfiles.h), which goes when nothing is known. */
static int forget_code(int rkt_dirfd, const struct pod_app *a, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("status/%s", a->name);
	return file_unreserve_at(rkt_dirfd, path, err);
}

int rktfiles_codes(int rkt_dirfd, const struct pod_app *apps, size_t n, struct err *err)
{
	bool written = false;
	for (size_t i = 0; i < n; i++) {
		bool ended = pod_app_ended(&apps[i]);
		if ((ended ? write_code : forget_code)(rkt_dirfd, &apps[i], err) < 0)
			return err_wrap(err, "exit code of app %s", apps[i].name);
		crash_point("code");
		written = written || ended;
	}
	/* One sync for the names of all. */
	return written ? dir_sync_at(rkt_dirfd, "status", err) : 0;
}

/* The overlay's upper directory, named by the stage1's tree id (contract 2.1, 2.4). */
static int open_upper(int pod_dirfd)
{
	_cleanup_free_ char *id = NULL;
	if (file_read_at(pod_dirfd, "stage1TreeStoreID", 256, &id, NULL, NULL) < 0)
		return -1;
	id[strcspn(id, "\n/")] = '\0';
	_cleanup_free_ char *path = xasprintf("overlay/%s/upper/rkt", id);
	return openat(pod_dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int rktfiles_open(int pod_dirfd)
{
	int fd = openat(pod_dirfd, "stage1/rootfs/rkt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : open_upper(pod_dirfd);
}
