/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of `xenpod`, one file each. argv[0] is the verb. They print to stdout, report a fault
 * as one line on stderr and return the exit status.
 */
#ifndef TOOLS_VERBS_H
#define TOOLS_VERBS_H

#include "base/err.h"

int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_enter(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_gc(int argc, char **argv);
int cmd_fsck(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_host(int argc, char **argv);

/* Becomes a program of ours with these words, NULL-terminated. Returns, an exit status, when it is not there. */
int verb_become(const char *name, const char *const *words);
/* Prints the error and gives the exit status of a fault of ours: 254. */
int verb_failed(const struct err *err);
/* ERR_DENIED unless root; names the verb. */
int verb_need_root(const char *verb, struct err *err);

#endif
