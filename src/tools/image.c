/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree store. Rendering goes to a temporary directory, is synced and then renamed, under one
 * lock: a tree is there whole or not at all. cas/seen/ remembers which file was which image.
 */
#include "tools/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "appc/lenient.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/fstree.h"
#include "base/json.h"
#include "base/progress.h"
#include "tools/archive_pack.h"
#include "tools/duration.h"
#include "tools/worker.h"

#define TREE_PREFIX "deps-"

void image_done(struct image *image)
{
	free(image->tree_id);
	image->tree_id = NULL;
	appc_image_done(&image->manifest);
}

char *image_tree_path(const char *tree_id)
{
	return xasprintf("cas/tree/%s", tree_id);
}

/* In a worker, which can be interrupted; the lock belongs to the open file (flock(2)), so it is ours then. */
static int lock_worker(void *ctx, char **ret, struct err *err)
{
	const int *fd = ctx;
	(void)ret;
	return flock(*fd, LOCK_EX) < 0 ? err_sys(err, "wait for the lock") : 0;
}

static int store_lock(const struct datadir *d, int *ret_fd, struct err *err)
{
	_cleanup_fd_ int fd =
		openat(d->fd, "cas/locks/render", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -1 : flock(fd, LOCK_EX | LOCK_NB);
	if (r < 0 && (fd < 0 || errno != EWOULDBLOCK))
		return err_sys(err, "lock %s/cas/locks/render", d->path);
	if (r < 0)
		progress_begin("waiting for another xenpod that unpacks images");
	if (r < 0 && worker_run(lock_worker, &fd, NULL, err) < 0)
		return err_wrap(err, "%s/cas/locks/render", d->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Under the store's lock whatever lies in cas/tmp belongs to somebody who was killed. */
static int clear_tmp(const struct datadir *d, struct err *err)
{
	if (fstree_remove_at(d->fd, "cas/tmp", err) < 0)
		return err_wrap(err, "clean up %s/cas/tmp", d->path);
	if (mkdirat(d->fd, "cas/tmp", 0700) < 0)
		return err_sys(err, "make %s/cas/tmp", d->path);
	return 0;
}

static bool tree_touch(const struct datadir *d, const char *tree_id)
{
	_cleanup_free_ char *path = image_tree_path(tree_id);
	return utimensat(d->fd, path, NULL, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool seen_lookup(const struct datadir *d, const char *print, char ret_id[IMAGE_ID_SIZE])
{
	if (!*print)
		return false;
	_cleanup_free_ char *path = xasprintf("cas/seen/%s", print);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(d->fd, path, IMAGE_ID_SIZE, &text, &len, NULL) < 0 || len != IMAGE_ID_LEN)
		return false;
	memcpy(ret_id, text, IMAGE_ID_SIZE);
	_cleanup_free_ char *tree_id = xasprintf(TREE_PREFIX "%s", ret_id);
	return tree_touch(d, tree_id);
}

static int unpack_into(const struct datadir *d, const char *path, const char *tmp,
	char ret_id[IMAGE_ID_SIZE], struct err *err)
{
	static const struct archive_limits limits = {
		.entries = APPC_IMAGE_ENTRIES_MAX, .bytes = APPC_IMAGE_BYTES_MAX};
	_cleanup_fd_ int dir = openat(d->fd, tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open %s/%s", d->path, tmp);
	struct stat st;
	if (stat(path, &st) < 0)
		return err_sys(err, "open");
	if (S_ISDIR(st.st_mode))
		return archive_unpack_dir(path, dir, &limits, ret_id, err);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, "open");
	return archive_unpack(fd, dir, &limits, ret_id, err);
}

static int read_manifest(
	const struct datadir *d, const char *tree, struct appc_image *ret, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/manifest", tree);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(d->fd, path, ARCHIVE_MANIFEST_MAX, &text, &len, err) < 0)
		return -1;
	return appc_image_parse(text, len, ret, err);
}

static void show_unpacking(const char *path)
{
	_cleanup_free_ char *name = xstrdup(path);
	for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
		name[n - 1] = '\0';
	progress_begin("unpacking %s", basename(name));
}

/* An image whose manifest is no good does not get into the store at all. */
static int render(
	const struct datadir *d, const char *path, char ret_id[IMAGE_ID_SIZE], struct err *err)
{
	static const char tmp[] = "cas/tmp/new";
	if (clear_tmp(d, err) < 0)
		return -1;
	if (mkdirat(d->fd, tmp, 0755) < 0)
		return err_sys(err, "make %s/%s", d->path, tmp);
	struct appc_image manifest = {0};
	show_unpacking(path);
	int r = unpack_into(d, path, tmp, ret_id, err);
	if (r == 0)
		r = read_manifest(d, tmp, &manifest, err);
	appc_image_done(&manifest);
	_cleanup_free_ char *tree_id = xasprintf(TREE_PREFIX "%s", ret_id);
	_cleanup_free_ char *tree = image_tree_path(tree_id);
	if (r == 0 && !tree_touch(d, tree_id) && renameat(d->fd, tmp, d->fd, tree) < 0)
		r = err_sys(err, "rename %s to %s", tmp, tree);
	_cleanup_fd_ int trees = openat(d->fd, "cas/tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && (trees < 0 || fsync(trees) < 0))
		r = err_sys(err, "sync %s/cas/tree", d->path);
	fstree_remove_at(d->fd, tmp, NULL);
	return r;
}

static int fingerprint(const char *path, char ret[65], struct err *err)
{
	if (archive_fingerprint(path, ret, err) < 0)
		return -1;
	if (*ret)
		return 0;
	/* Just written: a moment later its times can be trusted. */
	nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
	return archive_fingerprint(path, ret, err);
}

static int check_kind(const char *path, struct err *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return err_sys(err, "open");
	if (S_ISREG(st.st_mode))
		return 0;
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "neither a file nor a directory");
	_cleanup_free_ char *manifest = xasprintf("%s/manifest", path);
	if (access(manifest, R_OK) < 0)
		return err_set(err, ERR_INVALID,
			"not an image: there is no file \"manifest\" in this directory");
	return 0;
}

static int find_or_render(
	const struct datadir *d, const char *path, char ret_id[IMAGE_ID_SIZE], struct err *err)
{
	char print[65];
	if (check_kind(path, err) < 0 || fingerprint(path, print, err) < 0)
		return -1;
	if (seen_lookup(d, print, ret_id))
		return 0;
	_cleanup_fd_ int lock = -1;
	if (store_lock(d, &lock, err) < 0)
		return -1;
	if (seen_lookup(d, print, ret_id))
		return 0;
	if (render(d, path, ret_id, err) < 0)
		return -1;
	char after[65];
	if (!*print || archive_fingerprint(path, after, NULL) < 0 || strcmp(print, after) != 0)
		return 0;
	_cleanup_free_ char *seen = xasprintf("cas/seen/%s", print);
	return file_write_atomic_at(d->fd, seen, ret_id, IMAGE_ID_LEN, 0600, err);
}

int image_get(const struct datadir *d, const char *path, struct image *ret, struct err *err)
{
	_cleanup_image_ struct image image = {0};
	if (find_or_render(d, path, image.id, err) < 0)
		return err_wrap(err, "image %s", path);
	image.tree_id = xasprintf(TREE_PREFIX "%s", image.id);
	_cleanup_free_ char *tree = image_tree_path(image.tree_id);
	if (read_manifest(d, tree, &image.manifest, err) < 0)
		return err_wrap(err, "image %s", path);
	*ret = image;
	image = (struct image){0};
	return 0;
}

int image_by_id(const struct datadir *d, const char *id, struct image *ret, struct err *err)
{
	static const char prefix[] = "sha512-";
	size_t skip = strlen(prefix);
	if (strncmp(id, prefix, skip) != 0 || strlen(id) != IMAGE_ID_LEN ||
		strspn(id + skip, "0123456789abcdef") != IMAGE_ID_LEN - skip)
		return err_set(err, ERR_INVALID,
			"image id \"%s\": sha512- and 64 hex digits are wanted", id);
	_cleanup_image_ struct image image = {0};
	memcpy(image.id, id, IMAGE_ID_SIZE);
	image.tree_id = xasprintf(TREE_PREFIX "%s", id);
	_cleanup_free_ char *tree = image_tree_path(image.tree_id);
	if (!tree_touch(d, image.tree_id))
		return err_set(err, ERR_NOTFOUND, "image %s is neither given nor unpacked in %s",
			id, d->path);
	if (read_manifest(d, tree, &image.manifest, err) < 0)
		return err_wrap(err, "image %s", id);
	*ret = image;
	image = (struct image){0};
	return 0;
}

/* Go's name for this machine's architecture (contract 2.1). */
static const char *host_arch(void)
{
	static struct utsname u;
	uname(&u);
	return !strcmp(u.machine, "x86_64") ? "amd64" : u.machine;
}

int image_check_app(const struct image *image, bool has_exec, struct err *err)
{
	const struct appc_image *m = &image->manifest;
	const char *os = appc_image_label(m, "os");
	const char *arch = appc_image_label(m, "arch");
	if (os && strcmp(os, "linux") != 0)
		return err_set(
			err, ERR_UNSUPPORTED, "image %s is for %s, not for linux", m->name, os);
	if (arch && strcmp(arch, host_arch()) != 0)
		return err_set(err, ERR_UNSUPPORTED, "image %s is for %s, this machine is %s",
			m->name, arch, host_arch());
	if (m->dependencies)
		return err_set(err, ERR_UNSUPPORTED,
			"image %s depends on other images; give one that holds everything",
			m->name);
	/* An app must not see what its image hides. */
	if (m->path_whitelist)
		return err_set(err, ERR_UNSUPPORTED,
			"image %s has a \"pathWhitelist\", and would be run with all its files; "
			"give one that holds only those",
			m->name);
	if (!has_exec && (!m->has_app || !m->app.nexec))
		return err_set(err, ERR_INVALID,
			"image \"%s\" has an empty \"exec\" (try --exec=BINARY)", m->name);
	return 0;
}

/* ---- collecting trees ---------------------------------------------------------------------------
 */

struct used {
	json_t *ids; /* object: tree id -> true */
};

static void note_id(struct used *u, int dirfd, const char *path)
{
	_cleanup_free_ char *text = NULL;
	if (file_read_at(dirfd, path, 256, &text, NULL, NULL) == 0)
		json_object_set_new(u->ids, text, json_true());
}

static int note_pod(void *ctx, const struct datadir *d, struct pod *p, struct err *err)
{
	(void)d;
	(void)err;
	struct used *u = ctx;
	note_id(u, p->fd, "stage1TreeStoreID");
	int fd = openat(p->fd, "appsinfo", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	while (dir && (de = readdir(dir))) {
		_cleanup_free_ char *path = xasprintf("%s/treeStoreID", de->d_name);
		note_id(u, fd, path);
	}
	return 0;
}

static bool tree_is_old(int dirfd, const char *name, int64_t grace_s)
{
	struct stat st;
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       duration_over(st.st_mtim.tv_sec, time(NULL), grace_s);
}

/* Names in cas/seen that lead to trees which are gone. */
static void forget_seen(const struct datadir *d)
{
	int fd = openat(d->fd, "cas/seen", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	while (dir && (de = readdir(dir))) {
		_cleanup_free_ char *id = NULL;
		if (file_read_at(fd, de->d_name, IMAGE_ID_SIZE, &id, NULL, NULL) < 0)
			continue;
		_cleanup_free_ char *path = xasprintf("cas/tree/" TREE_PREFIX "%s", id);
		if (faccessat(d->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			unlinkat(fd, de->d_name, 0);
	}
}

static int remove_unused(const struct datadir *d, const struct used *u, int64_t grace_s,
	unsigned *ret, struct err *err)
{
	int fd = openat(d->fd, "cas/tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(err, "read %s/cas/tree", d->path);
	struct dirent *de;
	while ((de = readdir(dir))) {
		const char *name = de->d_name;
		if (strncmp(name, TREE_PREFIX, strlen(TREE_PREFIX)) != 0 ||
			json_object_get(u->ids, name) || !tree_is_old(fd, name, grace_s))
			continue;
		/* By way of cas/tmp: never half a tree under its name. */
		if (renameat(fd, name, d->fd, "cas/tmp/old") < 0)
			return err_sys(err, "move tree %s", name);
		if (fstree_remove_at(d->fd, "cas/tmp/old", err) < 0)
			return err_wrap(err, "remove tree %s", name);
		(*ret)++;
	}
	return 0;
}

int image_gc(const struct datadir *d, int64_t grace_s, unsigned *ret, struct err *err)
{
	_cleanup_fd_ int lock = -1;
	if (store_lock(d, &lock, err) < 0 || clear_tmp(d, err) < 0)
		return -1;
	_cleanup_json_ json_t *ids = json_object();
	struct used used = {.ids = ids};
	for (int place = 0; place < POD_PLACE_MAX_; place++)
		if (pod_each(d, (enum pod_place)place, note_pod, &used, err) < 0)
			return -1;
	progress_begin("removing unpacked images");
	int r = remove_unused(d, &used, grace_s, ret, err);
	forget_seen(d);
	return r;
}
