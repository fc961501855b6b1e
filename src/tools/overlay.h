/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of a pod: overlays over image trees, and taking away whatever is mounted below a path. */
#ifndef TOOLS_OVERLAY_H
#define TOOLS_OVERLAY_H

#include <stdbool.h>

#include "base/err.h"
#include "tools/datadir.h"

/* Can overlays be mounted there? Tried in a mount namespace that goes away. When not, err says why.
 */
bool overlay_usable(const struct datadir *d, struct err *err);

/* In the caller's mount namespace, as stage0 does (contract 2.1). Paths are absolute. */
int overlay_mount(const char *lower, const char *upper, const char *work, const char *target,
	struct err *err);

/* Is something mounted at exactly this absolute path? */
bool mount_is_at(const char *path);

/*
 * Unmounts all below `path`, deepest first, after making each private so that the host's own mount
 * of it stays; what is busy is detached (contract 6, gc).
 */
int mount_remove_below(const char *path, struct err *err);

#endif
