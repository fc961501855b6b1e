/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-terminals for programs in the guest: an app's (spec "tty") and an entered command's. */
#ifndef GUEST_TERMINAL_H
#define GUEST_TERMINAL_H

#include <stdint.h>
#include <sys/ioctl.h>

#include "base/err.h"

struct terminal {
	int slave[3]; /* the program's descriptors 0 to 2 */
	int in;       /* ours, non-blocking: what is typed; also takes the size */
	int out;      /* ours, non-blocking: what is shown */
};

/*
 * With the size that its program finds: one that asks only once, at its start, must not see 0x0.
 * All close-on-exec and the caller's to close; nothing is left open on failure.
 */
int terminal_open(struct terminal *ret, const struct winsize *size, struct err *err);

/* A new size, as a WINCH frame carries it: u16 rows, u16 columns. */
void terminal_resize_frame(int fd, const uint8_t payload[4]);

#endif
