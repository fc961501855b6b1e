/* SPDX-License-Identifier: Apache-2.0 */
/* See screen.h. ANSI sequences that every terminal since the VT100, and the console, knows. */
#include "tools/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define OTHER_SCREEN "\033[?1049h\033[?25l"
#define FIRST_SCREEN "\033[?25h\033[?1049l"
#define HOME         "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_OF_ALL  "\033[J"

struct screen {
	bool keys; /* stdin is a terminal of whose keys each is read at once */
	struct termios before;
	sigset_t mask;
};

static const int quitting[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static volatile sig_atomic_t got_signal;
static volatile sig_atomic_t resized;

static void on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		got_signal = sig;
}

/* They are let in while we wait only: none is lost between a look and the wait. */
static void take_signals(struct screen *s)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t ours;
	sigemptyset(&ours);
	sigaddset(&ours, SIGWINCH);
	for (size_t i = 0; i < ARRAY_SIZE(quitting); i++)
		sigaddset(&ours, quitting[i]);
	sigprocmask(SIG_BLOCK, &ours, &s->mask);
	sigaction(SIGWINCH, &sa, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(quitting); i++)
		sigaction(quitting[i], &sa, NULL);
}

struct screen *screen_new(void)
{
	struct screen *s = xcalloc(1, sizeof(*s));
	struct termios t;
	s->keys = tcgetattr(STDIN_FILENO, &s->before) == 0;
	if (s->keys) {
		t = s->before;
		t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &t);
	}
	take_signals(s);
	fputs(OTHER_SCREEN, stdout);
	return s;
}

void screen_free(struct screen *s)
{
	if (!s)
		return;
	fputs(FIRST_SCREEN, stdout);
	(void)fflush(stdout);
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
	for (size_t i = 0; i < ARRAY_SIZE(quitting); i++)
		signal(quitting[i], SIG_DFL);
	signal(SIGWINCH, SIG_DFL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	free(s);
}

void screen_size(size_t *ret_rows, size_t *ret_columns)
{
	struct winsize ws = {0};
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col;
	*ret_rows = known ? ws.ws_row : 24;
	*ret_columns = known ? ws.ws_col : 80;
}

void screen_draw(const char *text)
{
	fputs(HOME, stdout);
	while (*text) {
		size_t n = strcspn(text, "\n");
		(void)fwrite(text, 1, n, stdout);
		fputs(REST_OF_LINE "\n", stdout);
		text += n + (text[n] == '\n');
	}
	fputs(REST_OF_ALL, stdout);
	(void)fflush(stdout);
}

static bool is_quit_key(void)
{
	char key = 0;
	return read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == 'Q' || key == 4);
}

unsigned screen_wait(struct screen *s, int fd, int timeout_ms)
{
	struct pollfd p[] = {{.fd = fd, .events = POLLIN},
		{.fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN}};
	struct timespec ts = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
	unsigned news = SCREEN_TIME;
	if (ppoll(p, ARRAY_SIZE(p), &ts, &s->mask) > 0) {
		if (p[0].revents)
			news |= SCREEN_INPUT;
		if (p[1].revents & POLLIN && is_quit_key())
			news |= SCREEN_QUIT;
		else if (p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			s->keys = false; /* nobody is there to press one */
	}
	if (resized)
		news |= SCREEN_SIZE;
	resized = 0;
	return got_signal ? news | SCREEN_QUIT : news;
}

int screen_signal(const struct screen *s)
{
	(void)s;
	return got_signal;
}
