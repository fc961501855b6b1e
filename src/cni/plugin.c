/* SPDX-License-Identifier: Apache-2.0 */
/* CNI plugins as bounded children: see plugin.h. */
#include "cni/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "cni/words.h"

/* Plugins call iptables, ip, sysctl by name. */
#define PLUGIN_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CHUNK       4096
/* What may stand in a pipe that nobody reads: pipe(7), 16 pages. */
#define PIPE_CHUNKS 16

struct run {
	const char *path;
	pid_t pid;
	int pidfd;
	int out;
	int err;
	char *text; /* stdout */
	size_t text_len;
	char tail[CNI_STDERR_KEPT + 1];
	size_t tail_len;
};

static void run_done(struct run *r)
{
	fd_close(&r->pidfd);
	fd_close(&r->out);
	fd_close(&r->err);
	free(r->text);
}

static char *joined(const char *const *dirs, const char *between)
{
	char *s = xstrdup("");
	for (size_t i = 0; dirs[i]; i++) {
		char *longer = xasprintf("%s%s%s", s, i ? between : "", dirs[i]);
		free(s);
		s = longer;
	}
	return s;
}

int cni_plugin_find(const char *const *dirs, const char *type, char **ret_path, struct err *err)
{
	for (size_t i = 0; dirs[i]; i++) {
		struct stat st;
		_cleanup_free_ char *path = xasprintf("%s/%s", dirs[i], type);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
			continue;
		*ret_path = TAKE_PTR(path);
		return 0;
	}
	_cleanup_free_ char *list = joined(dirs, ", ");
	return err_set(err, ERR_NOTFOUND,
		"plugin \"%s\" is in none of %s: install it (the usual ones are in the package "
		"containernetworking-plugins)",
		type, list);
}

/* ---- start ------------------------------------------------------------------------------------ */

enum { ENV_MAX = 9 };

static void make_env(const struct cni_call *c, char *env[ENV_MAX])
{
	_cleanup_free_ char *path = joined(c->dirs, ":");
	size_t n = 0;
	env[n++] = xstrdup(PLUGIN_PATH);
	env[n++] = xasprintf("CNI_COMMAND=%s", c->command);
	env[n++] = xasprintf("CNI_CONTAINERID=%s", c->container);
	env[n++] = xasprintf("CNI_NETNS=%s", c->netns ? c->netns : "");
	env[n++] = xasprintf("CNI_IFNAME=%s", c->ifname);
	/* One text for all plugins of a network: each has to pass over what another one is asked, as
	 * bridge over host-local's IP. */
	const bool ignore = c->args && *c->args && !strstr(c->args, "IgnoreUnknown=");
	env[n++] = xasprintf(
		"CNI_ARGS=%s%s", ignore ? "IgnoreUnknown=1;" : "", c->args ? c->args : "");
	env[n++] = xasprintf("CNI_PATH=%s", path);
	/* Gone from the spec with 0.2.0, where the conf says it; rkt always set it. */
	if (c->version == CNI_0_1_0)
		env[n++] = xstrdup("CNI_VERSION=0.1.0");
	env[n] = NULL;
}

static void free_env(char *env[ENV_MAX])
{
	for (size_t n = 0; env[n]; n++)
		free(env[n]);
}

/* A file in memory: whoever does not read it cannot block us, nor end us by SIGPIPE. */
static int make_stdin(const json_t *conf, struct err *err)
{
	_cleanup_free_ char *text = json_text(conf);
	_cleanup_fd_ int fd = memfd_create("cni", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "stdin in memory");
	if (fd_write_all(fd, text, strlen(text), err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "stdin in memory");
	return TAKE_FD(fd);
}

/* Above the standard three, so that putting one in its place cannot overwrite another. */
static int lifted(int fd, struct err *err)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (up < 0)
		err_sys(err, "descriptor of a plugin");
	close(fd);
	return up;
}

static int make_pipe(int *ret_ours, int *ret_theirs, struct err *err)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	*ret_ours = lifted(fd[0], err);
	*ret_theirs = lifted(fd[1], err);
	if (*ret_ours < 0 || *ret_theirs < 0)
		return -1;
	return fd_set_nonblock(*ret_ours, 1, err);
}

