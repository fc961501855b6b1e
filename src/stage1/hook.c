/* SPDX-License-Identifier: Apache-2.0 */
/* Common ground of the hooks: see hook.h. */
#include "stage1/hook.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/api.h"
#include "stage1/tty.h"

void hook_begin(void)
{
	log_set_prefix("stage1"); /* rkt's own tests look for it (contract 1.0) */
	signal(SIGPIPE, SIG_IGN);
}

void hook_debug(void)
{
	log_set_max(LOG_LVL_DEBUG);
}

int hook_fail(const struct err *err)
{
	log_err("%s", err_msg(err));
	return XENPOD_EXIT_FAILURE;
}

char *hook_admin_socket(void)
{
	const char *dir = getenv(API_ENV_RUN_DIR);
	return dir && *dir ? xasprintf("%s/admin", dir) : xstrdup(API_SOCKET_ADMIN);
}

int hook_uuid_arg(int argc, char **argv, int rest, char ret[UUID_TEXT_SIZE], struct err *err)
{
	if (rest >= argc)
		return err_set(err, ERR_INVALID, "the pod's UUID is missing; see --help");
	if (rest + 1 < argc)
		return err_set(err, ERR_INVALID, "argument \"%s\" is one too many", argv[rest + 1]);
	return uuid_parse(argv[rest], ret, err);
}

int hook_earliest(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static bool is_ignored(int signo)
{
	struct sigaction sa;
	return sigaction(signo, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

int hook_signals(const int *signals, size_t n, struct err *err)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		/* A blocked signal is queued even when it is ignored. */
		if (signals[i] != SIGHUP || !is_ignored(SIGHUP))
			sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, "signalfd") : fd;
}

int hook_next_signal(int sigfd)
{
	struct signalfd_siginfo si;
	return read(sigfd, &si, sizeof si) == sizeof si ? (int)si.ssi_signo : 0;
}

void hook_die_by(int signo)
{
	struct rlimit none = {0, 0};
	sigset_t all;
	tty_restore();
	setrlimit(RLIMIT_CORE, &none);
	signal(signo, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	kill(getpid(), signo);
	_exit(128 + signo); /* a signal whose default is to be ignored */
}
