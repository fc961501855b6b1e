/* SPDX-License-Identifier: Apache-2.0 */
/* Custody of locks over restarts: see custody.h. */
#include "daemon/custody.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "daemon/child.h"
#include "daemon/loop.h"

static bool is_file(const struct stat *st, int64_t dev, int64_t ino)
{
	return (int64_t)st->st_dev == dev && (int64_t)st->st_ino == ino;
}

static int fetch_number(int64_t pid, int number)
{
	_cleanup_fd_ int pidfd = pidfd_open((pid_t)pid, 0);
	if (pidfd < 0)
		return -1;
	return pidfd_getfd(pidfd, number, 0); /* CLOEXEC by itself */
}

int custody_fetch(int64_t pid, int64_t dev, int64_t ino)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%lld/fd", (long long)pid);
	_cleanup_dir_ DIR *d = pid > 0 ? opendir(path) : NULL;
	const struct dirent *e;
	while (d && (e = readdir(d))) {
		struct stat st;
		if (!isdigit((unsigned char)e->d_name[0]) ||
			fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		if (!is_file(&st, dev, ino))
			continue;
		_cleanup_fd_ int fd = fetch_number(pid, (int)strtol(e->d_name, NULL, 10));
		/* Between the look and the fetch the number may have changed its meaning. */
		if (fd >= 0 && fstat(fd, &st) == 0 && is_file(&st, dev, ino))
			return TAKE_FD(fd);
	}
	return -1;
}

char *custody_dir(int64_t pid, const char *uuid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%lld/fd", (long long)pid);
	_cleanup_dir_ DIR *d = pid > 0 ? opendir(path) : NULL;
	const struct dirent *e;
	while (d && (e = readdir(d))) {
		char target[PATH_MAX];
		struct stat st;
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		const char *slash = strrchr(target, '/');
		if (slash && !strcmp(slash + 1, uuid) && lstat(target, &st) == 0 &&
			S_ISDIR(st.st_mode))
			return xstrdup(target);
	}
	return NULL;
}

/* rkt's `pid` file of the pod directory holds the pid of `run` (contract 2.2). */
static int64_t run_pid(const struct pod *p)
{
	_cleanup_free_ char *path = xasprintf("%s/pid", pod_dir(p));
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, path, 64, &text, NULL, NULL) < 0)
		return 0;
	return strtoll(text, NULL, 10);
}

bool custody_run_alive(const struct pod *p)
{
	_cleanup_free_ char *path = xasprintf("%s/pid", pod_dir(p));
	struct stat st;
	int64_t ticks = process_start_time(run_pid(p));
	if (ticks < 0 || stat(path, &st) < 0)
		return false;
	int64_t start_ns = ticks * (INT64_C(1000000000) / sysconf(_SC_CLK_TCK));
	int64_t written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	/* Both on the boot clock; a second's slack for the clock's steps in between. */
	return start_ns <= written_ns - (clock_wall_ns() - clock_boot_ns()) + 1000000000;
}

bool custody_recover(struct pod *p)
{
	if (p->lock_fd < 0 && p->qemu_alive)
		p->lock_fd = custody_fetch(p->core.qemu_pid, p->lock_dev, p->lock_ino);
	if (p->lock_fd < 0)
		p->lock_fd = custody_fetch(run_pid(p), p->lock_dev, p->lock_ino);
	/* Through the lock's own mount namespace: the overlay may be mounted in no other. */
	if (p->lock_fd >= 0 && p->status_fd < 0)
		p->status_fd =
			openat(p->lock_fd, "stage1/rootfs/rkt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->lock_fd >= 0;
}

/*
 * Between two lives nobody but us has it, and after a reboot nobody at all. The directory is known by
 * its inode: the device's number may be another in another boot.
 */
bool custody_retake(struct pod *p)
{
	struct stat st;
	if (p->policy == POLICY_NEVER || p->core.domid >= 0)
		return false;
	_cleanup_fd_ int fd = open(pod_dir(p), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (int64_t)st.st_ino != p->lock_ino ||
		flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	/* It may have been moved away, by who had the lock until now. */
	struct stat again;
	if (stat(pod_dir(p), &again) < 0 || again.st_ino != st.st_ino)
		return false;
	p->lock_dev = (int64_t)st.st_dev;
	p->lock_fd = TAKE_FD(fd);
	custody_store(p);
	return true;
}

static void retake_one(void *ctx, struct pod *p)
{
	(void)ctx;
	if (p->lock_fd < 0 && pod_state_owns(p->core.state) & POD_OWNS_LOCK)
		(void)custody_retake(p);
}

void custody_retake_all(struct pods *pods)
{
	pods_each(pods, retake_one, NULL);
}

/* "l" or "s" and the first 12 digits of the UUID: LISTEN_FDNAMES has to fit into one string. */
static void store_name(const struct pod *p, char kind, char ret[16])
{
	snprintf(ret, 16, "%c%.8s%.4s", kind, p->uuid, p->uuid + 9);
}

static void put(const struct pod *p, char kind, int fd)
{
	char name[16];
	store_name(p, kind, name);
	_cleanup_free_ char *msg = xasprintf("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	if (fd >= 0)
		(void)sd_pid_notify_with_fds(0, 0, msg, &fd, 1);
}

void custody_store(const struct pod *p)
{
	put(p, 'l', p->lock_fd);
	put(p, 's', p->status_fd);
}

void custody_remove(const struct pod *p)
{
	for (const char *kind = "ls"; *kind; kind++) {
		char name[16];
		store_name(p, *kind, name);
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	}
}

void custody_renew(const struct pod *p)
{
	custody_remove(p);
	custody_store(p);
}

struct adoption {
	const char *name;
	int fd;
	bool taken;
};

static void adopt_one(void *ctx, struct pod *p)
{
	struct adoption *a = ctx;
	char name[16];
	struct stat st;
	int *slot = a->name[0] == 'l' ? &p->lock_fd : &p->status_fd;
	store_name(p, a->name[0], name);
	if (a->taken || *slot >= 0 || strcmp(name, a->name) || pod_state_ended(p->core.state))
		return;
	bool right = a->name[0] != 'l' ||
		     (fstat(a->fd, &st) == 0 && is_file(&st, p->lock_dev, p->lock_ino));
	if (!right)
		return;
	*slot = a->fd;
	a->taken = true;
}

void custody_adopt(struct pods *pods, const char *const *names, const int *fds, int n)
{
	for (int i = 0; i < n; i++) {
		struct adoption a = {.name = names[i], .fd = fds[i]};
		if (names[i][0] == 'l' || names[i][0] == 's')
			pods_each(pods, adopt_one, &a);
		if (a.taken)
			continue;
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", names[i]);
		close(fds[i]);
	}
}
