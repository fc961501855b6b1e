/* SPDX-License-Identifier: Apache-2.0 */
/* Every turn as one structured journal entry: what people wait for in words, steps as they are. */
#ifndef DAEMON_TRACE_H
#define DAEMON_TRACE_H

#include "daemon/engine.h"

void trace_turn(const struct turn_record *t);

#endif
