/* SPDX-License-Identifier: Apache-2.0 */
/* What run, enter, stop and gc have in common: how they talk to people, time and the supervisor. */
#ifndef STAGE1_HOOK_H
#define STAGE1_HOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"

/* Log prefix "stage1", SIGPIPE ignored. First thing in main. */
void hook_begin(void);
void hook_debug(void);

/* Logs the error and returns the exit status of our own failures. */
int hook_fail(const struct err *err);

/* The supervisor's admin socket, $XENPOD_RUN_DIR honoured. Caller frees. */
char *hook_admin_socket(void);

/* The one argument behind the flags, which must be a UUID. */
int hook_uuid_arg(int argc, char **argv, int rest, char ret[UUID_TEXT_SIZE], struct err *err);

/* Of two poll(2) time-outs the earlier; -1 is never. */
int hook_earliest(int a, int b);

/* These signals come by a signalfd(2) from now on (non-blocking, caller closes); SIGHUP unless it is
 * ignored, nohup(1). */
int hook_signals(const int *signals, size_t n, struct err *err);
/* The number of one that came, 0: none. */
int hook_next_signal(int sigfd);

/* Ends this process by `signo`, as the one whose fate it shares ended; without a core file, and
 * with its terminal as it was. */
_Noreturn void hook_die_by(int signo);

#endif
