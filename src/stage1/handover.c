/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors for the supervisor: see handover.h. */
#include "stage1/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "proto/api.h"

int handover_take_lock(struct handover *h, struct err *err)
{
	const char *text = getenv("RKT_LOCK_FD");
	char *end = NULL;
	struct stat lock;
	struct stat dir;
	if (!text || !*text)
		return err_set(err, ERR_INVALID,
			"RKT_LOCK_FD is not set: run is started by rkt or by `xenpod run`");
	errno = 0;
	long fd = strtol(text, &end, 10);
	if (*end || errno || fd < 3 || fd > INT32_MAX)
		return err_set(err, ERR_INVALID, "RKT_LOCK_FD is \"%s\", not a descriptor", text);
	if (fd_set_cloexec((int)fd, 1, err) < 0 || fstat((int)fd, &lock) < 0)
		return err_set(err, ERR_INVALID, "RKT_LOCK_FD: descriptor %ld is not open", fd);
	if (stat(".", &dir) < 0)
		return err_sys(err, "working directory");
	if (!S_ISDIR(lock.st_mode) || lock.st_dev != dir.st_dev || lock.st_ino != dir.st_ino)
		return err_set(err, ERR_INVALID,
			"RKT_LOCK_FD: descriptor %ld is not the pod directory", fd);
	h->lock = (int)fd;
	unsetenv("RKT_LOCK_FD");
	return 0;
}

static int open_input(const char *path, const char *what, int flags, int *ret, struct err *err)
{
	*ret = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	if (*ret >= 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
			"the stage1 image has no %s at %s; build it again with make aci", what,
			path);
	return err_sys(err, "open %s", path);
}

/*
 * A clone of the mount, attached nowhere: rkt's umount of the original does not meet it
 * (design-review 14). Not recursive: file systems below one export would share inode numbers.
 */
int handover_clone(struct handover *h, int fd, struct err *err)
{
	if (h->ntrees == SPEC_MAX_TREES)
		return err_set(err, ERR_FULL, "more than %d trees", SPEC_MAX_TREES);
	int tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree >= 0) {
		h->trees[h->ntrees++] = tree;
		return 0;
	}
	if (errno == EPERM)
		return err_set(err, ERR_DENIED, "not permitted to clone a mount: run needs root");
	if (errno == ENOSYS)
		return err_set(err, ERR_UNSUPPORTED,
			"this kernel has no open_tree(2): Linux 5.12 or newer is needed");
	return err_sys(err, "clone the mount");
}

static int clone_root(struct handover *h, const char *app, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(PODDIR_APP_FMT "/rootfs", app);
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open the root of app %s at %s", app, path);
	if (handover_clone(h, fd, err) < 0)
		return err_wrap(err, "the root of app %s at %s", app, path);
	return 0;
}

int handover_open(struct handover *h, const struct poddir *d, struct err *err)
{
	if (open_input(PODDIR_KERNEL, "guest kernel", 0, &h->kernel, err) < 0 ||
		open_input(PODDIR_RAMDISK, "guest ramdisk", 0, &h->ramdisk, err) < 0 ||
		open_input(PODDIR_STATUS, "rkt directory", O_DIRECTORY, &h->status, err) < 0)
		return -1;
	for (size_t i = 0; i < d->napps; i++)
		if (clone_root(h, d->apps[i].pod->name, err) < 0)
			return -1;
	return 0;
}

static size_t add(int fd, const char *name, int ret[], size_t n, json_t *names)
{
	if (fd < 0)
		return n;
	ret[n] = fd;
	json_array_append_new(names, json_string(name));
	return n + 1;
}

size_t handover_list(const struct handover *h, int ret[HANDOVER_MAX], json_t **ret_names)
{
	json_t *names = json_array();
	size_t n = add(h->lock, API_FD_LOCK, ret, 0, names);
	n = add(h->status, API_FD_STATUS, ret, n, names);
	n = add(h->kernel, API_FD_KERNEL, ret, n, names);
	n = add(h->ramdisk, API_FD_RAMDISK, ret, n, names);
	for (size_t i = 0; i < h->ntrees; i++) {
		char name[32];
		snprintf(name, sizeof name, "tree/%zu", i);
		n = add(h->trees[i], name, ret, n, names);
	}
	*ret_names = names;
	return n;
}

void handover_drop_lock(struct handover *h)
{
	fd_close(&h->lock);
}

void handover_drop_inputs(struct handover *h)
{
	handover_drop_lock(h);
	fd_close(&h->kernel);
	fd_close(&h->ramdisk);
	for (size_t i = 0; i < h->ntrees; i++)
		fd_close(&h->trees[i]);
	h->ntrees = 0;
}

void handover_done(struct handover *h)
{
	handover_drop_inputs(h);
	fd_close(&h->status);
	shared_done(&h->made);
}

void handover_undo(struct handover *h)
{
	shared_undo(h->lock, &h->made);
}
