/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a pod directory, shared by `xenpod rm` and `xenpod gc` (contract 6). */
#ifndef TOOLS_POD_REMOVE_H
#define TOOLS_POD_REMOVE_H

#include "tools/datadir.h"

/*
 * Moves a pod that is over out of the way, holding its lock: run/ to exited-garbage/, what never
 * ran to garbage/. ERR_STATE when it is still in use.
 */
int pod_retire(const struct datadir *d, struct pod *p, struct err *err);

/*
 * Removes a retired pod: its stage1's gc (with the stage1 overlay mounted for that where it is
 * not), then all mounts below it, then the directory. When gc fails the pod stays in
 * exited-garbage, to be tried again, unless `force`: then that is a warning.
 */
int pod_remove(const struct datadir *d, struct pod *p, bool force, struct err *err);

#endif
