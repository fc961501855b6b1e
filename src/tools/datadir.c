/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods as directories: made, found, locked and moved as rkt's stage0 does it (contract 2.3), so
 * that the stage1 sees no difference. Holds nothing that is only in memory.
 */
#include "tools/datadir.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const place_names[POD_PLACE_MAX_] = {
	[POD_EMBRYO] = "embryo",
	[POD_PREPARE] = "prepare",
	[POD_PREPARED] = "prepared",
	[POD_RUN] = "run",
	[POD_EXITED_GARBAGE] = "exited-garbage",
	[POD_GARBAGE] = "garbage",
};

const char *pod_place_name(enum pod_place place)
{
	return place_names[place];
}

void datadir_done(struct datadir *d)
{
	free(d->path);
	d->path = NULL;
	fd_close(&d->fd);
}

void pod_done(struct pod *p)
{
	fd_close(&p->fd);
}

static int make_layout(int fd, struct err *err)
{
	static const char *const dirs[] = {"pods", "pods/embryo", "pods/prepare", "pods/prepared",
		"pods/run", "pods/exited-garbage", "pods/garbage", "cas", "cas/tree", "cas/tmp",
		"cas/locks", "cas/seen"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(fd, dirs[i], i < 7 ? 0750 : 0700) < 0 && errno != EEXIST)
			return err_sys(err, "make directory %s", dirs[i]);
	return 0;
}

int datadir_open(const char *path, bool create, struct datadir *ret, struct err *err)
{
	/* The supervisor's store is here as well: 0700 as that wants it. */
	if (create && dir_make_all(path, 0700, err) < 0)
		return -1;
	_cleanup_datadir_ struct datadir d = {.path = realpath(path, NULL), .fd = -1};
	if (d.path)
		d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
			"no data directory %s (no pod was ever run there; see --dir)", path);
	if (d.fd < 0)
		return err_sys(err, "data directory %s", path);
	if (create && make_layout(d.fd, err) < 0)
		return err_wrap(err, "data directory %s", d.path);
	*ret = (struct datadir){.path = TAKE_PTR(d.path), .fd = TAKE_FD(d.fd)};
	return 0;
}

static char *place_path(enum pod_place place, const char *uuid)
{
	return xasprintf("pods/%s/%s", place_names[place], uuid);
}

char *pod_path(const struct datadir *d, const struct pod *p)
{
	_cleanup_free_ char *rel = place_path(p->place, p->uuid);
	return xasprintf("%s/%s", d->path, rel);
}

