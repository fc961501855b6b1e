/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes of apps (contract 3.3): see volumes.h. Exports are mounted where no app sees them, once
 * each: a 9p device of Xen serves one mount at a time. Apps get clones of that mount, of all of it
 * or of a part.
 */
#include "guest/volumes.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "guest/mountfd.h"
#include "guest/rootfs.h"

/* ---- sources --------------------------------------------------------------------------------- */

static bool is_mounted(const struct volumes *volumes, const char *tag)
{
	for (size_t i = 0; i < volumes->n_mounted; i++) {
		if (strcmp(volumes->mounted[i], tag) == 0)
			return true;
	}
	return false;
}

static int tree_mount(struct volumes *volumes, const char *tag, const char *dir, struct err *err)
{
	if (volumes->n_mounted == ARRAY_SIZE(volumes->mounted))
		return err_set(err, ERR_FULL, "at most %d exports are possible", SPEC_MAX_TREES);
	if (dir_make_all(dir, 0700, err) < 0 ||
		volumes->mount(tag, dir, MS_NOSUID | MS_NODEV, err) < 0)
		return -1;
	volumes->mounted[volumes->n_mounted++] = tag;
	return 0;
}

static int tree_open(struct volumes *volumes, const char *tag, struct err *err)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", volumes->dir, tag);
	if (!is_mounted(volumes, tag) && tree_mount(volumes, tag, dir, err) < 0)
		return -1;
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(err, "open %s", dir);
}

/* No link is followed: a path of the spec is what the host resolved, and other domains may write
 * here. */
static int sub_open(int tree, const char *sub, struct err *err)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, tree, *sub ? sub : ".", &how, sizeof(how));
	return fd >= 0 ? fd : err_sys(err, "open \"%s\" of the volume", sub);
}

static int source_open(struct volumes *volumes, const struct podspec_mount *mount, struct err *err)
{
	_cleanup_fd_ int tree = tree_open(volumes, mount->tag, err);
	return tree < 0 ? -1 : sub_open(tree, mount->sub, err);
}

/* ---- order ----------------------------------------------------------------------------------- */

struct place {
	const struct podspec_mount *mount;
	char *path; /* cleaned */
	size_t depth;
};

/* As Go's path.Clean(), which rkt compares targets by; "/" becomes "". */
static char *path_clean(const char *path, size_t *ret_depth)
{
	char *clean = xcalloc(1, strlen(path) + 2);
	size_t end = 0;
	size_t depth = 0;
	for (const char *p = path + strspn(path, "/"); *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");
		bool up = len == 2 && p[0] == '.' && p[1] == '.';
		if (up && depth) {
			while (clean[--end] != '/')
				continue;
			depth--;
		} else if (!up && !(len == 1 && p[0] == '.')) {
			clean[end] = '/';
			memcpy(clean + end + 1, p, len);
			end += len + 1;
			depth++;
		}
		p += len;
	}
	clean[end] = '\0';
	*ret_depth = depth;
	return clean;
}

static int place_compare(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->mount < y->mount ? -1 : 1; /* they stand in one array: the spec's order */
}

static struct place *places_new(const struct podspec_app *app)
{
	struct place *places = xcalloc(app->n_mounts + 1, sizeof(*places));
	for (size_t i = 0; i < app->n_mounts; i++) {
		places[i].mount = &app->mounts[i];
		places[i].path = path_clean(app->mounts[i].path, &places[i].depth);
	}
	qsort(places, app->n_mounts, sizeof(*places), place_compare);
	return places;
}

static void places_free(struct place *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(places[i].path);
	free(places);
}

/* ---- mounting -------------------------------------------------------------------------------- */

static int mount_one(struct volumes *volumes, const struct place *place, int root, struct err *err)
{
	struct stat st;
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	if (place->depth == 0)
		return err_set(err, ERR_INVALID, "a volume cannot take the place of the root");
	_cleanup_fd_ int source = source_open(volumes, place->mount, err);
	if (source < 0)
		return -1;
	if (fstat(source, &st) < 0)
		return err_sys(err, "stat the volume");
	_cleanup_fd_ int target = rootfs_make_target(root, place->path, S_ISDIR(st.st_mode), err);
	if (target < 0)
		return -1;
	if (place->mount->read_only)
		attrs |= MOUNT_ATTR_RDONLY;
	return mountfd_bind(source, target, attrs, err);
}

int volumes_app(struct volumes *volumes, const struct podspec_app *app, int root, struct err *err)
{
	int r = 0;
	struct place *places = places_new(app);
	for (size_t i = 0; r == 0 && i < app->n_mounts; i++) {
		r = mount_one(volumes, &places[i], root, err);
		if (r < 0)
			err_wrap(err, "mount volume %s on %s", places[i].mount->tag,
				places[i].mount->path);
	}
	places_free(places, app->n_mounts);
	return r;
}
