/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-act: one command of xenpodd's on the world, in a process of its own, because libxl blocks,
 * forks and may end its process: here it may, under xenpodd's deadline.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "base/files.h"
#include "base/log.h"
#include "proto/world.h"

static const char help[] =
	"xenpod-act is started by xenpodd, not by hand.\n"
	"\n"
	"It carries out one command of the supervisor and ends: it exports a pod's directories,\n"
	"creates, pauses, shuts down or destroys its domain, or removes what a pod has left on\n"
	"this host. The command comes on a socket which it inherits as file descriptor 3, the\n"
	"answer goes back there; messages of libxl go to standard error.\n"
	"\n"
	"  --help     show this text\n"
	"  --version  show the version\n"
	"\n"
	"Exit status: 0 done, 1 failed (the answer says why), 254 it was not started by xenpodd.\n";

static int usage(char **argv)
{
	if (!argv[2] && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (!argv[2] && strcmp(argv[1], "--version") == 0) {
		puts("xenpod-act " XENPOD_VERSION);
		return 0;
	}
	log_err("unknown argument \"%s\": it is started by xenpodd (see --help)", argv[1]);
	return XENPOD_EXIT_FAILURE;
}

/* What we start must see the world as a daemon's child does, whoever started us. */
static void become_plain(int sock)
{
	sigset_t none;
	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN); /* xenpodd may have died; libxl gives its children SIG_DFL */
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	setsid(); /* fails when we lead a session already: good too */
	fd_close_above(3, &sock, 1);
}

int main(int argc, char **argv)
{
	struct stat st;
	struct err err = {0};
	const int sock = WORLD_FD;
	log_set_prefix("xenpod-act");
	if (argc > 1)
		return usage(argv);
	if (fstat(sock, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		log_err("no socket on file descriptor %d: it is started by xenpodd (see --help)",
			sock);
		return XENPOD_EXIT_FAILURE;
	}
	become_plain(sock);
	if (fd_set_cloexec(sock, 1, &err) < 0 || chdir("/") < 0) {
		log_err("%s", err_msg(&err));
		return XENPOD_EXIT_FAILURE;
	}
	return act_serve(sock);
}
