/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's terminal and stdin. A child with a real pseudo-terminal is `run` or `enter`; the
 * session to the guest is stood in for below: what would be sent comes back through a pipe. What a
 * user would see of the terminal is asked of its other end.
 */
/* LINK: stage1 proto base */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage1/hook.h"
#include "stage1/stdin.h"
#include "stage1/tty.h"

#define WAIT_MS 5000
#define APP     3

/* ---- the session's stand-in, in the child ------------------------------------------------------ */

static int report = -1;
static struct session *const session = (struct session *)&report; /* never looked into */

bool session_mapped(const struct session *s)
{
	return s != NULL;
}

size_t session_queued(const struct session *s)
{
	(void)s;
	return 0;
}

void session_send(struct session *s, const struct stream_header *h, const void *data)
{
	const uint8_t *d = data;
	(void)s;
	if (h->app != APP || h->stream != STREAM_STDIN)
		dprintf(report, "wrong app or stream|");
	else if (h->type == STREAM_WINCH)
		dprintf(report, "size %d %d|", d[0] | d[1] << 8, d[2] | d[3] << 8);
	else if (h->type == STREAM_EOF)
		dprintf(report, "eof|");
	else if (h->type == STREAM_DATA)
		for (uint32_t i = 0; i < h->length; i++)
			dprintf(report, "%02x|", d[i]);
}

static void from_guest(struct stdin_relay *in, enum stream_type type, uint32_t number)
{
	uint8_t payload[4];
	const struct stream_header h = {type, 0, APP, sizeof payload};
	stream_put_u32(payload, number);
	stdin_frame(in, session, &h, payload);
}

/* As proxy.c and visit.c do it. SIGTERM: an ordinary end; SIGUSR1: `stop --force`; SIGUSR2: exit(3). */
static void serve(struct stdin_relay *in)
{
	int signals[4 + STDIN_SIGNALS] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
	int sigfd = hook_signals(signals, 4 + stdin_signals(in, signals + 4), NULL);
	from_guest(in, STREAM_WELCOME, 0);
	for (;;) {
		struct pollfd fds[] = {{.fd = sigfd, .events = POLLIN}, stdin_poll(in, session)};
		poll(fds, ARRAY_SIZE(fds), -1);
		int signo = hook_next_signal(sigfd);
		if (signo == SIGUSR1)
			hook_die_by(SIGKILL);
		if (signo == SIGUSR2)
			exit(3);
		if (signo == SIGINT)
			hook_die_by(SIGINT);
		if (signo == SIGTERM)
			return;
		if (signo)
			stdin_signal(in, session, signo);
		stdin_read(in, session);
	}
}

/* ---- the terminal's side ----------------------------------------------------------------------- */

struct fixture {
	pid_t pid;
	int master;
	int report;
	char seen[4096];
	struct termios before;
};

static void start(struct fixture *f, bool tty)
{
	int p[2];
	const struct winsize size = {.ws_row = 24, .ws_col = 80};
	*f = (struct fixture){.master = -1};
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	f->pid = forkpty(&f->master, NULL, NULL, &size);
	if (f->pid == 0) {
		struct stdin_relay in;
		report = p[1];
		stdin_open(&in, APP, tty && tty_present());
		dprintf(report, "open|");
		kill(getpid(), SIGSTOP); /* so that the terminal can be looked at first */
		serve(&in);
		stdin_done(&in);
		_exit(0);
	}
	close(p[1]);
	f->report = p[0];
	assert_int_equal(waitpid(f->pid, NULL, WUNTRACED), f->pid);
	assert_int_equal(tcgetattr(f->master, &f->before), 0);
	assert_true(f->before.c_lflag & ICANON);
	kill(f->pid, SIGCONT);
}

