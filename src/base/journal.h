/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journald's native protocol, spoken ourselves: one datagram per entry, never blocking. libsystemd's
 * sd_journal_send() waits when journald is behind, and it has no static form; neither the
 * supervisor's loop nor a hook may do that. Protocol: systemd's docs/JOURNAL_NATIVE_PROTOCOL.
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define JOURNAL_SOCKET        "/run/systemd/journal/socket"
#define JOURNAL_STREAM_SOCKET "/run/systemd/journal/stdout"

/* A field of an entry; any bytes are good as its value. */
struct journal_field {
	const char *name; /* upper case */
	const void *data;
	size_t len;
};

/* A way to the journald that listens at `path`; -1 when there is none. Caller closes. */
int journal_connect(const char *path);
/* False: journald was too slow to take it, or is not there at the moment. */
bool journal_send(int fd, const char *path, const struct journal_field *fields, size_t n);

/*
 * A stream whose lines become entries, as sd_journal_stream_fd(3) makes one; `identifier` is theirs.
 * -1 when nobody listens at `path`. Caller closes.
 */
int journal_stream(const char *path, const char *identifier);

/*
 * Does what is written to `fd` become entries already? systemd says so to what it starts, with the
 * stream's device and inode in $JOURNAL_STREAM: systemd.exec(5).
 */
bool journal_is_stream(int fd);

/*
 * Makes the journal the sink of base/log.h, as SYSLOG_IDENTIFIER=`identifier` (kept, not copied).
 * False, and nothing changed, when there is no journald on this host.
 */
bool journal_open(const char *identifier);
/* Entries of that sink that journald was too slow to take. */
uint64_t journal_dropped(void);

#endif
