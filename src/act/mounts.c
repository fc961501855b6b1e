/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/mountinfo and umount2: see mounts.h. */
#include "act/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/mountinfo.h"

#define STEP_NS    (20 * 1000 * 1000L)
#define BUSY_TRIES 100 /* a QEMU that was killed lets go a little later */

static int unmount_one(const char *path, int *lazy, struct err *err)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	for (int i = 0; i < BUSY_TRIES; i++) {
		if (umount2(path, UMOUNT_NOFOLLOW) == 0)
			return 0;
		if (errno != EBUSY)
			return err_sys(err, "unmount %s", path);
		nanosleep(&step, NULL);
	}
	if (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
		return err_sys(err, "detach %s", path);
	++*lazy;
	return 0;
}

static bool is_below(const char *point, const char *path)
{
	size_t len = strlen(path);
	return strncmp(point, path, len) == 0 && (point[len] == '\0' || point[len] == '/');
}

/*
 * What is mounted below another is the longer path. The table's order does not tell: a mount that was
 * cloned before it was attached stands before what it is attached to.
 */
static int shorter_first(const void *one, const void *other)
{
	size_t a = strlen(*(char *const *)one);
	size_t b = strlen(*(char *const *)other);
	return a < b ? -1 : a > b;
}

int mounts_remove(const char *path, int *lazy, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char **point = NULL;
	size_t n = 0;
	struct mountinfo m;
	if (file_read_at(AT_FDCWD, MOUNTINFO_PATH, MOUNTINFO_MAX, &text, NULL, err) < 0)
		return -1;
	char *rest = text;
	while (mountinfo_next(&rest, &m)) {
		if (!is_below(m.point, path))
			continue;
		point = xreallocarray(point, n + 1, sizeof *point);
		point[n++] = m.point;
	}
	if (n > 1)
		qsort(point, n, sizeof *point, shorter_first);
	while (n > 0)
		if (unmount_one(point[--n], lazy, err) < 0)
			return -1;
	return 0;
}
