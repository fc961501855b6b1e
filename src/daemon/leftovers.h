/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is there of UUIDs that no pod has: network namespaces, cgroups, exports, helper locks. They
 * carry no mark of a store, and another supervisor of this host names its own alike: so they are
 * shown and left alone.
 */
#ifndef DAEMON_LEFTOVERS_H
#define DAEMON_LEFTOVERS_H

#include <jansson.h>

/*
 * [{uuid, kind, path}...] of all UUIDs, pods' too, by name alone; new reference. Reads directories:
 * for the worker's thread. `cgroup_root` may be NULL.
 */
json_t *leftovers_find(const char *netns_dir, const char *run_dir, const char *cgroup_root);

#endif
