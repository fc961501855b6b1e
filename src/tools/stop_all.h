/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod stop --all`: every pod that the supervisor has, whoever has prepared it. */
#ifndef TOOLS_STOP_ALL_H
#define TOOLS_STOP_ALL_H

#include <stdbool.h>

/*
 * Waits until all have ended. `host`: because the host shuts down: pods with a restart policy come back
 * with the next boot, and none is accepted until then. Exit status.
 */
int stop_all(bool host, bool force);

#endif
