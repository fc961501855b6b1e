/* SPDX-License-Identifier: Apache-2.0 */
/* The line of progress, as bytes that reach a terminal (base/progress.h). */
/* LINK: base */
/* LIBS: jansson */
/* VALGRIND: no, it is about times, and all that is tested runs in children */
#include "base/progress.h"

#include <fcntl.h>
#include <locale.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

/* What came out of a child on a terminal of its own, and how it ended. */
struct seen {
	char text[8192];
	size_t n;
	int status;
};

static void sleep_ms(long ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&ts, NULL);
}

/* All are begun at once, or this would take as many seconds as there are. */
static struct run {
	void (*child)(void);
	unsigned short columns;
	int fd;
	pid_t pid;
} runs[16];
static size_t nruns;

static void begin(void (*child)(void), unsigned short columns)
{
	struct winsize ws = {.ws_row = 24, .ws_col = columns};
	struct run *r = &runs[nruns++];
	*r = (struct run){.child = child, .columns = columns};
	r->pid = forkpty(&r->fd, NULL, NULL, &ws);
	assert_true(r->pid >= 0);
	if (r->pid > 0)
		return;
	child();
	_exit(0);
}

static void watch(void (*child)(void), unsigned short columns, struct seen *ret)
{
	struct run *r = runs;
	while (r->child != child || r->columns != columns)
		r++;
	*ret = (struct seen){0};
	for (;;) {
		ssize_t n = read(r->fd, ret->text + ret->n, sizeof(ret->text) - ret->n - 1);
		if (n <= 0)
			break;
		ret->n += (size_t)n;
	}
	close(r->fd);
	waitpid(r->pid, &ret->status, 0);
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* By the clock: a machine that is slow is not to make it longer. */
static void work(int ms)
{
	int64_t until = now_ms() + ms;
	while (now_ms() < until) {
		progress_turn();
		sleep_ms(10);
	}
	progress_turn();
}

/* Is the last thing that was done to take the line away, all of it? */
static void assert_wiped(const struct seen *s, size_t columns)
{
	char want[512];
	snprintf(want, sizeof(want), "\r%*s\r", (int)columns, "");
	size_t n = strlen(want);
	assert_true(s->n >= n);
	assert_string_equal(s->text + s->n - n, want);
}

/* ---- when --------------------------------------------------------------------------------------------- */

static void quick(void)
{
	setenv("TERM", "xterm", 1);
	progress_begin("quick");
	work(PROGRESS_AFTER_MS - 600);
	progress_end();
	work(700);
}

static void test_nothing_in_the_first_second(void **state)
{
	(void)state;
	struct seen s;
	watch(quick, 80, &s);
	assert_string_equal(s.text, "");
}

static void several(void)
{
	unsetenv("TERM");
	progress_begin("first");
	work(PROGRESS_AFTER_MS - 600);
	progress_begin("second");
	progress_part("%d of %d", 1, 2);
	work(1000);
	progress_begin("third");
	progress_part("3");
	work(300);
	progress_end();
}

/* The second is of the whole; what is the same is not drawn again; without a part, for how long. */
static void test_a_second_of_all(void **state)
{
	(void)state;
	struct seen s;
	watch(several, 80, &s);
	assert_string_equal(s.text, "second  1 of 2"
				    "\r                  \r"
				    "third  3"
				    "\r            \r");
}

static void not_a_terminal(void)
{
	int null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	progress_begin("nobody");
	if (progress_wanted() || progress_wait_ms() != -1)
		_exit(1);
	progress_turn();
	progress_end();
}

static void test_not_where_nobody_looks(void **state)
{
	(void)state;
	struct seen s;
	watch(not_a_terminal, 80, &s);
	assert_int_equal(s.status, 0);
	assert_string_equal(s.text, "");
}

static void in_background(void)
{
	setpgid(0, 0); /* a leader cannot: the child below can */
	if (fork() == 0) {
		setpgid(0, 0);
		progress_begin("background");
		work(PROGRESS_AFTER_MS + 300);
		progress_end();
		_exit(0);
	}
	wait(NULL);
}

static void test_not_in_the_background(void **state)
{
	(void)state;
	struct seen s;
	watch(in_background, 80, &s);
	assert_string_equal(s.text, "");
}

/* ---- what ---------------------------------------------------------------------------------------------- */

static void coloured(void)
{
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	progress_begin("starting");
	progress_part("boot");
	work(PROGRESS_AFTER_MS + 100);
	progress_end();
}

static void not_coloured(void)
{
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	progress_begin("starting");
	progress_part("boot");
	work(PROGRESS_AFTER_MS + 100);
	progress_end();
}

static void test_colour(void **state)
{
	(void)state;
	struct seen s;
	watch(coloured, 80, &s);
	assert_string_equal(s.text, "starting  \033[36mboot\033[0m\r                  \r");
	watch(not_coloured, 80, &s);
	assert_string_equal(s.text, "starting  boot\r                  \r");
}

static void hostile(void)
{
	unsetenv("TERM");
	setlocale(LC_ALL, "C.UTF-8");
	progress_begin("a\033[2J\n\xc3\xa4\xff\xe6\xbc\xa2z");
	progress_part("x\ry");
	work(PROGRESS_AFTER_MS + 100);
	progress_end();
}

/* A file's name may hold anything; a wide character takes two columns. */
static void test_no_control_characters(void **state)
{
	(void)state;
	struct seen s;
	watch(hostile, 80, &s);
	assert_memory_equal(s.text, "a?[2J?\xc3\xa4?\xe6\xbc\xa2z  x?y\r", 19);
	assert_wiped(&s, 11 + 2 + 3 + 4);
}

static void narrow(void)
{
	unsetenv("TERM");
	progress_begin("unpacking a-name-that-is-much-too-long-for-it.aci");
	progress_part("38%% (12 of 31 MiB)");
	work(PROGRESS_AFTER_MS + 100);
	progress_end();
}

/* What changes stays; the last column stays empty. */
static void test_cut(void **state)
{
	(void)state;
	struct seen s;
	watch(narrow, 41, &s);
	assert_memory_equal(s.text, "unpacking a-name-tha  38% (12 of 31 MiB)\r", 41);
	assert_wiped(&s, 40);
	watch(narrow, 12, &s);
	assert_string_equal(s.text, "");
}

/* ---- who else writes ------------------------------------------------------------------------------------ */

static void logs(void)
{
	unsetenv("TERM");
	progress_begin("busy");
	progress_part("1");
	work(PROGRESS_AFTER_MS + 100);
	log_warning("a warning");
	work(300);
	progress_end();
}

static void test_room_for_messages(void **state)
{
	(void)state;
	struct seen s;
	watch(logs, 80, &s);
	assert_string_equal(
		s.text, "busy  1\r           \rxenpod: a warning\r\nbusy  1\r           \r");
}

static void with_child(void)
{
	unsetenv("TERM");
	if (progress_child_stderr() >= 0)
		_exit(1); /* nobody looks yet */
	progress_begin("busy");
	progress_part("1");
	work(PROGRESS_AFTER_MS + 100);
	int fd = progress_child_stderr();
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd, STDERR_FILENO);
		dprintf(STDERR_FILENO, "child: one\n");
		sleep_ms(400);
		dprintf(STDERR_FILENO, "child: two\n");
		_exit(0);
	}
	close(fd);
	work(300);
	waitpid(pid, NULL, 0);
	progress_end();
}

