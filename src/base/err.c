/* SPDX-License-Identifier: Apache-2.0 */
/* The error object: see err.h. Pure bookkeeping, no output. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The analyzer's shorthands for callers (err.h) are not for their own definitions. */
#undef err_set
#undef err_sys
#undef err_wrap

static const char *const code_names[] = {
#define X(id, name) [ERR_##id] = name,
	ERR_CODES(X)
#undef X
};

void err_done(struct err *err)
{
	free(err->msg);
	*err = (struct err){0};
}

/* Bytes of the character that begins here, 0: none that Unicode has (RFC 3629, section 4). */
static size_t utf8_size(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) /* the end of the text is none, either */
			return 0;
	}
	/* Overlong, a surrogate, beyond U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void make_utf8(char *text)
{
	for (char *p = text; *p;) {
		size_t n = utf8_size((const unsigned char *)p);
		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
}

static void replace(struct err *err, enum err_code code, char *msg)
{
	make_utf8(msg);
	free(err->msg);
	err->code = code;
	err->msg = msg;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	if (!err)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	char *msg = xvasprintf(fmt, ap);
	va_end(ap);
	replace(err, code, msg);
	return -1;
}

static enum err_code code_from_errno(int e)
{
	switch (e) {
	case ENOENT:
	case ESRCH:
		return ERR_NOTFOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EPERM:
	case EACCES:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
		return ERR_FULL;
	case ECONNREFUSED:
		return ERR_UNAVAILABLE;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	default:
		return ERR_SYSTEM;
	}
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	if (!err)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	char *what = xvasprintf(fmt, ap);
	va_end(ap);
	replace(err, code_from_errno(saved), xasprintf("%s: %s", what, strerror(saved)));
	free(what);
	errno = saved;
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	if (!err)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	char *what = xvasprintf(fmt, ap);
	va_end(ap);
	char *msg = err->msg ? xasprintf("%s: %s", what, err->msg) : xstrdup(what);
	enum err_code code = err->code == ERR_OK ? ERR_SYSTEM : err->code;
	free(what);
	replace(err, code, msg);
	return -1;
}

const char *err_msg(const struct err *err)
{
	return err->msg ? err->msg : "no error";
}

void err_move(struct err *to, struct err *from)
{
	if (!to) {
		err_done(from);
		return;
	}
	err_done(to);
	*to = *from;
	*from = (struct err){0};
}

const char *err_code_name(enum err_code code)
{
	return (unsigned)code < ERR_MAX_ ? code_names[code] : "System";
}

enum err_code err_code_from_name(const char *name)
{
	for (int i = 0; i < ERR_MAX_; i++)
		if (!strcmp(code_names[i], name))
			return (enum err_code)i;
	return ERR_SYSTEM;
}
