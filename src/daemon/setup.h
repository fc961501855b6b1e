/* SPDX-License-Identifier: Apache-2.0 */
/* What must be there before anything of the supervisor is. */
#ifndef DAEMON_SETUP_H
#define DAEMON_SETUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The kernel's random name of this boot. */
int setup_boot_id(char *ret, size_t size, struct err *err);
/* Makes the directories of the store, sockets, exports and helper locks where they are missing. */
int setup_dirs(const char *state_dir, const char *run_dir, struct err *err);

/* The real clocks, as engine_config wants them. */
int64_t setup_boot_ns(void *clock);
int64_t setup_wall_ns(void *clock);

#endif
