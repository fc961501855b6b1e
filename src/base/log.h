/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging through one replaceable sink, so that static programs need no libsystemd and tests can
 * capture. A function is a logging or a non-logging one (docs/HACKING.md): base, fsm, store, proto
 * and appc never log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

/* syslog's numbers, so that sinks need no table. */
enum log_level { LOG_LVL_ERR = 3, LOG_LVL_WARNING, LOG_LVL_NOTICE, LOG_LVL_INFO, LOG_LVL_DEBUG };

/* One structured field beside the message; `value` may be NULL: the field is left out. */
struct log_field {
	const char *name; /* journal field name, upper case */
	const char *value;
};

typedef void (*log_sink_fn)(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n);

/* Default: stderr_sink. Not thread-safe: set once at start. */
void log_set_sink(log_sink_fn sink);
/* Messages above this level are dropped; default LOG_LVL_INFO. */
void log_set_max(enum log_level max);
/* What stderr lines begin with, default "xenpod"; kept, not copied. rkt greps "stage1: ". */
void log_set_prefix(const char *prefix);

void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_fields(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

#define log_err(...)     log_msg(LOG_LVL_ERR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_LVL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_msg(LOG_LVL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_msg(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...)   log_msg(LOG_LVL_DEBUG, __VA_ARGS__)

/* "prefix: message\n" in one write(2), so lines of several processes do not mix. */
void log_stderr_sink(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n);

#endif
