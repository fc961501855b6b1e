/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log sink that speaks journald's native protocol itself: one datagram per entry, never blocking.
 * libsystemd's sd_journal_send() waits when journald is behind, and it has no static form; neither
 * the supervisor's loop nor a hook may do that. Protocol: systemd's docs/JOURNAL_NATIVE_PROTOCOL.
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

/*
 * Makes the journal the sink of base/log.h, as SYSLOG_IDENTIFIER=`identifier` (kept, not copied).
 * False, and nothing changed, when there is no journald on this host.
 */
bool journal_open(const char *identifier);
/* Entries that journald was too slow to take. */
uint64_t journal_dropped(void);

#endif
