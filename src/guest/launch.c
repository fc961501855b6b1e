/* SPDX-License-Identifier: Apache-2.0 */
/* Starting programs: see launch.h. The child's half comes first, then the parent's. */
#include "guest/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "guest/cgroup.h"
#include "guest/confine.h"
#include "guest/lookup.h"
#include "guest/rootfs.h"
#include "guest/users.h"

/* systemd's default for services, and so for rkt's apps: select(2) users keep the soft limit. */
#define NOFILE_SOFT 1024
#define NOFILE_HARD 524288

/* ---- in the child ---------------------------------------------------------------------------- */

static void reset_signals(void)
{
	sigset_t none;
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int take_stdio(const struct launch_plan *plan, struct err *err)
{
	/* Descriptors 0 to 2 are init's own /dev/null, so none of ours is overwritten too early. */
	for (int i = 0; i < 3; i++) {
		if (dup2(plan->fd[i], i) < 0)
			return err_sys(err, "set up descriptor %d", i);
	}
	if (setsid() < 0)
		return err_sys(err, "start a session");
	if (plan->tty && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_sys(err, "take the terminal");
	return 0;
}

static int enter_root(const struct launch_plan *plan, struct err *err)
{
	if (plan->root >= 0 && (fchdir(plan->root) < 0 || chroot(".") < 0))
		return err_sys(err, "enter the app's root");
	if (chdir("/") < 0)
		return err_sys(err, "enter the app's root");
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root >= 0 ? root : err_sys(err, "open the app's root");
}

static bool has_gid(const gid_t *gids, size_t n, gid_t gid)
{
	for (size_t i = 0; i < n; i++) {
		if (gids[i] == gid)
			return true;
	}
	return false;
}

/* The primary group is one of the supplementary ones: rkt's tests look for it there. */
static int set_groups(const struct launch_plan *plan, gid_t gid, struct err *err)
{
	_cleanup_free_ gid_t *gids = xcalloc(plan->n_gids + 1, sizeof(*gids));
	size_t n = 0;
	gids[n++] = gid;
	for (size_t i = 0; i < plan->n_gids; i++) {
		if (!has_gid(gids, n, plan->gids[i]))
			gids[n++] = plan->gids[i];
	}
	return setgroups(n, gids) < 0 ? err_sys(err, "set the groups") : 0;
}

static int become(const struct launch_plan *plan, uid_t uid, gid_t gid, struct err *err)
{
	struct rlimit files = {NOFILE_SOFT, NOFILE_HARD};
	setrlimit(RLIMIT_NOFILE, &files);
	if (plan->confine && confine_bound(plan->confine->caps, err) < 0)
		return -1;
	if (set_groups(plan, gid, err) < 0)
		return -1;
	if (setresgid(gid, gid, gid) < 0)
		return err_sys(err, "become group %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_sys(err, "become user %u", uid);
	return 0;
}

/* The two things that "No such file or directory" may mean are worlds apart for a user. */
static int exec_error(bool there, const char *path, struct err *err)
{
	if (errno == ENOENT && there)
		return err_set(err, ERR_NOTFOUND,
			"run %s: the interpreter or loader that it names is not in the image",
			path);
	return err_sys(err, "run %s", path);
}

/* A file without a first line that names its interpreter is the shell's: execvp(3), as rkt's enter. */
static void exec_as_script(char *path, char *const *argv, size_t n, char *const *env)
{
	_cleanup_free_ char **words = xcalloc(n + 2, sizeof(*words));
	words[0] = (char *)(uintptr_t) "/bin/sh";
	words[1] = path;
	memcpy(words + 2, argv + 1, (n - 1) * sizeof(*words));
	execve(words[0], words, env);
	errno = ENOEXEC;
}

/* What is asked of the kernel after confine_seal() may be what the filter forbids: only execve(2),
 * then write(2) and the end. */
static int exec_program(const struct launch_plan *plan, int root, char *path, struct err *err)
{
	struct stat st;
	size_t n = 0;
	while (plan->argv[n])
		n++;
	_cleanup_free_ char **argv = xcalloc(n + 1, sizeof(*argv));
	memcpy(argv, plan->argv, n * sizeof(*argv));
	if (plan->path_as_argv0)
		argv[0] = path;
	bool there = rootfs_stat(root, path, 0, &st) == 0;
	if (plan->confine && confine_seal(plan->confine, err) < 0)
		return -1;
	execve(path, argv, plan->env);
	if (errno == ENOEXEC && plan->shell_codes)
		exec_as_script(path, argv, n, plan->env);
	return exec_error(there, path, err);
}

static int run_program(const struct launch_plan *plan, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	uid_t uid = 0;
	gid_t gid = 0;
	_cleanup_fd_ int root = enter_root(plan, err);
	if (root < 0)
		return -1;
	if (plan->user &&
		users_resolve(root, plan->user, plan->group, plan->docker, &uid, &gid, err) < 0)
		return -1;
	char *const no_env[] = {NULL};
	if (lookup_exec(root, plan->cwd, plan->argv[0], plan->default_path ? no_env : plan->env,
		    &path, err) < 0)
		return -1;
	/* So that ttyname(3)'s path can be opened by it, as after a login. */
	if (plan->tty && fchown(0, uid, (gid_t)-1) < 0)
		return err_sys(err, "give the terminal to user %u", uid);
	if (become(plan, uid, gid, err) < 0)
		return -1;
	if (chdir(plan->cwd) < 0)
		return err_sys(err, "enter working directory %s", plan->cwd);
	return exec_program(plan, root, path, err);
}

/* An app that may mount sees its own cgroup as the root: it cannot leave its limits or its end. */
static int hide_cgroups(const struct launch_plan *plan, struct err *err)
{
	if (plan->confine && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, "make a cgroup namespace");
	return 0;
}

/* Says why on the app's own stderr and to init, in that order: init's word ends the stream. */
__attribute__((noreturn)) static void child_main(const struct launch_plan *plan, int status)
{
	struct err err = {0};
	reset_signals();
	/* Init's own oom_score_adj is no app's; with the guest's /proc in view. */
	if (cgroup_enter(plan->cgroup, &err) < 0 || hide_cgroups(plan, &err) < 0 ||
		confine_oom(plan->confine ? plan->confine->oom_score_adj : 0, &err) < 0 ||
		take_stdio(plan, &err) < 0)
		goto out;
	/* libxenstore opens without O_CLOEXEC before Xen 4.18. */
	fd_close_above(3, (const int[]){status, plan->root >= 0 ? plan->root : status}, 2);
	run_program(plan, &err);
	dprintf(STDERR_FILENO, "xenpod-init: %s\n", err_msg(&err));
out:
	dprintf(status, "%.*s", LAUNCH_TEXT_MAX, err_msg(&err));
	_exit(!plan->shell_codes ? LAUNCH_FAIL : err.code == ERR_NOTFOUND ? 127 : 126);
}

/* ---- in init --------------------------------------------------------------------------------- */

static void launch_finish(struct launch *launch)
{
	launch->active = false;
	loop_watch_set(&launch->watch, 0);
	fd_close(&launch->fd);
	launch->text[launch->len] = '\0';
	launch->done(launch);
}

/* True at the end: the program runs (close-on-exec) or the child is gone. */
static bool launch_read(struct launch *launch)
{
	for (;;) {
		char *at = launch->text + launch->len;
		ssize_t n = read(launch->fd, at, LAUNCH_TEXT_MAX - launch->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno != EAGAIN;
		if (n == 0)
			return true;
		launch->len += (size_t)n;
	}
}

static void launch_readable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct launch *launch = container_of(w, struct launch, watch);
	if (launch_read(launch))
		launch_finish(launch);
}

void launch_settle(struct launch *launch)
{
	if (!launch->active)
		return;
	launch_read(launch);
	launch_finish(launch);
}

int launch_start(struct loop *loop, struct launch *launch, struct child *child,
	const struct launch_plan *plan, struct err *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, "make a pipe");
	_cleanup_fd_ int rd = fds[0];
	_cleanup_fd_ int wr = fds[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0)
		child_main(plan, wr);
	child_add(child, pid);
	launch->fd = TAKE_FD(rd);
	launch->len = 0;
	launch->active = true;
	launch->watch.fn = launch_readable;
	loop_watch_init(loop, &launch->watch, launch->fd);
	loop_watch_set(&launch->watch, EPOLLIN);
	return 0;
}
