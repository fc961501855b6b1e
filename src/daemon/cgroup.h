/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pods' cgroups live. */
#ifndef DAEMON_CGROUP_H
#define DAEMON_CGROUP_H

/*
 * The directory below which each pod gets "pod-<uuid>": our own cgroup when systemd delegated it
 * (unit with Delegate=yes), else <cgroup2 mount>/xenpod.slice. `wanted`: from the command line; ""
 * means none. NULL when there is no cgroup2: pods are then not bounded and not killed as a whole.
 * Caller frees.
 */
char *cgroup_root(const char *wanted);

#endif
