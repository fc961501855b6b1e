/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP: the configuration is read again (config.h), and what can be heeded at once is. */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/orphans.h"

/* A file that makes no sense changes nothing. Says in the journal what has become of it. */
void reload_config(const struct daemon_config *cfg, struct engine *e, struct orphans *o);

#endif