static int sync_place(const struct datadir *d, enum pod_place place, struct err *err)
{
	_cleanup_free_ char *rel = place_path(place, "");
	_cleanup_fd_ int fd = openat(d->fd, rel, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_sys(err, "sync %s/%s", d->path, rel);
	return 0;
}

int pod_move(const struct datadir *d, struct pod *p, enum pod_place to, struct err *err)
{
	_cleanup_free_ char *from_path = place_path(p->place, p->uuid);
	_cleanup_free_ char *to_path = place_path(to, p->uuid);
	enum pod_place from = p->place;
	if (renameat(d->fd, from_path, d->fd, to_path) < 0)
		return err_sys(err, "move %s to %s", from_path, to_path);
	p->place = to;
	if (sync_place(d, from, err) < 0)
		return -1;
	return sync_place(d, to, err);
}

static int uuid_in_use(const struct datadir *d, const char *uuid, struct err *err)
{
	for (int place = 0; place < POD_PLACE_MAX_; place++) {
		_cleanup_free_ char *rel = place_path((enum pod_place)place, uuid);
		if (faccessat(d->fd, rel, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(err, ERR_EXISTS,
				"there is a pod %s already, in %s/%s (remove it: xenpod rm %.8s)",
				uuid, d->path, rel, uuid);
	}
	return 0;
}

int pod_create(const struct datadir *d, const char *uuid, struct pod *ret, struct err *err)
{
	_cleanup_pod_ struct pod p = {.place = POD_EMBRYO, .fd = -1};
	if (uuid_parse(uuid, p.uuid, err) < 0 || uuid_in_use(d, p.uuid, err) < 0)
		return -1;
	_cleanup_free_ char *rel = place_path(POD_EMBRYO, p.uuid);
	if (mkdirat(d->fd, rel, 0750) < 0)
		return err_sys(err, "make %s/%s", d->path, rel);
	p.fd = openat(d->fd, rel, DIR_FLAGS);
	if (p.fd < 0 || flock(p.fd, LOCK_EX | LOCK_NB) < 0 ||
		fchmod(p.fd, 0750) < 0) { /* whatever the umask */
		err_sys(err, "lock %s/%s", d->path, rel);
		unlinkat(d->fd, rel, AT_REMOVEDIR);
		return -1;
	}
	if (pod_move(d, &p, POD_PREPARE, err) < 0) {
		unlinkat(d->fd, rel, AT_REMOVEDIR);
		return -1;
	}
	*ret = p;
	p.fd = -1;
	return 0;
}

int pod_held(const struct pod *p, bool *ret, struct err *err)
{
	_cleanup_fd_ int fd = openat(p->fd, ".", DIR_FLAGS);
	if (fd < 0)
		return err_sys(err, "open pod %s", p->uuid);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		*ret = false;
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return err_sys(err, "lock pod %s", p->uuid);
	*ret = true;
	return 0;
}

int pod_lock(struct pod *p, struct err *err)
{
	/* rkt list, and ours, hold LOCK_SH for an instant (contract 2.3): wait those out. */
	for (int i = 0; i < 40; i++) {
		if (flock(p->fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "lock pod %s", p->uuid);
		nanosleep(&(struct timespec){.tv_nsec = 25000000}, NULL);
	}
	return err_set(err, ERR_STATE, "pod %s is in use (its lock is held)", p->uuid);
}

int pod_each(const struct datadir *d, enum pod_place place, pod_fn fn, void *ctx, struct err *err)
{
	_cleanup_free_ char *rel = place_path(place, "");
	int fd = openat(d->fd, rel, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open %s/%s", d->path, rel);
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(err, "read %s/%s", d->path, rel);
	}
	struct dirent *de;
	int r = 0;
	while (r == 0 && (de = readdir(dir))) {
		if (!uuid_valid(de->d_name))
			continue;
		_cleanup_pod_ struct pod p = {.place = place};
		memcpy(p.uuid, de->d_name, UUID_TEXT_SIZE);
		p.fd = openat(dirfd(dir), de->d_name, DIR_FLAGS);
		if (p.fd >= 0)
			r = fn(ctx, d, &p, err);
	}
	return r;
}

struct search {
	char prefix[UUID_TEXT_SIZE];
	size_t len;
	struct pod found;
	unsigned count;
};

static int search_one(void *ctx, const struct datadir *d, struct pod *p, struct err *err)
{
	(void)d;
	(void)err;
	struct search *s = ctx;
	if (strncmp(p->uuid, s->prefix, s->len) != 0)
		return 0;
	/* A pod that moved while we looked shows up in two places: the later one is true. */
	if (s->count == 0 || strcmp(s->found.uuid, p->uuid) != 0)
		s->count++;
	pod_done(&s->found);
	s->found = *p;
	p->fd = -1;
	return 0;
}

static int search_start(struct search *s, const char *prefix, struct err *err)
{
	*s = (struct search){.found.fd = -1, .len = strlen(prefix)};
	if (!s->len || s->len > UUID_TEXT_LEN)
		return err_set(err, ERR_INVALID, "\"%s\" is no pod UUID", prefix);
	for (size_t i = 0; i < s->len; i++) {
		s->prefix[i] = (char)tolower((unsigned char)prefix[i]);
		if (!isxdigit((unsigned char)prefix[i]) && prefix[i] != '-')
			return err_set(err, ERR_INVALID, "\"%s\" is no pod UUID", prefix);
	}
	return 0;
}

int pod_find(const struct datadir *d, const char *prefix, struct pod *ret, struct err *err)
{
	struct search s;
	if (search_start(&s, prefix, err) < 0)
		return -1;
	int r = 0;
	for (int place = 0; place < POD_PLACE_MAX_ && r == 0; place++)
		r = pod_each(d, (enum pod_place)place, search_one, &s, err);
	if (r == 0 && s.count == 1) {
		*ret = s.found;
		return 0;
	}
	pod_done(&s.found);
	if (r < 0)
		return -1;
	if (s.count > 1)
		return err_set(err, ERR_INVALID, "\"%s\" matches %u pods; give more of the UUID",
			prefix, s.count);
	return err_set(
		err, ERR_NOTFOUND, "no pod \"%s\" in %s (xenpod list shows them)", prefix, d->path);
}
