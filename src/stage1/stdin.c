/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's input: see stdin.h. */
#include "stage1/stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "stage1/tty.h"

#define READ_MAX 4096

void stdin_open(struct stdin_relay *in, uint16_t app, bool tty)
{
	struct stat st;
	*in = (struct stdin_relay){.fd = STDIN_FILENO, .own_fd = -1, .app = app, .tty = tty};
	if (fstat(STDIN_FILENO, &st) < 0 || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	/* As in sink.c: others read the same description, and who of us comes second must not
	 * block, nor may the description be made non-blocking for them. */
	in->own_fd = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in->own_fd >= 0)
		in->fd = in->own_fd;
}

void stdin_done(struct stdin_relay *in)
{
	tty_restore();
	fd_close(&in->own_fd);
	in->fd = -1;
	in->ready = false;
}

void stdin_session_new(struct stdin_relay *in)
{
	if (in->ready && in->tty)
		tty_restore(); /* until the next WELCOME ^C is ours: that may never come */
	in->ready = false;
	in->sent = 0;
	in->acked = 0;
}

/* ---- the terminal -------------------------------------------------------------------------------
 */

static void send_frame(const struct stdin_relay *in, struct session *s, enum stream_type type,
	const void *data, size_t len)
{
	const struct stream_header h = {type, STREAM_STDIN, in->app, (uint32_t)len};
	session_send(s, &h, data);
}

static bool is_ready(const struct stdin_relay *in, const struct session *s)
{
	return in->ready && s && session_mapped(s);
}

static void send_size(const struct stdin_relay *in, struct session *s)
{
	uint16_t rows;
	uint16_t cols;
	if (!in->tty || !is_ready(in, s))
		return;
	tty_size(&rows, &cols);
	const uint8_t size[4] = {
		(uint8_t)rows, (uint8_t)(rows >> 8), (uint8_t)cols, (uint8_t)(cols >> 8)};
	send_frame(in, s, STREAM_WINCH, size, sizeof size);
}

size_t stdin_signals(const struct stdin_relay *in, int signals[STDIN_SIGNALS])
{
	if (!in->tty)
		return 0;
	signals[0] = SIGWINCH;
	signals[1] = SIGTSTP;
	signals[2] = SIGCONT;
	return STDIN_SIGNALS;
}

bool stdin_signal(struct stdin_relay *in, struct session *s, int signo)
{
	if (signo == SIGTSTP)
		tty_stop();
	else if (signo == SIGCONT)
		tty_continue();
	else if (signo != SIGWINCH)
		return false;
	send_size(in, s); /* a window may have changed while we were stopped */
	return true;
}

/* ---- bytes --------------------------------------------------------------------------------------
 */

static void on_welcome(struct stdin_relay *in, struct session *s)
{
	_cleanup_err_ struct err err = {0};
	in->ready = true;
	if (in->tty && tty_raw(&err) < 0)
		log_warning("%s: going on without", err_msg(&err));
	send_size(in, s);
	/* To a session that replaces a broken one; a terminal has been typed its ^D already. */
	if (in->ended && !in->tty)
		send_frame(in, s, STREAM_EOF, NULL, 0);
}

void stdin_frame(struct stdin_relay *in, struct session *s, const struct stream_header *h,
	const uint8_t *data)
{
	if (in->fd < 0 && !in->ended)
		return;
	if (h->type == STREAM_WELCOME && !in->ready)
		on_welcome(in, s);
	else if (h->type == STREAM_ACK && h->length == 4 && h->app == in->app)
		in->acked += stream_get_u32(data);
}

static uint32_t credit(const struct stdin_relay *in)
{
	uint32_t under_way = in->sent - in->acked;
	return under_way < STREAM_CREDIT ? STREAM_CREDIT - under_way : 0;
}

static bool may_read(const struct stdin_relay *in, const struct session *s)
{
	return in->fd >= 0 && is_ready(in, s) && credit(in) && !session_queued(s);
}

struct pollfd stdin_poll(const struct stdin_relay *in, const struct session *s)
{
	return (struct pollfd){.fd = may_read(in, s) ? in->fd : -1, .events = POLLIN};
}

/* Where there is no description of our own, read(2) might wait. */
static bool has_input(const struct stdin_relay *in)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	return in->own_fd >= 0 || poll(&p, 1, 0) > 0;
}

void stdin_read(struct stdin_relay *in, struct session *s)
{
	char buf[READ_MAX];
	if (!may_read(in, s) || !has_input(in))
		return;
	uint32_t room = credit(in);
	ssize_t n = read(in->fd, buf, room < sizeof buf ? room : sizeof buf);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		send_frame(in, s, STREAM_DATA, buf, (size_t)n);
		in->sent += (uint32_t)n;
		return;
	}
	send_frame(in, s, STREAM_EOF, NULL, 0);
	in->ended = true;
	fd_close(&in->own_fd);
	in->fd = -1;
}
