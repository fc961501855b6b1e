/* SPDX-License-Identifier: Apache-2.0 */
/* Every turn as one structured journal entry. */
#ifndef DAEMON_TRACE_H
#define DAEMON_TRACE_H

#include "daemon/engine.h"

/* sd_id128 of "a pod changed its state" and "an app of a pod changed its state". */
#define MESSAGE_ID_TRANSITION "5a0c6c0ab10f4f0c9d7f3c7be3a1d6f2"
#define MESSAGE_ID_APP        "8b6f0a1de3d44c0e8a0f6f5c2d9e4b17"
/* Of "the supervisor's counters" (metrics.h). */
#define MESSAGE_ID_COUNTERS "c1d0f6b27a5e4b0d9e3e61f0a4b7c852"

void trace_turn(const struct turn_record *t);

#endif
