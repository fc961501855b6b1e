/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preparation of a pod: images into the tree store, pod directory in prepare/, then run/ with its
 * overlays. It executes nothing and talks to nobody but the file system.
 */
#include "tools/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appc/lenient.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/fstree.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "tools/overlay.h"
#include "tools/pod_file.h"
#include "tools/pod_manifest.h"
#include "tools/stage1.h"

struct work {
	const struct datadir *d;
	const struct run_args *args;
	int (*interrupted)(void);
	struct prepared *p;
	struct image stage1;
	size_t napps;
	struct image *images; /* one per app */
	char **names;
	char *manifest; /* text of the pod's */
	size_t manifest_len;
};

static void work_done(struct work *w)
{
	image_done(&w->stage1);
	for (size_t i = 0; i < w->napps; i++) {
		image_done(&w->images[i]);
		if (w->names)
			free(w->names[i]);
	}
	free(w->images);
	free(w->names);
	free(w->manifest);
}

void prepared_done(struct prepared *p)
{
	pod_done(&p->pod);
	free(p->path);
	p->path = NULL;
}

static int check_interrupted(const struct work *w, struct err *err)
{
	return w->interrupted() ? err_set(err, ERR_STATE, "interrupted, nothing is left") : 0;
}

/* ---- images -------------------------------------------------------------------------------------
 */

static int get_stage1(struct work *w, struct err *err)
{
	_cleanup_free_ char *found = NULL;
	const char *path = w->args->stage1;
	if (!path && stage1_default_path(&found, err) < 0)
		return -1;
	path = path ? path : found;
	if (image_get(w->d, path, &w->stage1, err) < 0)
		return err_wrap(err, "stage1");
	if (!appc_image_annotation(&w->stage1.manifest, APPC_RUN_ANNOTATION))
		return err_set(err, ERR_INVALID,
			"%s is not a stage1 image: its manifest names no \"run\"", path);
	return 0;
}

static int make_manifest(struct work *w, struct err *err)
{
	w->napps = w->args->napps;
	w->images = xcalloc(w->napps, sizeof(*w->images));
	for (size_t i = 0; i < w->napps; i++) {
		const struct run_app *ra = &w->args->apps[i];
		if (check_interrupted(w, err) < 0 ||
			image_get(w->d, ra->image, &w->images[i], err) < 0 ||
			image_check_app(&w->images[i], ra->exec != NULL, err) < 0)
			return -1;
	}
	_cleanup_json_ json_t *manifest = NULL;
	if (pod_manifest_names(w->args, w->images, &w->names, err) < 0 ||
		pod_manifest_make(w->args, w->images, w->names, &manifest, err) < 0)
		return -1;
	w->manifest = json_text(manifest);
	w->manifest_len = strlen(w->manifest);
	return 0;
}

static int take_manifest(struct work *w, struct pod_file *f, struct err *err)
{
	w->napps = f->pod.napps;
	w->images = xcalloc(w->napps, sizeof(*w->images));
	w->names = xcalloc(w->napps, sizeof(*w->names));
	for (size_t i = 0; i < w->napps; i++)
		w->names[i] = xstrdup(f->pod.apps[i].name);
	w->manifest = TAKE_PTR(f->text);
	w->manifest_len = f->len;
	if (w->args->interactive && w->napps > 1)
		return err_set(err, ERR_INVALID,
			"--interactive is for a pod of one app, --pod-manifest=%s has %zu",
			w->args->pod_manifest, w->napps);
	return pod_file_images(f, w->d, w->args, w->images, err);
}

static int get_images(struct work *w, struct err *err)
{
	if (get_stage1(w, err) < 0)
		return -1;
	if (!w->args->pod_manifest)
		return make_manifest(w, err);
	struct pod_file f;
	if (pod_file_read(w->args->pod_manifest, &f, err) < 0)
		return -1;
	int r = take_manifest(w, &f, err);
	pod_file_done(&f);
	return r;
}

/* ---- files of the pod directory -----------------------------------------------------------------
 */

