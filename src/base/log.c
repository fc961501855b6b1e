/* SPDX-License-Identifier: Apache-2.0 */
/* The log front end and its plain stderr sink; the journal's sink lives in src/daemon. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/progress.h"

static log_sink_fn the_sink = log_stderr_sink;
static enum log_level max_level = LOG_LVL_INFO;
static const char *the_prefix = "xenpod";

void log_set_sink(log_sink_fn sink)
{
	the_sink = sink ? sink : log_stderr_sink;
}

void log_set_max(enum log_level max)
{
	max_level = max;
}

void log_set_prefix(const char *prefix)
{
	the_prefix = prefix;
}

void log_stderr_sink(
	enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	(void)level;
	(void)fields;
	(void)n;
	char *line = xasprintf("%s: %s\n", the_prefix, msg);
	ssize_t put = write(STDERR_FILENO, line, strlen(line));
	(void)put; /* nobody to tell */
	free(line);
}

__attribute__((format(printf, 4, 0))) static void emit(
	enum log_level level, const struct log_field *fields, size_t n, const char *fmt, va_list ap)
{
	int saved = errno;
	char *msg = xvasprintf(fmt, ap);
	progress_pause();
	the_sink(level, msg, fields, n);
	free(msg);
	errno = saved;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	if (level > max_level)
		return;
	va_list ap;
	va_start(ap, fmt);
	emit(level, NULL, 0, fmt, ap);
	va_end(ap);
}

void log_fields(
	enum log_level level, const struct log_field *fields, size_t n, const char *fmt, ...)
{
	if (level > max_level)
		return;
	va_list ap;
	va_start(ap, fmt);
	emit(level, fields, n, fmt, ap);
	va_end(ap);
}
