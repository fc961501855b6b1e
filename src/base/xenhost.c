/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for the hypervisor's device and xenstored's socket: see xenhost.h. */
#include "base/xenhost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PRIVCMD "/dev/xen/privcmd"

/* The same order as libxenstore's xs_daemon_socket(). */
static void store_path(char *buf, size_t size)
{
	const char *path = getenv("XENSTORED_PATH");
	const char *dir = getenv("XENSTORED_RUNDIR");
	if (path)
		snprintf(buf, size, "%s", path);
	else
		snprintf(buf, size, "%s/socket", dir ? dir : "/var/run/xenstored");
}

static int check_xenstored(struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	store_path(addr.sun_path, sizeof addr.sun_path);
	if (stat(addr.sun_path, &st) == 0 && S_ISCHR(st.st_mode))
		return 0; /* a xenstore stub domain behind /dev/xen/xenbus */
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0)
		return 0;
	return err_set(err, errno == EACCES ? ERR_DENIED : ERR_UNAVAILABLE,
		"xenstored is not running (%s: %s): start Xen's services, e.g. \"systemctl start "
		"xen\"",
		addr.sun_path, strerror(errno));
}

int xenhost_check(struct err *err)
{
	if (access(PRIVCMD, F_OK) < 0)
		return err_set(err, ERR_UNAVAILABLE,
			"this machine is not a Xen Dom-0 (no " PRIVCMD "): boot it under Xen, or "
			"load the kernel module xen-privcmd");
	if (access(PRIVCMD, R_OK | W_OK) < 0)
		return err_set(err, ERR_DENIED, "no permission for " PRIVCMD ": run it as root");
	return check_xenstored(err);
}
