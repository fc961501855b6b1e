/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod run` of a pod with a restart policy: starts it, and leaves it to the supervisor. */
#ifndef TOOLS_RUN_AGAIN_H
#define TOOLS_RUN_AGAIN_H

#include "tools/run_argv.h"

/* Says the pod's manifest, wherever it came from. */
bool run_again_wanted(const struct pod *p);

/*
 * Starts the pod's `run` as a process that nobody waits for, and waits until the pod runs: prints its UUID
 * then. Returns the exit status: 0, or that of a start that failed. -1 when nothing was started.
 */
int run_again(const struct pod *p, const char *path, const struct run_argv *argv, struct err *err);

#endif
