/* SPDX-License-Identifier: Apache-2.0 */
/* See duration.h. */
#include "tools/duration.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const struct {
	const char *name;
	double ns;
} units[] = {{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}};

static size_t unit_of(const char *p, double *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].name);
		if (!strncmp(p, units[i].name, n)) {
			*ret = units[i].ns;
			return n;
		}
	}
	return 0;
}

int duration_parse(const char *text, int64_t *ret_ns, struct err *err)
{
	double total = 0;
	const char *p = text;
	if (!strcmp(text, "0")) {
		*ret_ns = 0;
		return 0;
	}
	do {
		size_t digits = strspn(p, "0123456789.");
		double unit = 0;
		char *end = NULL;
		double v = isdigit((unsigned char)*p) ? strtod(p, &end) : 0;
		size_t n = end == p + digits ? unit_of(end, &unit) : 0;
		total += v * unit;
		if (!n || total > 9e18)
			return err_set(err, ERR_INVALID,
				"\"%s\" is no duration (30m, 1h30m, 10s, 0)", text);
		p = end + n;
	} while (*p);
	*ret_ns = (int64_t)total;
	return 0;
}

int duration_option(const char *option, const char *text, int64_t *ret_ms, struct err *err)
{
	bool plain = text[strspn(text, "0123456789.")] == '\0';
	_cleanup_free_ char *value = xasprintf("%s%s", text, plain ? "s" : "");
	int64_t ns;
	if (duration_parse(value, &ns, NULL) < 0)
		return err_set(err, ERR_INVALID,
			"--%s=%s: seconds are wanted (30, 0.5), or a duration (10m)", option, text);
	*ret_ms = ns / 1000000;
	return 0;
}

bool duration_over(int64_t since, int64_t now, int64_t least)
{
	return llabs(now - since) >= least;
}
