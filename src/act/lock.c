/* SPDX-License-Identifier: Apache-2.0 */
/* flock(2) with a deadline: see lock.h. */
#include "act/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"

#define STEP_MS 20

/* 1 locked, 0 someone else's, -1. */
static int try_once(const char *path, int *ret_fd, struct err *err)
{
	struct stat mine;
	struct stat there;
	_cleanup_fd_ int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return err_sys(err, "helper lock %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : err_sys(err, "lock %s", path);
	if (fstat(fd, &mine) < 0)
		return err_sys(err, "stat %s", path);
	if (stat(path, &there) < 0 || mine.st_ino != there.st_ino || mine.st_dev != there.st_dev)
		return 0; /* its last holder has removed it */
	*ret_fd = TAKE_FD(fd);
	return 1;
}

int lock_take(const char *path, struct err *err)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000L * 1000};
	for (int waited = 0; waited <= LOCK_WAIT_MS; waited += STEP_MS) {
		int fd = -1;
		int r = try_once(path, &fd, err);
		if (r)
			return r < 0 ? -1 : fd;
		nanosleep(&step, NULL);
	}
	return err_set(err, ERR_TIMEOUT, "another helper of this pod holds %s for more than %d s",
		path, LOCK_WAIT_MS / 1000);
}
