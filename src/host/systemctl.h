/* SPDX-License-Identifier: Apache-2.0 */
/* systemd, by systemctl(1): for commands that make and remove units. */
#ifndef HOST_SYSTEMCTL_H
#define HOST_SYSTEMCTL_H

#include <stdbool.h>

#include "base/err.h"

/* Does systemd run the host (sd_booted(3))? */
bool systemctl_there(void);
/* `unit` may be NULL. ERR_TIMEOUT: after timeout_ms it was killed. */
int systemctl(const char *verb, const char *unit, int timeout_ms, struct err *err);
/* Stops it, unless none of that name runs or could, or systemd does not run at all: that is no error. */
int systemctl_stop(const char *unit, int timeout_ms, struct err *err);

#endif