/* The frames so far hold `text`, now or soon. */
static void await_frame(struct fixture *f, const char *text)
{
	for (int left = WAIT_MS / 10; !strstr(f->seen, text); left--) {
		struct pollfd p = {.fd = f->report, .events = POLLIN};
		size_t len = strlen(f->seen);
		if (left == 0)
			fail_msg("no \"%s\" in \"%s\"", text, f->seen);
		if (poll(&p, 1, 10) <= 0)
			continue;
		ssize_t n = read(f->report, f->seen + len, sizeof f->seen - 1 - len);
		if (n <= 0)
			fail_msg("no \"%s\" in \"%s\", and the end", text, f->seen);
		f->seen[len + (size_t)n] = '\0';
	}
}

static bool looks_raw(const struct fixture *f)
{
	struct termios t;
	assert_int_equal(tcgetattr(f->master, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG)) && !(t.c_oflag & OPOST);
}

static void await_mode(const struct fixture *f, bool raw)
{
	for (int left = WAIT_MS / 10; looks_raw(f) != raw; left--) {
		assert_true(left > 0);
		usleep(10000);
	}
}

static void expect_as_before(const struct fixture *f)
{
	struct termios t;
	assert_int_equal(tcgetattr(f->master, &t), 0);
	assert_int_equal(t.c_lflag, f->before.c_lflag);
	assert_int_equal(t.c_iflag, f->before.c_iflag);
	assert_int_equal(t.c_oflag, f->before.c_oflag);
}

/* Returns the wait status. The terminal must be as it was. */
static int finish(struct fixture *f, int signo)
{
	int status = 0;
	if (signo)
		kill(f->pid, signo);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	expect_as_before(f);
	close(f->master);
	close(f->report);
	return status;
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void restored_on_every_way_out(void **state)
{
	(void)state;
	static const struct {
		int signo;
		int exit_code; /* -1: killed by ... */
		int killed_by;
	} ways[] = {{SIGTERM, 0, 0}, {SIGUSR2, 3, 0}, {SIGINT, -1, SIGINT}, {SIGUSR1, -1, SIGKILL}};
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct fixture f;
		start(&f, true);
		await_mode(&f, true);
		await_frame(&f, "size 24 80|");
		int status = finish(&f, ways[i].signo);
		if (ways[i].exit_code >= 0)
			assert_int_equal(WEXITSTATUS(status), ways[i].exit_code);
		else
			assert_int_equal(WTERMSIG(status), ways[i].killed_by);
	}
}

/* ^C, ^D, ^Z and ^\ are the app's, and Return is not turned into a newline. */
static void keys_are_bytes(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, true);
	await_mode(&f, true);
	assert_int_equal(write(f.master, "\x03\x04\x1a\x1c\rq", 6), 6);
	await_frame(&f, "03|04|1a|1c|0d|71|");
	assert_null(strstr(f.seen, "eof"));
	finish(&f, SIGTERM);
}

static void a_new_size_is_sent(void **state)
{
	(void)state;
	struct fixture f;
	const struct winsize size = {.ws_row = 50, .ws_col = 300};
	start(&f, true);
	await_frame(&f, "size 24 80|");
	assert_int_equal(ioctl(f.master, TIOCSWINSZ, &size), 0); /* the kernel sends SIGWINCH */
	await_frame(&f, "size 50 300|");
	finish(&f, SIGTERM);
}

static void stopped_from_outside_the_shell_has_its_terminal(void **state)
{
	(void)state;
	struct fixture f;
	int status = 0;
	start(&f, true);
	await_mode(&f, true);
	await_frame(&f, "size");
	kill(f.pid, SIGTSTP);
	assert_int_equal(waitpid(f.pid, &status, WUNTRACED), f.pid);
	assert_true(WIFSTOPPED(status));
	expect_as_before(&f);
	kill(f.pid, SIGCONT);
	await_mode(&f, true);
	assert_int_equal(write(f.master, "\x03", 1), 1);
	await_frame(&f, "03|");
	finish(&f, SIGTERM);
}

