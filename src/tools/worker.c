/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes as functions: fork, run, report over a pipe as "<code name>\n<text>". It knows
 * nothing of what the work is.
 */
#include "tools/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/progress.h"

#define REPORT_MAX 8192

/* Those that run now, for worker_interrupt. */
static volatile pid_t running[4];

static void running_replace(pid_t from, pid_t to)
{
	for (size_t i = 0; i < ARRAY_SIZE(running); i++) {
		if (running[i] == from) {
			running[i] = to;
			return;
		}
	}
}

/* In a worker: where its report goes. */
static int report_fd = -1;

void worker_interrupt(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		if (running[i] > 0)
			kill(running[i], SIGKILL);
}

static _Noreturn void child_main(int fd, worker_fn fn, void *ctx)
{
	struct err err = {0};
	char *text = NULL;
	/* The parent undoes everything after Ctrl-C; a dead terminal must not stop that half-way.
	 */
	report_fd = fd;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int r = fn(ctx, &text, &err);
	char *report = xasprintf("%s\n%s", err_code_name(r < 0 ? err.code : ERR_OK),
		r < 0 ? err_msg(&err) : (text ? text : ""));
	r = fd_write_all(fd, report, strlen(report), NULL);
	/* Not exit(): buffers and handlers belong to the parent. */
	_exit(r < 0 ? XENPOD_EXIT_FAILURE : 0);
}

int worker_start(struct worker *w, worker_fn fn, void *ctx, struct err *err)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid < 0) {
		err_sys(err, "fork");
		close(p[0]);
		close(p[1]);
		return -1;
	}
	if (pid == 0) {
		close(p[0]);
		child_main(p[1], fn, ctx);
	}
	close(p[1]);
	running_replace(0, pid);
	*w = (struct worker){.pid = pid, .fd = p[0]};
	return 0;
}

static size_t read_report(int fd, char *buf, size_t size)
{
	size_t len = 0;
	while (len < size) {
		if (!progress_wait(fd, -1))
			continue;
		ssize_t n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static int wait_status(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int worker_join(struct worker *w, char **ret, struct err *err)
{
	char buf[REPORT_MAX + 1];
	buf[read_report(w->fd, buf, REPORT_MAX)] = '\0';
	fd_close(&w->fd);
	int status = wait_status(w->pid);
	running_replace(w->pid, 0);
	w->pid = 0;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_SYSTEM, "the working process was killed by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	char *text = strchr(buf, '\n');
	if (!text)
		return err_set(err, ERR_SYSTEM, "the working process ended without a report");
	*text++ = '\0';
	if (strcmp(buf, err_code_name(ERR_OK)) != 0)
		return err_set(err, err_code_from_name(buf), "%s", text);
	if (ret)
		*ret = xstrdup(text);
	return 0;
}

int worker_run(worker_fn fn, void *ctx, char **ret, struct err *err)
{
	struct worker w = {0};
	if (worker_start(&w, fn, ctx, err) < 0)
		return -1;
	return worker_join(&w, ret, err);
}

/* What is left: owning and writing files as an archive says, nothing about processes or devices. */
static int drop_capabilities(struct err *err)
{
	static const unsigned keep = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE |
				     1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER |
				     1U << CAP_FSETID | 1U << CAP_SETFCAP;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{.effective = keep, .permitted = keep}};
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(err, "drop capabilities");
	return 0;
}

int worker_confine(int dirfd, const int *keep, size_t n, struct err *err)
{
	if (fchdir(dirfd) < 0 || chroot(".") < 0)
		return err_sys(err, "enter the directory to unpack into");
	int kept[8] = {report_fd};
	for (size_t i = 0; i < n && i + 1 < ARRAY_SIZE(kept); i++)
		kept[i + 1] = keep[i];
	fd_close_above(3, kept, n + 1);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "give up new privileges");
	umask(022);
	return drop_capabilities(err);
}
