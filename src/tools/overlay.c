/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlayfs and mountinfo, nothing else. Paths come from our own layout below the data directory,
 * whose absolute path has no symlinks.
 */
#include "tools/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/fstree.h"
#include "tools/worker.h"

int overlay_mount(
	const char *lower, const char *upper, const char *work, const char *target, struct err *err)
{
	_cleanup_free_ char *data =
		xasprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
	if (mount("overlay", target, "overlay", 0, data) < 0)
		return err_sys(err, "mount overlay on %s", target);
	return 0;
}

static int try_overlay(void *ctx, char **ret, struct err *err)
{
	(void)ret;
	const char *dir = ctx;
	static const char *const names[] = {"lower", "upper", "work", "on"};
	char *path[ARRAY_SIZE(names)];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		path[i] = xasprintf("%s/%s", dir, names[i]);
		if (mkdir(path[i], 0700) < 0)
			return err_sys(err, "make %s", path[i]);
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "new mount namespace");
	if (overlay_mount(path[0], path[1], path[2], path[3], err) < 0)
		return -1;
	/* Upper file systems without the attributes mount read-only or fail only here. */
	_cleanup_free_ char *probe = xasprintf("%s/probe", path[3]);
	if (mkdir(probe, 0700) < 0)
		return err_sys(err, "write to an overlay");
	return 0;
}

bool overlay_usable(const struct datadir *d, struct err *err)
{
	if (strpbrk(d->path, ":,\\\"")) {
		err_set(err, ERR_UNSUPPORTED, "overlayfs cannot take \"%s\" as a path", d->path);
		return false;
	}
	_cleanup_free_ char *dir = xasprintf("%s/cas/overlay-XXXXXX", d->path);
	if (!mkdtemp(dir)) {
		err_sys(err, "make %s", dir);
		return false;
	}
	int r = worker_run(try_overlay, dir, NULL, err);
	fstree_remove_at(d->fd, dir + strlen(d->path) + 1, NULL);
	return r == 0;
}

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static void unescape(char *s)
{
	char *out = s;
	while (*s) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* Calls fn for each mount point of this namespace, in the order in which they were mounted. */
typedef void (*mount_fn)(void *ctx, const char *point);
static int each_mount(mount_fn fn, void *ctx, struct err *err)
{
	_cleanup_file_ FILE *f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return err_sys(err, "open /proc/self/mountinfo");
	char *line = NULL;
	size_t cap = 0;
	while (getline(&line, &cap, f) > 0) {
		char *save;
		char *field = strtok_r(line, " ", &save);
		for (int i = 0; field && i < 4; i++)
			field = strtok_r(NULL, " ", &save);
		if (!field)
			continue;
		unescape(field);
		fn(ctx, field);
	}
	free(line);
	return 0;
}

struct match {
	const char *path;
	size_t len;
	bool found;
	char **points;
	size_t n;
};

static void match_exact(void *ctx, const char *point)
{
	struct match *m = ctx;
	m->found |= !strcmp(point, m->path);
}

bool mount_is_at(const char *path)
{
	struct match m = {.path = path};
	each_mount(match_exact, &m, NULL);
	return m.found;
}

static void match_below(void *ctx, const char *point)
{
	struct match *m = ctx;
	if (strncmp(point, m->path, m->len) != 0 || point[m->len] != '/')
		return;
	m->points = xreallocarray(m->points, m->n + 1, sizeof(*m->points));
	m->points[m->n++] = xstrdup(point);
}

static int mount_remove(const char *point, struct err *err)
{
	mount(NULL, point, NULL, MS_PRIVATE, NULL);
	if (umount2(point, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
		return 0;
	if (errno == EBUSY && umount2(point, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		return 0;
	return err_sys(err, "unmount %s", point);
}

int mount_remove_below(const char *path, struct err *err)
{
	struct match m = {.path = path, .len = strlen(path)};
	int r = each_mount(match_below, &m, err);
	while (m.n) {
		char *point = m.points[--m.n];
		if (r == 0)
			r = mount_remove(point, err);
		free(point);
	}
	free(m.points);
	return r;
}
