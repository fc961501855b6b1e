/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's lock is found again by the file that it is of, not by a name or a number. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* VALGRIND: no, valgrind does not know pidfd_getfd(2) */
#include "unit.h"

#include "fdcount.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/custody.h"

#define UUID      "11112222-3333-4444-8555-666666666666"
#define LOCK_NAME "l111122223333"

static char dir[] = "/tmp/xenpod-custody-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

static struct stat file_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void fetched_by_device_and_inode(void **state)
{
	(void)state;
	struct stat st = file_of(dir);
	assert_int_equal(custody_fetch(getpid(), (int64_t)st.st_dev, (int64_t)st.st_ino), -1);
	_cleanup_fd_ int there = open_dir(dir);
	_cleanup_fd_ int got = custody_fetch(getpid(), (int64_t)st.st_dev, (int64_t)st.st_ino);
	assert_true(got >= 0 && got != there);
	assert_int_equal(fcntl(got, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	/* The same number on another file system is another file. */
	assert_int_equal(custody_fetch(getpid(), (int64_t)st.st_dev + 1, (int64_t)st.st_ino), -1);
	assert_int_equal(custody_fetch(getpid(), (int64_t)st.st_dev, (int64_t)st.st_ino + 1), -1);
	assert_int_equal(custody_fetch(0, (int64_t)st.st_dev, (int64_t)st.st_ino), -1);
}

/* One descriptor under the name of the pod's lock; it is the pod's now, or closed. */
static void adopt(struct pod *p, const char *path)
{
	struct pods *pods = pods_new();
	const char *const names[] = {LOCK_NAME};
	int fd = open_dir(path);
	pods_add(pods, p);
	custody_adopt(pods, names, &fd, 1);
	assert_true(p->lock_fd == fd || fcntl(fd, F_GETFD) < 0);
	pods_remove(pods, p);
	pods_free(pods);
}

static void adopted_when_it_is_the_pods_directory(void **state)
{
	(void)state;
	struct stat st = file_of(dir);
	struct pod *p = pod_new(UUID);
	p->core.state = POD_RUNNING;
	p->lock_dev = (int64_t)st.st_dev;
	p->lock_ino = (int64_t)st.st_ino;
	adopt(p, "/");
	assert_int_equal(p->lock_fd, -1);
	adopt(p, dir);
	int first = p->lock_fd;
	assert_true(first >= 0);
	/* A second one has no use. */
	adopt(p, dir);
	assert_int_equal(p->lock_fd, first);
	pod_free(p);
}

static void who_has_ended_needs_none(void **state)
{
	(void)state;
	struct stat st = file_of(dir);
	struct pod *p = pod_new(UUID);
	p->core.state = POD_EXITED;
	p->lock_dev = (int64_t)st.st_dev;
	p->lock_ino = (int64_t)st.st_ino;
	adopt(p, dir);
	assert_int_equal(p->lock_fd, -1);
	pod_free(p);
}

/* Of a pod that comes back, and that nobody holds: by its inode, and only when it is free. */
static void retaken_when_it_is_free_and_the_same(void **state)
{
	(void)state;
	struct stat st = file_of(dir);
	struct pod *p = pod_new(UUID);
	json_t *request = json_pack("{s:s, s:{s:s}}", "dir", dir, "restart", "policy", "always");
	pod_set_request(p, request);
	json_decref(request);
	p->core.state = POD_BACKOFF;
	p->lock_ino = (int64_t)st.st_ino;
	_cleanup_fd_ int other = open_dir(dir);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_false(custody_retake(p));
	fd_close(&other);
	p->lock_ino++;
	assert_false(custody_retake(p));
	p->lock_ino--;
	p->core.domid = 7; /* its QEMU has it, or had */
	assert_false(custody_retake(p));
	p->core.domid = -1;
	p->policy = POLICY_NEVER;
	assert_false(custody_retake(p));
	p->policy = POLICY_ALWAYS;
	assert_true(custody_retake(p));
	assert_int_equal(p->lock_dev, st.st_dev);
	other = open_dir(dir);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), -1);
	pod_free(p);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
}

/* Without any record of the pod: who holds its lock shows where its directory is. */
static void a_directory_is_found_by_who_has_it_open(void **state)
{
	(void)state;
	const char *uuid = strrchr(dir, '/') + 1;
	assert_null(custody_dir(getpid(), uuid));
	_cleanup_fd_ int there = open_dir(dir);
	assert_true(there >= 0);
	_cleanup_free_ char *got = custody_dir(getpid(), uuid);
	assert_string_equal(got, dir);
	assert_null(custody_dir(getpid(), UUID));
	assert_null(custody_dir(0, uuid));
}

static const struct CMUnitTest tests[] = {
	fd_counted(fetched_by_device_and_inode),
	fd_counted(adopted_when_it_is_the_pods_directory),
	fd_counted(who_has_ended_needs_none),
	fd_counted(retaken_when_it_is_free_and_the_same),
	fd_counted(a_directory_is_found_by_who_has_it_open),
};

UNIT_MAIN(tests, setup, teardown)
