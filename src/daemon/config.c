/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: see config.h. */
#include "daemon/config.h"

#include <errno.h>
#include <glob.h>
#include <ini.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static void set_defaults(struct config *c)
{
#define X(section, key, least, most, dflt, again, help) c->key = (dflt);
	CONFIG_NUMBERS(X)
#undef X
#define X(section, key, dflt, again, help) c->key = xstrdup(dflt);
	CONFIG_TEXTS(X)
#undef X
}

void config_done(struct config *c)
{
#define X(section, key, dflt, again, help) free(c->key);
	CONFIG_TEXTS(X)
#undef X
	*c = (struct config){0};
}

void config_none(struct config *given)
{
	*given = (struct config){0};
#define X(section, key, least, most, dflt, again, help) given->key = -1;
	CONFIG_NUMBERS(X)
#undef X
}

void config_override(struct config *c, const struct config *given)
{
#define X(section, key, least, most, dflt, again, help)                                            \
	if (given->key >= 0)                                                                       \
		c->key = given->key;
	CONFIG_NUMBERS(X)
#undef X
#define X(section, key, dflt, again, help)                                                         \
	if (given->key) {                                                                          \
		free(c->key);                                                                      \
		c->key = xstrdup(given->key);                                                      \
	}
	CONFIG_TEXTS(X)
#undef X
}

/* ---- one line ------------------------------------------------------------------------------------- */

struct reading {
	struct config *c;
	struct err wrong; /* the first one */
};

/* 0 tells the parser that the line is wrong. */
static int take_number(struct reading *r, const char *key, const char *text, int64_t least,
	int64_t most, int64_t *ret)
{
	char *end = NULL;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (*text && !*end && errno == 0 && n >= least && n <= most) {
		*ret = n;
		return 1;
	}
	if (!r->wrong.msg)
		err_set(&r->wrong, ERR_INVALID,
			"%s wants a number from %" PRId64 " to %" PRId64 ", not \"%s\"", key, least,
			most, text);
	return 0;
}

static int take(void *ctx, const char *section, const char *name, const char *value)
{
	struct reading *r = ctx;
#define X(sec, key, least, most, dflt, again, help)                                                \
	if (!strcmp(section, #sec) && !strcmp(name, #key))                                         \
		return take_number(r, #key, value, least, most, &r->c->key);
	CONFIG_NUMBERS(X)
#undef X
#define X(sec, key, dflt, again, help)                                                             \
	if (!strcmp(section, #sec) && !strcmp(name, #key)) {                                       \
		free(r->c->key);                                                                   \
		r->c->key = xstrdup(value);                                                        \
		return 1;                                                                          \
	}
	CONFIG_TEXTS(X)
#undef X
	if (!r->wrong.msg)
		err_set(&r->wrong, ERR_INVALID,
			"there is no setting \"%s\" in [%s]; xenpodd --check-config shows all of "
			"them",
			name, section);
	return 0;
}

/* ---- files ---------------------------------------------------------------------------------------- */

static int read_one(struct config *c, const char *path, struct err *err)
{
	struct reading r = {.c = c};
	FILE *f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? 0 : err_sys(err, "%s", path);
	int line = ini_parse_file(f, take, &r);
	bool failed = ferror(f);
	(void)fclose(f);
	if (failed)
		err_set(err, ERR_SYSTEM, "%s cannot be read", path);
	else if (line > 0)
		err_set(err, ERR_INVALID, "%s:%d: %s", path, line,
			r.wrong.msg ? err_msg(&r.wrong)
				    : "this is neither [SECTION] nor KEY=VALUE");
	err_done(&r.wrong);
	return failed || line > 0 ? -1 : 0;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int by_base(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;
	return strcmp(base(*x), base(*y));
}

/* The administrator's file hides one of the same name. */
static bool is_hidden(const char *path, const char *own_dir)
{
	_cleanup_free_ char *other = xasprintf("%s/%s", own_dir, base(path));
	return strcmp(path, other) != 0 && access(other, F_OK) == 0;
}

static int read_drop_ins(
	struct config *c, const char *file, const char *vendor_dir, struct err *err)
{
	_cleanup_free_ char *own_dir = xasprintf("%s.d", file);
	_cleanup_free_ char *own = xasprintf("%s/*.conf", own_dir);
	_cleanup_free_ char *vendor = xasprintf("%s/xenpod.conf.d/*.conf", vendor_dir);
	glob_t found = {0};
	int r = 0;
	int rc = glob(vendor, 0, NULL, &found);
	if (rc == 0 || rc == GLOB_NOMATCH)
		rc = glob(own, rc == 0 ? GLOB_APPEND : 0, NULL, &found);
	if (rc != 0 && rc != GLOB_NOMATCH)
		r = err_set(err, ERR_SYSTEM, "drop-ins of %s cannot be listed", file);
	if (found.gl_pathc)
		qsort(found.gl_pathv, found.gl_pathc, sizeof found.gl_pathv[0], by_base);
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		if (!is_hidden(found.gl_pathv[i], own_dir))
			r = read_one(c, found.gl_pathv[i], err);
	globfree(&found);
	return r;
}

int config_read(const char *file, const char *vendor_dir, struct config *ret, struct err *err)
{
	*ret = (struct config){0};
	set_defaults(ret);
	if (read_one(ret, file, err) == 0 && read_drop_ins(ret, file, vendor_dir, err) == 0)
		return 0;
	config_done(ret);
	return -1;
}

/* ---- for people ----------------------------------------------------------------------------------- */

void config_print(FILE *to, const struct config *c)
{
	const char *last = "";
#define HEAD(sec)                                                                                  \
	if (strcmp(last, #sec) != 0)                                                               \
		fprintf(to, "%s[%s]\n", *last ? "\n" : "", #sec);                                  \
	last = #sec;
#define X(sec, key, least, most, dflt, again, help)                                                \
	HEAD(sec)                                                                                  \
	fprintf(to, "# %s%s\n" #key "=%" PRId64 "\n", help, (again) ? "" : " (needs a restart)",   \
		c->key);
	CONFIG_NUMBERS(X)
#undef X
#define X(sec, key, dflt, again, help)                                                             \
	HEAD(sec)                                                                                  \
	fprintf(to, "# %s%s\n" #key "=%s\n", help, (again) ? "" : " (needs a restart)", c->key);
	CONFIG_TEXTS(X)
#undef X
#undef HEAD
}

const char *config_needs_restart(const struct config *old, const struct config *now)
{
#define X(sec, key, least, most, dflt, again, help)                                                \
	if (!(again) && old->key != now->key)                                                      \
		return #key;
	CONFIG_NUMBERS(X)
#undef X
#define X(sec, key, dflt, again, help)                                                             \
	if (!(again) && strcmp(old->key, now->key) != 0)                                           \
		return #key;
	CONFIG_TEXTS(X)
#undef X
	return NULL;
}
