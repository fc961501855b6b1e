/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces: see net.h. */
#include "guest/net.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

int net_loopback_up(struct err *err)
{
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* The kernel gives it 127.0.0.1 and ::1 by itself. */
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		return err_sys(err, "bring up the loopback interface");
	return 0;
}
