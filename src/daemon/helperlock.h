/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods' helper locks, <run_dir>/lock/<uuid>: held by flock for a helper's whole life (design,
 * "Identity"). Recovery looks at them to find helpers that a dead supervisor left at work.
 */
#ifndef DAEMON_HELPERLOCK_H
#define DAEMON_HELPERLOCK_H

#include <stdbool.h>

bool helperlock_held(const char *run_dir, const char *uuid);
/* SIGKILL to the holder, found through /proc/locks; nothing when there is none. */
void helperlock_kill(const char *run_dir, const char *uuid);

#endif
