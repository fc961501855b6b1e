/* SPDX-License-Identifier: Apache-2.0 */
/* Raw mode and back: see tty.h. The one terminal of a process, hence static state. */
#include "stage1/tty.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool raw;

bool tty_present(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

void tty_restore(void)
{
	if (raw)
		tcsetattr(
			STDIN_FILENO, TCSANOW, &saved); /* TCSADRAIN could block on a stopped one */
	raw = false;
}

int tty_raw(struct err *err)
{
	if (raw)
		return 0;
	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return err_sys(err, "read the terminal's settings");
	struct termios t = saved;
	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t) < 0)
		return err_sys(err, "set the terminal to raw mode");
	raw = true;
	atexit(tty_restore);
	return 0;
}

void tty_size(uint16_t *ret_rows, uint16_t *ret_cols)
{
	struct winsize w = {0};
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		w = (struct winsize){.ws_row = 24, .ws_col = 80};
	*ret_rows = w.ws_row;
	*ret_cols = w.ws_col;
}
