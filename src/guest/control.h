/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a stop reaches PID 1: the kernel owns control/shutdown and runs /sbin/poweroff or
 * /sbin/reboot (drivers/xen/manage.c), which is this program under another name; it sends one byte
 * and exits. Apps cannot reach the socket: it lies outside their roots.
 */
#ifndef GUEST_CONTROL_H
#define GUEST_CONTROL_H

#include <stdbool.h>

#include "base/err.h"
#include "guest/loop.h"

struct control {
	struct loop_watch watch;
	int fd;
	void (*stop)(struct control *control, bool reboot);
};

/* As PID 1: listens, and tells the kernel which program to run. */
int control_listen(struct control *control, struct loop *loop, struct err *err);
/* As /sbin/poweroff or /sbin/reboot: exit status. */
int control_poke(bool reboot);

#endif
