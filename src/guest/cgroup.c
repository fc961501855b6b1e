/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: see cgroup.h. */
#include "guest/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int cgroup_make(const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(CGROUP_MOUNT "/%s", name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make cgroup %s", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(err, "open cgroup %s", path);
}

static int write_to(int cgroup, const char *file, const char *text, size_t len)
{
	_cleanup_fd_ int fd = openat(cgroup, file, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

int cgroup_enter(int cgroup, struct err *err)
{
	return write_to(cgroup, "cgroup.procs", "0", 1) < 0 ? err_sys(err, "enter the cgroup") : 0;
}

void cgroup_kill(int cgroup)
{
	if (cgroup >= 0)
		write_to(cgroup, "cgroup.kill", "1", 1);
}

void cgroup_remove(const char *name)
{
	_cleanup_free_ char *path = xasprintf(CGROUP_MOUNT "/%s", name);
	rmdir(path);
}
