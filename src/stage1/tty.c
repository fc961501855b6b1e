/* SPDX-License-Identifier: Apache-2.0 */
/* Raw mode and back: see tty.h. The one terminal of a process, hence static state. */
#include "stage1/tty.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"

static struct termios saved;
static bool raw;

bool tty_present(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool tty_is_raw(void)
{
	return raw;
}

/* A background process that sets a terminal is stopped by SIGTTOU, and this one must end. */
static bool in_background(void)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO);
	return foreground >= 0 && foreground != getpgrp();
}

void tty_restore(void)
{
	sigset_t ttou;
	sigset_t before;
	if (!raw)
		return;
	raw = false;
	if (in_background())
		return;
	/* Blocked, for the case that we are put there just now. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &before);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved); /* TCSADRAIN could block on a stopped one */
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int set_raw(struct err *err)
{
	struct termios t = saved;
	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t) < 0)
		return err_sys(err, "set the terminal to raw mode");
	return 0;
}

int tty_raw(struct err *err)
{
	static bool registered;
	if (raw)
		return 0;
	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return err_sys(err, "read the terminal's settings");
	if (set_raw(err) < 0)
		return -1;
	raw = true;
	if (!registered)
		atexit(tty_restore);
	registered = true;
	return 0;
}

void tty_stop(void)
{
	_cleanup_err_ struct err err = {0};
	bool was_raw = raw;
	tty_restore();
	kill(getpid(), SIGSTOP);
	if (was_raw && tty_raw(&err) < 0)
		log_warning("%s", err_msg(&err));
}

void tty_continue(void)
{
	_cleanup_err_ struct err err = {0};
	if (raw && set_raw(&err) < 0)
		log_warning("%s", err_msg(&err));
}

void tty_size(uint16_t *ret_rows, uint16_t *ret_cols)
{
	struct winsize w = {0};
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		w = (struct winsize){.ws_row = 24, .ws_col = 80};
	*ret_rows = w.ws_row;
	*ret_cols = w.ws_col;
}
