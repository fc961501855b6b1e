/* SPDX-License-Identifier: Apache-2.0 */
/* Stop requests: see control.h. */
#include "guest/control.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

static const struct sockaddr_un address = {
	.sun_family = AF_UNIX,
	.sun_path = "/run/xenpod-init",
};

/* The kernel's default is the same path on Debian, but it is a build option's. */
static int set_poweroff_cmd(struct err *err)
{
	static const char cmd[] = "/sbin/poweroff";
	_cleanup_fd_ int fd = open("/proc/sys/kernel/poweroff_cmd", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open kernel.poweroff_cmd");
	return fd_write_all(fd, cmd, sizeof(cmd) - 1, err);
}

static void control_readable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct control *control = container_of(w, struct control, watch);
	char what = 0;
	if (recv(control->fd, &what, 1, MSG_DONTWAIT) == 1)
		control->stop(control, what == 'r');
}

int control_listen(struct control *control, struct loop *loop, struct err *err)
{
	control->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control->fd < 0)
		return err_sys(err, "make a socket");
	if (bind(control->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, "bind %s", address.sun_path);
	control->watch.fn = control_readable;
	loop_watch_init(loop, &control->watch, control->fd);
	loop_watch_set(&control->watch, EPOLLIN);
	return set_poweroff_cmd(err);
}

int control_poke(bool reboot)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char what = reboot ? 'r' : 'p';
	if (fd >= 0 &&
		sendto(fd, &what, 1, 0, (const struct sockaddr *)&address, sizeof(address)) == 1)
		return 0;
	perror("tell xenpod-init");
	return 1;
}
