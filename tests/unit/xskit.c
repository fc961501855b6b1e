/* SPDX-License-Identifier: Apache-2.0 */
/* A xenstore of one domain: see xskit.h. */
#include "xskit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "base/alloc.h"

bool xskit_told;

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	return xmalloc(1);
}

void xs_close(struct xs_handle *xs)
{
	free(xs);
}

bool xs_watch(struct xs_handle *xs, const char *path, const char *token)
{
	(void)token;
	return xs && path;
}

int xs_fileno(struct xs_handle *xs)
{
	(void)xs;
	return -1;
}

char **xs_check_watch(struct xs_handle *xs)
{
	(void)xs;
	if (xskit_told)
		return NULL;
	xskit_told = true;
	return xmalloc(sizeof(char *));
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path, unsigned *len)
{
	(void)xs;
	(void)t;
	char *value = xstrdup(strstr(path, "/next") ? "0" : "/vm/" XSKIT_UUID);
	*len = (unsigned)strlen(value);
	return value;
}

xentoollog_logger_stdiostream *xtl_createlogger_stdiostream(
	FILE *f, xentoollog_level level, unsigned flags)
{
	(void)f;
	(void)level;
	(void)flags;
	return NULL;
}

void xtl_logger_destroy(struct xentoollog_logger *logger)
{
	(void)logger;
}
