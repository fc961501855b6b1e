/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logs that others write about a pod's domain: its console (xenconsoled) and its device model
 * (libxl). A guest decides how much goes there, so they are kept from filling the host's disk.
 */
#ifndef DAEMON_LOGS_H
#define DAEMON_LOGS_H

#include <stddef.h>

#include "daemon/pod.h"
#include "daemon/worker.h"

#define LOGS_PER_POD   2
#define LOGS_DIR       "/var/log/xen" /* XEN_LOG_DIR; the console's are in console/ below it */
#define LOGS_MAX_BYTES (4 << 20)      /* what one log may take on the disk ... */
#define LOGS_KEPT      (1 << 20)      /* ... and what stays of one that takes more */

/* Where xenconsoled writes guest-<name>.log when it logs guests (xenconsoled(8), --log). */
#define LOGS_CONSOLE_DIR LOGS_DIR "/console"

/* The console's log of a pod in `console_dir`. Malloc'ed; need not exist. */
char *logs_console_path(const char *console_dir, const char *uuid);
/* Path of the i-th log of a pod, below `dir`. Malloc'ed; need not exist. */
char *logs_path(const char *dir, size_t i, const char *uuid);
/*
 * Gives back the blocks of all but the end of logs that have grown too large: the file keeps its
 * length and begins with a hole, so that who writes it need not know (fallocate(2),
 * FALLOC_FL_PUNCH_HOLE). Returns how many it was done to; a file system that cannot is logged.
 */
int logs_trim(const char *dir, const char *uuid);
/* The same for every pod that has a domain, on the worker's thread. `dir` must stay. */
void logs_trim_all(struct worker *w, struct pods *pods, const char *dir);

#endif
