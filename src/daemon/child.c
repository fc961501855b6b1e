/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and holding processes by pidfd: see child.h. */
#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/frame.h"
#include "proto/world.h"

extern char **environ;

static int spawn(const char *const *argv, int sock, pid_t *ret_pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	sigset_t all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, sock, WORLD_FD);
	posix_spawn_file_actions_addclosefrom_np(&fa, WORLD_FD + 1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	char *const *av;
	memcpy(&av, &argv, sizeof av); /* posix_spawn promises not to write */
	int r = posix_spawn(ret_pid, argv[0], &fa, &attr, av, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r;
}

int child_start(const char *const *argv, struct child *ret, struct err *err)
{
	int sv[2];
	if (frame_pair(sv, err) < 0)
		return -1;
	_cleanup_fd_ int ours = sv[0];
	_cleanup_fd_ int theirs = sv[1];
	/* dup2 onto itself would keep CLOEXEC: fd 3 must be another number here. */
	if (theirs == WORLD_FD) {
		int moved = fcntl(theirs, F_DUPFD_CLOEXEC, WORLD_FD + 1);
		fd_close(&theirs);
		theirs = moved;
	}
	pid_t pid;
	errno = spawn(argv, theirs, &pid);
	if (errno)
		return err_sys(err, "start %s", argv[0]);
	int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		err_sys(err, "pidfd of %s", argv[0]);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	fcntl(pidfd, F_SETFD, FD_CLOEXEC);
	(void)fd_set_nonblock(ours, 1, NULL);
	*ret = (struct child){.pid = pid, .pidfd = pidfd, .sock = TAKE_FD(ours)};
	return 0;
}

int child_reap(struct child *c)
{
	siginfo_t si = {0};
	int r;
	do
		r = waitid(P_PIDFD, (id_t)c->pidfd, &si, WEXITED);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return XENPOD_EXIT_FAILURE;
	return si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
}

void child_kill(const struct child *c)
{
	pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
}

void child_done(struct child *c)
{
	fd_close(&c->pidfd);
	fd_close(&c->sock);
}

int64_t process_start_time(int64_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, path, 8192, &text, NULL, NULL) < 0)
		return -1;
	/* The name may hold spaces and parentheses: fields are counted from the last ")". */
	char *p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoll(p + 1, NULL, 10) : -1;
}

int process_open(int64_t pid, int64_t start, int64_t *ret_start)
{
	if (pid <= 0)
		return -1;
	_cleanup_fd_ int fd = pidfd_open((pid_t)pid, 0);
	if (fd < 0)
		return -1;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	int64_t seen = process_start_time(pid);
	if (seen < 0 || (start && seen != start))
		return -1;
	if (ret_start)
		*ret_start = seen;
	return TAKE_FD(fd);
}
