/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the nodes that a guest may write (gstate.h) and what a watch event's path means for
 * them. A node is a bit: 0 is "pod", 1 + i is "app/i". Everything here meets the guest's own bytes,
 * so it is pure, bounded and tested by itself.
 */
#ifndef WATCH_GUESTNODE_H
#define WATCH_GUESTNODE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/gstate.h"
#include "proto/spec.h"

#define GUESTNODE_MAX      (1 + SPEC_MAX_APPS)
#define GUESTNODE_KEY_SIZE 16

/* All nodes of a pod of `apps` apps. */
uint64_t guestnode_all(unsigned apps);
/* "pod" or "app/<i>". */
void guestnode_key(unsigned node, char buf[GUESTNODE_KEY_SIZE]);
/*
 * Which nodes a change of `path` may have changed. `base` is "/local/domain/<id>/data/xenpod"; a
 * change of it or above it (a removed directory) means all of them, a name that nobody expects
 * means none.
 */
uint64_t guestnode_changed(const char *base, const char *path, unsigned apps);
/* At most GSTATE_VALUE_MAX bytes of `value` as printable ASCII, others as "?"; NUL-terminated. */
void guestnode_clean(const char *value, size_t len, char buf[GSTATE_VALUE_MAX + 1]);

#endif
