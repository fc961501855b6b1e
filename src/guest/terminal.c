/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-terminals: see terminal.h. */
#include "guest/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

static void terminal_close(struct terminal *t)
{
	for (int i = 0; i < 3; i++)
		fd_close(&t->slave[i]);
	fd_close(&t->in);
	fd_close(&t->out);
}

/* All apps have the guest's one devpts, so the terminal's name is right inside the app, too. */
static int open_ends(struct terminal *t, const struct winsize *size, struct err *err)
{
	t->out = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->out < 0 || unlockpt(t->out) < 0)
		return err_sys(err, "open a terminal");
	if (ioctl(t->out, TIOCSWINSZ, size) < 0)
		return err_sys(err, "set a terminal's size");
	for (int i = 0; i < 3; i++) {
		t->slave[i] = ioctl(t->out, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (t->slave[i] < 0)
			return err_sys(err, "open a terminal's other end");
	}
	t->in = fcntl(t->out, F_DUPFD_CLOEXEC, 3);
	return t->in < 0 ? err_sys(err, "open a terminal") : 0;
}

int terminal_open(struct terminal *ret, const struct winsize *size, struct err *err)
{
	*ret = (struct terminal){.slave = {-1, -1, -1}, .in = -1, .out = -1};
	if (open_ends(ret, size, err) == 0)
		return 0;
	terminal_close(ret);
	return -1;
}

void terminal_resize_frame(int fd, const uint8_t payload[4])
{
	const struct winsize size = {
		.ws_row = (unsigned short)(payload[0] | payload[1] << 8),
		.ws_col = (unsigned short)(payload[2] | payload[3] << 8),
	};
	ioctl(fd, TIOCSWINSZ, &size);
}