static int make_dir(int dirfd, const char *path, mode_t mode, struct err *err)
{
	if (mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		return err_sys(err, "make directory %s", path);
	if (fchmodat(dirfd, path, mode, 0) < 0)
		return err_sys(err, "mode of %s", path);
	return 0;
}

static int write_file(int dirfd, const char *path, const char *text, mode_t mode, struct err *err)
{
	return file_write_atomic_at(dirfd, path, text, strlen(text), mode, err);
}

/* The bytes of the image's own manifest, as rkt copies them. */
static int copy_manifest(
	const struct work *w, const struct image *image, const char *to, struct err *err)
{
	_cleanup_free_ char *tree = image_tree_path(image->tree_id);
	_cleanup_free_ char *from = xasprintf("%s/manifest", tree);
	_cleanup_free_ char *text = NULL;
	size_t len;
	if (file_read_at(w->d->fd, from, ARCHIVE_MANIFEST_MAX, &text, &len, err) < 0)
		return -1;
	return file_write_atomic_at(w->p->pod.fd, to, text, len, 0640, err);
}

static int copy_tree(
	const struct work *w, const struct image *image, const char *to, struct err *err)
{
	static const struct archive_limits limits = {
		.entries = APPC_IMAGE_ENTRIES_MAX, .bytes = APPC_IMAGE_BYTES_MAX};
	char id[IMAGE_ID_SIZE];
	_cleanup_free_ char *tree = image_tree_path(image->tree_id);
	_cleanup_free_ char *from = xasprintf("%s/%s", w->d->path, tree);
	progress_begin("copying image %s", image->manifest.name);
	_cleanup_fd_ int fd = openat(w->p->pod.fd, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", to);
	if (archive_unpack_dir(from, fd, &limits, id, err) < 0)
		return err_wrap(err, "copy image %s", image->manifest.name);
	return 0;
}

static int write_appsinfo(const struct work *w, size_t i, struct err *err)
{
	int fd = w->p->pod.fd;
	_cleanup_free_ char *dir = xasprintf("appsinfo/%s", w->names[i]);
	_cleanup_free_ char *manifest = xasprintf("%s/manifest", dir);
	_cleanup_free_ char *tree_id = xasprintf("%s/treeStoreID", dir);
	if (make_dir(fd, dir, 0750, err) < 0 || copy_manifest(w, &w->images[i], manifest, err) < 0)
		return -1;
	if (!w->p->overlay)
		return 0;
	return write_file(fd, tree_id, w->images[i].tree_id, 0640, err);
}

static int prepare_stage1(const struct work *w, struct err *err)
{
	int fd = w->p->pod.fd;
	if (make_dir(fd, "stage1", 0750, err) < 0 ||
		write_file(fd, "stage1TreeStoreID", w->stage1.tree_id, 0640, err) < 0)
		return -1;
	if (!w->p->overlay)
		return copy_tree(w, &w->stage1, "stage1", err);
	if (copy_manifest(w, &w->stage1, "stage1/manifest", err) < 0 ||
		make_dir(fd, "stage1/rootfs", 0755, err) < 0 ||
		make_dir(fd, "overlay", 0750, err) < 0)
		return -1;
	return write_file(fd, "overlay-prepared", "", 0640, err);
}

/* What is in prepare/: everything but mounts (contract 2.1). */
static int fill_prepare(const struct work *w, struct err *err)
{
	int fd = w->p->pod.fd;
	if (prepare_stage1(w, err) < 0 || make_dir(fd, "appsinfo", 0750, err) < 0)
		return -1;
	for (size_t i = 0; i < w->napps; i++)
		if (write_appsinfo(w, i, err) < 0)
			return -1;
	if (file_write_atomic_at(fd, "pod", w->manifest, w->manifest_len, 0640, err) < 0 ||
		write_file(fd, "pod.lck", "", 0600, err) < 0)
		return -1;
	return write_file(fd, "pod-created", "", 0640, err);
}

/* ---- trees of run/ ------------------------------------------------------------------------------
 */

/* The upper layer's root lends its owner and mode to the merged one: it must look like the image's.
 */
static int make_upper(const char *upper, const char *lower, struct err *err)
{
	struct stat st;
	if (stat(lower, &st) < 0)
		return err_sys(err, "%s", lower);
	if (mkdir(upper, 0700) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
		chmod(upper, st.st_mode & 07777) < 0)
		return err_sys(err, "make %s", upper);
	return 0;
}

/* `name` is NULL for the stage1, else the app: two apps of one image share overlay/<id>. */
static int mount_tree(const struct work *w, const struct image *image, const char *name,
	const char *target, struct err *err)
{
	const char *pod = w->p->path;
	const char *sep = name ? "/" : "";
	_cleanup_free_ char *tree = image_tree_path(image->tree_id);
	_cleanup_free_ char *lower = xasprintf("%s/%s/rootfs", w->d->path, tree);
	_cleanup_free_ char *base = xasprintf("%s/overlay/%s", pod, image->tree_id);
	_cleanup_free_ char *upper = xasprintf("%s/upper%s%s", base, sep, name ? name : "");
	_cleanup_free_ char *work = xasprintf("%s/work%s%s", base, sep, name ? name : "");
	_cleanup_free_ char *parent = xasprintf("%s/%s", base, name ? "upper" : "");
	_cleanup_free_ char *wparent = xasprintf("%s/%s", base, name ? "work" : "");
	if (dir_make_all(parent, 0750, err) < 0 || dir_make_all(wparent, 0750, err) < 0)
		return -1;
	if (make_upper(upper, lower, err) < 0)
		return -1;
	if (mkdir(work, 0750) < 0)
		return err_sys(err, "make %s", work);
	return overlay_mount(lower, upper, work, target, err);
}

/* The stage1 must bring these (contract 2.1: rkt dies later and less clearly without). */
static int check_stage1_tree(const struct work *w, struct err *err)
{
	if (faccessat(w->p->pod.fd, "stage1/rootfs/rkt/status", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_INVALID, "stage1 image %s lacks the directory rkt/status",
			w->stage1.manifest.name);
	return 0;
}

/* /etc/mtab as rkt makes it, where the image has a directory /etc and no such file in it. */
static int add_mtab(int appfd, struct err *err)
{
	_cleanup_fd_ int root = openat(appfd, "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int etc = openat(root, "etc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (etc < 0)
		return 0;
	if (symlinkat("../proc/self/mounts", etc, "mtab") < 0 && errno != EEXIST)
		return err_sys(err, "make etc/mtab");
	return 0;
}

static int place_app(const struct work *w, size_t i, struct err *err)
{
	const char *name = w->names[i];
	int fd = w->p->pod.fd;
	_cleanup_free_ char *dir = xasprintf("stage1/rootfs/opt/stage2/%s", name);
	if (make_dir(fd, dir, 0750, err) < 0)
		return -1;
	_cleanup_free_ char *manifest = xasprintf("%s/manifest", dir);
	_cleanup_free_ char *rootfs = xasprintf("%s/rootfs", dir);
	_cleanup_free_ char *target = xasprintf("%s/%s", w->p->path, rootfs);
	if (!w->p->overlay) {
		if (copy_tree(w, &w->images[i], dir, err) < 0)
			return -1;
	} else if (copy_manifest(w, &w->images[i], manifest, err) < 0 ||
		   make_dir(fd, rootfs, 0755, err) < 0 ||
		   mount_tree(w, &w->images[i], name, target, err) < 0) {
		return -1;
	}
	_cleanup_fd_ int appfd = openat(fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (appfd < 0)
		return err_sys(err, "open %s", dir);
	return add_mtab(appfd, err);
}

static int fill_run(const struct work *w, struct err *err)
{
	int fd = w->p->pod.fd;
	_cleanup_free_ char *s1 = xasprintf("%s/stage1/rootfs", w->p->path);
	if (w->p->overlay && mount_tree(w, &w->stage1, NULL, s1, err) < 0)
		return -1;
	if (check_stage1_tree(w, err) < 0 || make_dir(fd, "stage1/rootfs/opt", 0755, err) < 0 ||
		make_dir(fd, "stage1/rootfs/opt/stage2", 0755, err) < 0)
		return -1;
	for (size_t i = 0; i < w->napps; i++)
		if (check_interrupted(w, err) < 0 || place_app(w, i, err) < 0)
			return err_wrap(err, "app %s", w->names[i]);
	return run_dns_write(&w->args->dns, fd, err);
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

/* A disk that is full has no room for a copy either: that is the error then. */
static int choose_overlay(struct work *w, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	w->p->overlay = !w->args->no_overlay && overlay_usable(w->d, &why);
	if (w->args->no_overlay || w->p->overlay)
		return 0;
	if (why.code == ERR_FULL) {
		err_move(err, &why);
		return err_wrap(err, "prepare pod");
	}
	log_notice("no overlays in %s (%s): copying the images", w->d->path, err_msg(&why));
	return 0;
}

static int build(struct work *w, struct err *err)
{
	struct pod *pod = &w->p->pod;
	char uuid[UUID_TEXT_SIZE];
	if (w->args->uuid)
		memcpy(uuid, w->args->uuid, UUID_TEXT_SIZE);
	else
		uuid_generate(uuid);
	if (pod_create(w->d, uuid, pod, err) < 0)
		return -1;
	progress_begin("preparing pod %.8s", uuid);
	if (check_interrupted(w, err) < 0 || fill_prepare(w, err) < 0 ||
		pod_move(w->d, pod, POD_RUN, err) < 0)
		return err_wrap(err, "prepare pod");
	w->p->path = pod_path(w->d, pod);
	if (fill_run(w, err) < 0)
		return err_wrap(err, "prepare pod");
	return check_interrupted(w, err);
}

int prepare_pod(const struct datadir *d, const struct run_args *args, int (*interrupted)(void),
	struct prepared *ret, struct err *err)
{
	struct prepared p = {.pod.fd = -1};
	struct work w = {.d = d, .args = args, .interrupted = interrupted, .p = &p};
	int r = get_images(&w, err);
	if (r == 0)
		r = choose_overlay(&w, err);
	if (r == 0)
		r = build(&w, err);
	work_done(&w);
	if (r == 0) {
		*ret = p;
		return 0;
	}
	if (interrupted()) /* then whatever failed, failed because of that */
		check_interrupted(&w, err);
	struct err undo = {0};
	if (p.pod.fd >= 0 && prepare_undo(d, &p, &undo) < 0)
		err_set(err, err->code, "%s; and %s", err_msg(err), err_msg(&undo));
	err_done(&undo);
	prepared_done(&p);
	return -1;
}

int prepare_undo(const struct datadir *d, struct prepared *p, struct err *err)
{
	struct pod *pod = &p->pod;
	_cleanup_free_ char *path = pod_path(d, pod);
	if (mount_remove_below(path, err) < 0 || pod_move(d, pod, POD_GARBAGE, err) < 0)
		return err_wrap(err, "undo pod %s", pod->uuid);
	_cleanup_free_ char *rel = xasprintf("pods/garbage/%s", pod->uuid);
	if (fstree_remove_at(d->fd, rel, err) < 0)
		return err_wrap(err, "undo pod %s", pod->uuid);
	return 0;
}
