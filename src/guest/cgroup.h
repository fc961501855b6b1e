/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cgroup per app and per entered command, so that "kill all of it" needs no list of processes
 * (cgroup.kill, Linux 5.14; systemd's KillMode=mixed does the same for rkt's own stage1).
 */
#ifndef GUEST_CGROUP_H
#define GUEST_CGROUP_H

#include "base/err.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* Makes <mount>/<name>; the descriptor of its directory, or -1. */
int cgroup_make(const char *name, struct err *err);
/* Moves the calling process into it. */
int cgroup_enter(int cgroup, struct err *err);
/* SIGKILL to all of it. A negative descriptor is nothing. */
void cgroup_kill(int cgroup);
/* Removes an empty one, best effort: it costs a little kernel memory, nothing else. */
void cgroup_remove(const char *name);

#endif