static int spawn(const char *path, const int fd[3], char *env[ENV_MAX], pid_t *ret_pid)
{
	char *argv[] = {NULL, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	sigset_t all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&fa, fd[i], i);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawn_file_actions_addchdir_np(&fa, "/");
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	argv[0] = xstrdup(path);
	int r = posix_spawn(ret_pid, path, &fa, &attr, argv, env);
	free(argv[0]);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

static int start(const json_t *conf, const struct cni_call *call, struct run *r, struct err *err)
{
	char *env[ENV_MAX];
	_cleanup_fd_ int plain = make_stdin(conf, err);
	_cleanup_fd_ int in = -1;
	_cleanup_fd_ int out = -1;
	_cleanup_fd_ int errout = -1;
	if (plain < 0 || (in = lifted(TAKE_FD(plain), err)) < 0 ||
		make_pipe(&r->out, &out, err) < 0 || make_pipe(&r->err, &errout, err) < 0)
		return -1;
	make_env(call, env);
	errno = spawn(r->path, (int[]){in, out, errout}, env, &r->pid);
	int failed = errno;
	free_env(env);
	errno = failed;
	if (failed)
		return err_sys(err, "start %s", r->path);
	r->pidfd = pidfd_open(r->pid, 0);
	if (r->pidfd >= 0)
		return 0;
	err_sys(err, "pidfd of %s", r->path);
	kill(-r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	return -1;
}

/* ---- listen ----------------------------------------------------------------------------------- */

/* More than `max` bytes are an error of the plugin. 1: there may be more to read, 0: not now, -1. */
static int read_out(struct run *r, struct err *err)
{
	r->text = xreallocarray(r->text, r->text_len + CHUNK + 1, 1);
	ssize_t n = r->out < 0 ? 0 : read(r->out, r->text + r->text_len, CHUNK);
	if (n == 0)
		fd_close(&r->out);
	if (n > 0)
		r->text_len += (size_t)n;
	r->text[r->text_len] = '\0';
	if (r->text_len > CNI_OUTPUT_MAX)
		return err_set(err, ERR_FULL, "it printed more than %d bytes and was ended",
			CNI_OUTPUT_MAX);
	return n > 0;
}

static int read_err(struct run *r)
{
	char buf[CHUNK];
	ssize_t n = r->err < 0 ? 0 : read(r->err, buf, sizeof buf);
	if (n == 0)
		fd_close(&r->err);
	if (n <= 0)
		return 0;
	size_t got = (size_t)n;
	size_t keep = r->tail_len + got > CNI_STDERR_KEPT ? CNI_STDERR_KEPT - got : r->tail_len;
	memmove(r->tail, r->tail + r->tail_len - keep, keep);
	memcpy(r->tail + keep, buf, got);
	r->tail_len = keep + got;
	r->tail[r->tail_len] = '\0';
	return 1;
}

/* It has ended: what is in the pipes is read, what others may still write is not waited for. */
static int drain(struct run *r, struct err *err)
{
	int more = 1;
	for (int i = 0; i <= PIPE_CHUNKS && more > 0; i++)
		more = read_out(r, err);
	if (more < 0)
		return -1;
	for (int i = 0; i <= PIPE_CHUNKS && read_err(r); i++)
		continue;
	return 0;
}

static int listen_until(struct run *r, int64_t deadline, int timeout_ms, struct err *err)
{
	for (;;) {
		struct pollfd p[] = {{.fd = r->pidfd, .events = POLLIN},
			{.fd = r->out, .events = POLLIN}, {.fd = r->err, .events = POLLIN}};
		int64_t left = deadline - clock_ms();
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT,
				"it did not end within %d ms and was killed", timeout_ms);
		if (poll(p, ARRAY_SIZE(p), (int)left) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		if (p[0].revents)
			return drain(r, err);
		if (p[1].revents && read_out(r, err) < 0)
			return -1;
		if (p[2].revents)
			read_err(r);
	}
}

/* ---- judge ------------------------------------------------------------------------------------ */

/* Its own words on a failure, spec 1.0.0 section 5 "Error". */
static int told(const struct run *r, struct err *err)
{
	_cleanup_json_ json_t *e = json_parse(r->text, r->text_len, "", NULL);
	const char *msg = json_str_opt(e, "msg", NULL);
	if (!msg)
		return 0;
	int64_t code = json_int_opt(e, "code", 0);
	const char *details = json_str_opt(e, "details", "");
	_cleanup_free_ char *m = cni_harmless(msg, strlen(msg), CNI_MESSAGE_MAX);
	_cleanup_free_ char *d = cni_harmless(details, strlen(details), CNI_MESSAGE_MAX);
	enum { INCOMPATIBLE = 1 };
	return err_set(err, code == INCOMPATIBLE ? ERR_UNSUPPORTED : ERR_SYSTEM,
		"%s%s%s (code %lld)", m, *d ? "; " : "", d, (long long)code);
}

static int failed(const struct run *r, int status, struct err *err)
{
	if (WIFEXITED(status) && told(r, err) < 0)
		return -1;
	size_t len = r->tail_len;
	const char *line = cni_last_line(r->tail, &len);
	_cleanup_free_ char *words = cni_harmless(line, len, CNI_MESSAGE_MAX);
	_cleanup_free_ char *how = WIFEXITED(status)
					   ? xasprintf("exit status %d", WEXITSTATUS(status))
					   : xasprintf("ended by signal %d", WTERMSIG(status));
	const char *garbage =
		r->text_len ? ", and what it printed is garbage, not a CNI error" : "";
	return err_set(err, ERR_SYSTEM, "%s%s%s%s", how, garbage, *words ? ": " : "", words);
}

static int run_plugin(
	const json_t *conf, const struct cni_call *call, struct run *r, struct err *err)
{
	int status;
	if (start(conf, call, r, err) < 0)
		return -1;
	int heard = listen_until(r, clock_ms() + call->timeout_ms, call->timeout_ms, err);
	/* Not reaped yet, so the number is still its own. */
	if (heard < 0)
		kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for %s", r->path);
	if (heard < 0)
		return -1;
	return status ? failed(r, status, err) : 0;
}

int cni_plugin_run(const char *path, const json_t *conf, const struct cni_call *call,
	char **ret_out, struct err *err)
{
	_cleanup_(run_done) struct run r = {.path = path, .pidfd = -1, .out = -1, .err = -1};
	if (run_plugin(conf, call, &r, err) < 0)
		return -1;
	*ret_out = TAKE_PTR(r.text);
	return 0;
}