static void test_room_for_children(void **state)
{
	(void)state;
	struct seen s;
	watch(with_child, 80, &s);
	assert_int_equal(s.status, 0);
	assert_string_equal(s.text, "busy  1\r           \rchild: one\r\nbusy  1"
				    "\r           \rchild: two\r\n");
}

static void killed(void)
{
	unsetenv("TERM");
	progress_begin("busy");
	progress_part("1");
	work(PROGRESS_AFTER_MS + 100);
	raise(SIGTERM);
}

static void ignores(void)
{
	signal(SIGTERM, SIG_IGN);
	progress_begin("busy");
	work(PROGRESS_AFTER_MS + 100);
	raise(SIGTERM);
	progress_end();
	struct sigaction sa;
	sigaction(SIGINT, NULL, &sa);
	_exit(sa.sa_handler == SIG_DFL ? 0 : 1);
}

/* Nothing stays, and it dies of the signal as it would have; what it has said of signals before holds. */
static void test_signals(void **state)
{
	(void)state;
	struct seen s;
	watch(killed, 80, &s);
	assert_true(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGTERM);
	assert_wiped(&s, 11);
	watch(ignores, 80, &s);
	assert_int_equal(s.status, 0);
}

/* ---- waiting --------------------------------------------------------------------------------------------- */

static void waits(void)
{
	int p[2];
	int draws = 0;
	unsetenv("TERM");
	if (pipe(p) < 0)
		_exit(9);
	progress_begin("waiting");
	if (!progress_wait(p[0], 20))
		_exit(1);
	while (draws < 2)
		if (!progress_wait(p[0], -1))
			progress_part("%d", ++draws);
	if (write(p[1], "x", 1) != 1 || !progress_wait(p[0], -1))
		_exit(2);
	progress_end();
}

static void test_wait(void **state)
{
	(void)state;
	struct seen s;
	watch(waits, 80, &s);
	assert_int_equal(s.status, 0);
	assert_string_equal(s.text, "waiting  1 s\r                \rwaiting  1\r              \r");
}

static int begin_all(void **state)
{
	(void)state;
	begin(quick, 80);
	begin(several, 80);
	begin(not_a_terminal, 80);
	begin(in_background, 80);
	begin(coloured, 80);
	begin(not_coloured, 80);
	begin(hostile, 80);
	begin(narrow, 41);
	begin(narrow, 12);
	begin(logs, 80);
	begin(with_child, 80);
	begin(killed, 80);
	begin(ignores, 80);
	begin(waits, 80);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_nothing_in_the_first_second),
	cmocka_unit_test(test_a_second_of_all),
	cmocka_unit_test(test_not_where_nobody_looks),
	cmocka_unit_test(test_not_in_the_background),
	cmocka_unit_test(test_colour),
	cmocka_unit_test(test_no_control_characters),
	cmocka_unit_test(test_cut),
	cmocka_unit_test(test_room_for_messages),
	cmocka_unit_test(test_room_for_children),
	cmocka_unit_test(test_signals),
	cmocka_unit_test(test_wait),
};
UNIT_MAIN(tests, begin_all, NULL)
