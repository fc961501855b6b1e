/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of `xenpod host`: what a host needs before pods can run on it. Each is idempotent, says what
 * it would do before it does it, and can be taken back (host/plan.h).
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>

#include "base/err.h"

/* Where a host's files are. {.root = "", .state = HOST_STATE} is the host that we run on. */
struct host {
	const char *
		root; /* put before every path that is looked at or written; "" or an absolute path */
	const char *state; /* the directory of records, as it is: `root` is not put before it */
};

#define HOST_STATE "/var/lib/xenpod/host"

/* Something is not as it should be (check), or is not there (status). */
#define HOST_EXIT_NOT_SO 1

/* `path` (absolute) on that host; caller frees. */
char *host_path(const struct host *h, const char *path);

/* A command with its verbs and options, argv[0] is its name; prints to stdout, returns the exit status. */
struct host_command {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(const struct host *h, int argc, char **argv);
};

/* Prints the error and gives XENPOD_EXIT_FAILURE. */
int host_failed(const struct err *err);

/* ERR_DENIED unless root; names command and verb. */
int host_need_root(const char *command, const char *verb, struct err *err);
/* For a verb that changes something: root, and nobody else at work until the process ends. */
int host_begin(const struct host *h, const char *command, const char *verb, struct err *err);

#endif
