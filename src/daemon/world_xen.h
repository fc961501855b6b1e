/* SPDX-License-Identifier: Apache-2.0 */
/* The real world: xenpod-watch and xenpod-act as processes. Knows frames, not their meaning. */
#ifndef DAEMON_WORLD_XEN_H
#define DAEMON_WORLD_XEN_H

#include "daemon/loop.h"
#include "daemon/world.h"

/* `libexec`: directory of the two programs. The sensors start at once and say hello. */
struct world *world_xen_new(struct loop *l, const char *libexec, const char *run_dir,
	const struct world_events *events);

#endif
