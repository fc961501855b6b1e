/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenpod-watch: the sensors of xenpodd in a process of their own, because libxenstore waits without
 * a time-out and libxl may end its process: here they may.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/files.h"
#include "base/log.h"
#include "proto/world.h"
#include "watch/sensor.h"

static const char help[] =
	"xenpod-watch is started by xenpodd, not by hand.\n"
	"\n"
	"It tells the supervisor what happens on this Xen host: domains that shut down or die\n"
	"(libxl events) and the states that the pods' guests write to xenstore. It listens on a\n"
	"socket which it inherits as file descriptor 3, changes nothing, and ends when xenpodd\n"
	"closes that socket. xenpodd starts it again when it fails or answers late.\n"
	"\n"
	"  --help     show this text\n"
	"  --version  show the version\n"
	"\n"
	"Exit status: 0 the supervisor closed the socket, 254 Xen, xenstored or the socket "
	"failed.\n";

static int usage(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("xenpod-watch " XENPOD_VERSION);
		return 0;
	}
	log_err("unknown argument \"%s\": it is started by xenpodd (see --help)", argv[1]);
	return XENPOD_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct stat st;
	struct err err = {0};
	const int sock = WORLD_FD;
	log_set_prefix("xenpod-watch");
	if (argc > 1)
		return usage(argc, argv);
	if (fstat(sock, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		log_err("no socket on file descriptor %d: it is started by xenpodd (see --help)",
			sock);
		return XENPOD_EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN); /* stderr's reader may go first; the socket tells us of the end */
	fd_close_above(3, &sock, 1);
	if (fd_set_cloexec(sock, 1, &err) < 0 || sensor_run(sock, &err) < 0) {
		log_err("%s", err_msg(&err));
		err_done(&err);
		return XENPOD_EXIT_FAILURE;
	}
	return 0;
}
