/* SPDX-License-Identifier: Apache-2.0 */
/* See exec.h. Output goes to files in memory: no pipe can be full, and nobody else's end be waited for. */
#include "host/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files.h"

#define TIMEOUT_MS 30000
/* How often it is looked at while it runs. */
#define LOOK_MS 100

extern char **environ;

/* Root's PATH may lack the administrator's directories, as under su. */
static char *find(const char *program)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *list = xasprintf("%s:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "");
	char *save = NULL;
	if (strchr(program, '/'))
		return access(program, X_OK) == 0 ? xstrdup(program) : NULL;
	for (char *dir = strtok_r(list, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		_cleanup_free_ char *at = xasprintf("%s/%s", dir, program);
		if (access(at, X_OK) == 0)
			return TAKE_PTR(at);
	}
	return NULL;
}

int exec_exists(const char *program)
{
	_cleanup_free_ char *at = find(program);
	return at != NULL;
}

static int in_memory(const char *text, struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("exec", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "a file in memory");
	if (text && fd_write_all(fd, text, strlen(text), err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "a file in memory");
	return TAKE_FD(fd);
}

/* What has been written to it, from its beginning. */
static char *content(int fd)
{
	struct stat st;
	size_t size = fstat(fd, &st) < 0 ? 0 : (size_t)st.st_size;
	size_t keep = size < EXEC_OUTPUT_MAX ? size : EXEC_OUTPUT_MAX;
	char *text = xmalloc(keep + 1);
	ssize_t n = pread(fd, text, keep, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The environment, with words as they are for programs. */
static char **words_of_c(void)
{
	static char lc_all[] = "LC_ALL=C";
	size_t n = 0;
	size_t kept = 0;
	while (environ[n])
		n++;
	char **env = xcalloc(n + 2, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], lc_all, strlen("LC_ALL=")) != 0)
			env[kept++] = environ[i];
	env[kept] = lc_all;
	return env;
}

static int spawn(const char *path, const struct exec *e, const int fd[3], pid_t *ret)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	_cleanup_free_ char **env = words_of_c();
	sigemptyset(&none);
	posix_spawn_file_actions_init(&fa);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&fa, fd[i], i);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	int r = posix_spawn(ret, path, &fa, &attr, (char *const *)(uintptr_t)e->argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

static bool is_too_much(const int fd[3])
{
	struct stat st[2];
	return fstat(fd[1], &st[0]) == 0 && fstat(fd[2], &st[1]) == 0 &&
	       (st[0].st_size > EXEC_OUTPUT_MAX || st[1].st_size > EXEC_OUTPUT_MAX);
}

/* Why it has to be killed: it takes too long, or fills the memory. 0: it has not. */
static int judge_running(const int fd[3], int64_t end, int timeout_ms, struct err *err)
{
	if (is_too_much(fd))
		return err_set(err, ERR_FULL, "it printed more than %d bytes", EXEC_OUTPUT_MAX);
	if (clock_ms() >= end)
		return err_set(
			err, ERR_TIMEOUT, "it did not end within %d ms and was killed", timeout_ms);
	return 0;
}

/* Until it has ended; fd as for spawn(). Without a pidfd (Linux before 5.3) it is seen a little later. */
static int await(pid_t pid, const int fd[3], int timeout_ms, int *ret, struct err *err)
{
	_cleanup_fd_ int ends = pidfd_open(pid, 0);
	int64_t end = clock_ms() + timeout_ms;
	struct pollfd p = {.fd = ends, .events = POLLIN};
	bool killed = false;
	for (;;) {
		pid_t r = waitpid(pid, ret, killed ? 0 : WNOHANG);
		if (r < 0 && errno != EINTR)
			return err_sys(err, "wait for it");
		if (r == pid)
			break;
		if (!killed && judge_running(fd, end, timeout_ms, err) < 0) {
			kill(-pid, SIGKILL);
			killed = true;
		}
		if (!killed)
			(void)poll(&p, 1, LOOK_MS);
	}
	if (!killed && is_too_much(fd))
		return err_set(err, ERR_FULL, "it printed more than %d bytes", EXEC_OUTPUT_MAX);
	return killed ? -1 : 0;
}

/* The last line that says something. */
static char *last_line(char *text)
{
	char *last = text + strlen(text);
	while (last > text && strchr("\n\r ", last[-1]))
		*--last = '\0';
	char *from = strrchr(text, '\n');
	return from ? from + 1 : text;
}

static int judge(int status, int *ret_status, int errfd, struct err *err)
{
	if (WIFSIGNALED(status))
		return err_set(err, ERR_SYSTEM, "signal %d ended it", WTERMSIG(status));
	if (ret_status)
		*ret_status = WEXITSTATUS(status);
	if (ret_status || WEXITSTATUS(status) == 0)
		return 0;
	_cleanup_free_ char *said = content(errfd);
	const char *line = last_line(said);
	return err_set(err, ERR_SYSTEM, "exit status %d%s%s", WEXITSTATUS(status),
		*line ? ": " : "", line);
}

/* It is in a process group of its own, so that all of it can be ended: a terminal's ^C does not reach it. */
static volatile sig_atomic_t child;

static void on_signal(int sig)
{
	if (child > 0)
		kill(-(pid_t)child, SIGKILL);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void watch_signals(void)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		if (sigaction(sigs[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			(void)signal(sigs[i], on_signal);
}

/* No signal comes between its start and our knowing of it. */
static int start(
	const char *path, const struct exec *e, const int fd[3], pid_t *ret, struct err *err)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	int failed = spawn(path, e, fd, ret);
	child = failed ? 0 : *ret;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return failed ? err_sys(err, "start it") : 0;
}

static int run(
	const char *path, const struct exec *e, char **ret_out, int *ret_status, struct err *err)
{
	_cleanup_fd_ int in = in_memory(e->input, err);
	_cleanup_fd_ int out = in_memory(NULL, err);
	_cleanup_fd_ int errout = in_memory(NULL, err);
	pid_t pid;
	int status;
	if (in < 0 || out < 0 || errout < 0)
		return -1;
	const int fd[3] = {in, out, errout};
	watch_signals();
	if (start(path, e, fd, &pid, err) < 0)
		return -1;
	int ended = await(pid, fd, e->timeout_ms ? e->timeout_ms : TIMEOUT_MS, &status, err);
	child = 0;
	if (ended < 0 || judge(status, ret_status, errout, err) < 0)
		return -1;
	if (ret_out)
		*ret_out = content(out);
	return 0;
}

int exec_run(const struct exec *e, char **ret_out, int *ret_status, struct err *err)
{
	_cleanup_free_ char *path = find(e->argv[0]);
	if (!path)
		return err_set(
			err, ERR_NOTFOUND, "program \"%s\" is not there: install it", e->argv[0]);
	if (run(path, e, ret_out, ret_status, err) == 0)
		return 0;
	return e->argv[1] ? err_wrap(err, "%s %s", e->argv[0], e->argv[1])
			  : err_wrap(err, "%s", e->argv[0]);
}