/* SIGSTOP gives no time to restore anything: whoever stops us sets the terminal for itself. */
static void raw_again_after_a_hard_stop(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, true);
	await_mode(&f, true);
	await_frame(&f, "size");
	kill(f.pid, SIGSTOP);
	assert_int_equal(waitpid(f.pid, NULL, WUNTRACED), f.pid);
	assert_int_equal(tcsetattr(f.master, TCSANOW, &f.before), 0);
	kill(f.pid, SIGCONT);
	await_mode(&f, true);
	finish(&f, SIGTERM);
}

static void without_a_terminal_asked_for_it_stays_as_it_is(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, false);
	assert_int_equal(write(f.master, "hi\n\x04", 4), 4);
	await_frame(&f, "68|69|0a|eof|");
	assert_false(looks_raw(&f));
	assert_null(strstr(f.seen, "size"));
	finish(&f, SIGTERM);
}

/* ---- without a terminal, in this process ------------------------------------------------------- */

static int count_bytes(int fd)
{
	static char buf[65536];
	ssize_t n = read(fd, buf, sizeof buf);
	return n < 0 ? 0 : (int)n / 3; /* "xx|" */
}

/* A reader that does not read costs the credit and no more; what it takes is what may follow. */
static void bytes_keep_to_the_credit_and_end(void **state)
{
	(void)state;
	struct stdin_relay in;
	int p[2];
	int r[2];
	static char block[STREAM_CREDIT + 4096];
	int saved = dup(STDIN_FILENO);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(pipe2(r, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(r[1], F_SETPIPE_SZ, 1 << 20);
	report = r[1];
	dup2(p[0], STDIN_FILENO);
	assert_int_equal(write(p[1], block, sizeof block), sizeof block);
	close(p[1]);
	stdin_open(&in, APP, false);
	stdin_read(&in, session);
	assert_int_equal(in.sent, 0); /* nobody has said WELCOME */
	from_guest(&in, STREAM_WELCOME, 0);
	for (int i = 0; i < 10; i++)
		stdin_read(&in, session);
	assert_int_equal(count_bytes(r[0]), STREAM_CREDIT);
	assert_int_equal(stdin_poll(&in, session).fd, -1);
	from_guest(&in, STREAM_ACK, 4096);
	for (int i = 0; i < 10; i++)
		stdin_read(&in, session);
	assert_int_equal(count_bytes(r[0]), 4096);
	assert_false(in.ended);
	from_guest(&in, STREAM_ACK, STREAM_CREDIT);
	stdin_read(&in, session);
	assert_true(in.ended);
	/* A session that replaces this one is told the end as well, and has its own credit. */
	stdin_session_new(&in);
	from_guest(&in, STREAM_WELCOME, 0);
	char buf[16] = "";
	assert_int_equal(read(r[0], buf, sizeof buf), 8);
	assert_string_equal(buf, "eof|eof|");
	stdin_done(&in);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(p[0]);
	close(r[0]);
	close(r[1]);
}

/* A client without an interactive app reads nothing, whatever the guest says. */
static void nothing_is_read_for_nobody(void **state)
{
	(void)state;
	struct stdin_relay in = STDIN_NONE;
	int signals[STDIN_SIGNALS];
	report = -1;
	from_guest(&in, STREAM_WELCOME, 0);
	from_guest(&in, STREAM_ACK, 7);
	assert_false(in.ready);
	assert_int_equal(stdin_poll(&in, session).fd, -1);
	stdin_read(&in, session);
	assert_int_equal(stdin_signals(&in, signals), 0);
	stdin_done(&in);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(restored_on_every_way_out),
	cmocka_unit_test(keys_are_bytes),
	cmocka_unit_test(a_new_size_is_sent),
	cmocka_unit_test(stopped_from_outside_the_shell_has_its_terminal),
	cmocka_unit_test(raw_again_after_a_hard_stop),
	cmocka_unit_test(without_a_terminal_asked_for_it_stays_as_it_is),
	cmocka_unit_test(bytes_keep_to_the_credit_and_end),
	cmocka_unit_test(nothing_is_read_for_nobody),
};
UNIT_MAIN(tests, NULL, NULL)
