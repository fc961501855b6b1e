/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the host, run to their end with a deadline: for what has no library. */
#ifndef HOST_EXEC_H
#define HOST_EXEC_H

#include "base/err.h"

#define EXEC_OUTPUT_MAX (1 << 20)

/* {.argv = (const char *[]){"sv", "status", dir, NULL}} */
struct exec {
	const char *const *argv; /* argv[0] is looked for in $PATH, and in /usr/sbin and /sbin */
	const char *input;       /* its stdin; NULL: none */
	int timeout_ms; /* of clock_ms(); 0: half a minute. Then its process group is killed. */
};

/*
 * Runs it with LC_ALL=C. *ret_status (may be NULL): its exit status; without it every other than 0 is
 * ERR_SYSTEM with its last line of stderr. *ret_out (may be NULL): what it has printed, NUL-terminated,
 * caller frees. Errors: ERR_NOTFOUND (there is no such program), ERR_TIMEOUT, ERR_FULL (it printed more
 * than EXEC_OUTPUT_MAX), ERR_SYSTEM (a signal ended it). It inherits the lock of plan_up().
 */
int exec_run(const struct exec *e, char **ret_out, int *ret_status, struct err *err);

/* Is there such a program, where exec_run() looks? */
int exec_exists(const char *program);

#endif
