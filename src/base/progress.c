/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See progress.h. Carriage return and blanks move no other line and need no terminal type, so a dumb terminal
 * is served, too; escape sequences are for colour only.
 */
#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/term.h"

#define EVERY_MS    200
#define COLUMNS_MAX 240 /* a longer line would be hard to read */
#define COLUMNS_MIN 20  /* on less there is no line at all */
#define ECHO_MAX    4   /* "^C^C", which the terminal has put behind it */
#define PART_COLOUR "\033[36m"
#define NO_COLOUR   "\033[0m"

/* The one terminal of a process, hence static state. */
static struct {
	bool on;
	char what[256];
	char part[128];
	int64_t since; /* CLOCK_MONOTONIC, ms */
	int64_t due;
	char wipe[COLUMNS_MAX + ECHO_MAX + 3]; /* "": nothing is on the screen */
	char *shown;
	bool colour;
	int child; /* what a child says; -1: none does */
} line = {.child = -1};

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void put(const char *text, size_t len)
{
	ssize_t n = write(STDERR_FILENO, text, len);
	(void)n; /* nobody to tell */
}

/* ---- who dies by a signal leaves nothing either ------------------------------------------------- */

static void on_deadly(int sig)
{
	put(line.wipe, strlen(line.wipe));
	raise(sig); /* SA_RESETHAND has put back the default */
}

/* Those that would end us. What has a handler, or is ignored, is no business of ours. */
static void take_signals(void)
{
	struct sigaction sa = {
		.sa_handler = on_deadly, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
	struct sigaction now;
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		if (sigaction(deadly[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			sigaction(deadly[i], &sa, NULL);
}

static void give_signals_back(void)
{
	struct sigaction now;
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		if (sigaction(deadly[i], NULL, &now) == 0 && now.sa_handler == on_deadly)
			signal(deadly[i], SIG_DFL);
}

/* ---- what is shown ---------------------------------------------------------------------------------- */

/* Of `text` what fits into `columns`, without what a terminal would obey; how many columns it takes. */
static size_t fit(const char *text, size_t columns, char *ret, size_t size)
{
	mbstate_t state = {0};
	size_t used = 0;
	char *out = ret;
	while (*text && size - (size_t)(out - ret) > MB_CUR_MAX) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		bool valid = n > 0 && n <= MB_CUR_MAX;
		int width = valid ? wcwidth(c) : -1;
		if (used + (width < 0 ? 1 : (size_t)width) > columns)
			break;
		n = valid ? n : 1;
		out = width < 0 ? stpcpy(out, "?") : (char *)mempcpy(out, text, n);
		used += width < 0 ? 1 : (size_t)width;
		text += n;
		if (!valid)
			state = (mbstate_t){0};
	}
	*out = '\0';
	return used;
}

/* Not the last column: some terminals go to the next line then. 0: there is no room. */
static size_t columns(void)
{
	struct winsize ws = {0};
	size_t n = ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col ? ws.ws_col - 1U : 79;
	return n < COLUMNS_MIN ? 0 : n < COLUMNS_MAX ? n : COLUMNS_MAX;
}

/* In the background it would be written into what somebody types, or stop us (SIGTTOU). */
static bool in_foreground(void)
{
	return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static void draw(size_t width)
{
	char what[sizeof(line.what) * 2];
	char part[sizeof(line.part) * 2];
	char seconds[32];
	snprintf(seconds, sizeof(seconds), "%d s", (int)((clock_ms() - line.since) / 1000));
	size_t n = fit(*line.part ? line.part : seconds, width / 2, part, sizeof(part));
	size_t all = fit(line.what, width - n - 2, what, sizeof(what)) + 2 + n;
	_cleanup_free_ char *text = xasprintf("%s  %s%s%s", what, line.colour ? PART_COLOUR : "",
		part, line.colour ? NO_COLOUR : "");
	if (line.shown && *line.wipe && !strcmp(text, line.shown))
		return;
	progress_pause();
	take_signals();
	size_t wiped = all + ECHO_MAX < width ? all + ECHO_MAX : width;
	snprintf(line.wipe, sizeof(line.wipe), "\r%*s\r", (int)wiped, "");
	put(text, strlen(text));
	free(line.shown);
	line.shown = TAKE_PTR(text);
}

/* ---- what children say -------------------------------------------------------------------------------- */

static void pass_on(void)
{
	char buf[1024];
	ssize_t n;
	while (line.child >= 0 && (n = read(line.child, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno != EINTR)
			return; /* nothing more now */
		if (n < 0)
			continue;
		progress_pause();
		put(buf, (size_t)n);
	}
	fd_close(&line.child);
}

int progress_child_stderr(void)
{
	int p[2];
	pass_on();
	fd_close(&line.child);
	if (!line.on || pipe2(p, O_CLOEXEC) < 0)
		return -1;
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	line.child = p[0];
	return p[1];
}

/* ---- the outside --------------------------------------------------------------------------------------- */

void progress_begin(const char *fmt, ...)
{
	va_list ap;
	if (!line.on && !isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vsnprintf(line.what, sizeof(line.what), fmt, ap);
	va_end(ap);
	*line.part = '\0';
	if (line.on)
		return;
	line.on = true;
	line.colour = term_colours(STDERR_FILENO);
	line.since = clock_ms();
	line.due = line.since + PROGRESS_AFTER_MS;
}

void progress_part(const char *fmt, ...)
{
	va_list ap;
	if (!line.on)
		return;
	va_start(ap, fmt);
	vsnprintf(line.part, sizeof(line.part), fmt, ap);
	va_end(ap);
}

bool progress_wanted(void)
{
	return line.on;
}

int progress_wait_ms(void)
{
	int64_t left = line.due - clock_ms();
	return !line.on ? -1 : left > 0 ? (int)left : 0;
}

void progress_turn(void)
{
	if (!line.on)
		return;
	pass_on();
	if (clock_ms() < line.due)
		return;
	line.due = clock_ms() + EVERY_MS;
	size_t width = columns();
	if (width && in_foreground())
		draw(width);
}

bool progress_wait(int fd, int timeout_ms)
{
	struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = line.child, .events = POLLIN}};
	int due = progress_wait_ms();
	bool ours = due >= 0 && (timeout_ms < 0 || due < timeout_ms);
	int r = poll(p, ARRAY_SIZE(p), ours ? due : timeout_ms);
	if (r < 0)
		return errno != EINTR;
	if (r > 0 ? p[1].revents : ours)
		progress_turn();
	return p[0].revents || (r == 0 && !ours);
}

void progress_pause(void)
{
	if (*line.wipe)
		put(line.wipe, strlen(line.wipe));
	*line.wipe = '\0';
}

void progress_end(void)
{
	pass_on();
	fd_close(&line.child);
	progress_pause();
	give_signals_back();
	free(line.shown);
	line.shown = NULL;
	line.on = false;
}
