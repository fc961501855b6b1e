/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A xenstore without Xen, as a client of a pod's ring sees it: each domain is the pod XSKIT_UUID and
 * offers ring 0. With ringkit.c a session of stage1 binds it in its first turn.
 */
#ifndef UNIT_XSKIT_H
#define UNIT_XSKIT_H

#include <stdbool.h>

#define XSKIT_UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

/* The one event has come, which makes a session look; false lets it come again. */
extern bool xskit_told;

#endif
