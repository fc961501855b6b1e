/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "tools/options.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

const char *option_name(const struct option *options, int id)
{
	for (; options->name; options++)
		if (options->val == id)
			return options->name;
	return "?";
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, size_t na, const char *b)
{
	size_t nb = strlen(b);
	_cleanup_free_ size_t *row = xcalloc(nb + 1, sizeof(*row));
	for (size_t k = 0; k <= nb; k++)
		row[k] = k;
	for (size_t i = 0; i < na; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t k = 0; k < nb; k++) {
			size_t old = row[k + 1];
			row[k + 1] = min3(row[k] + 1, old + 1, diagonal + (a[i] != b[k]));
			diagonal = old;
		}
	}
	return row[nb];
}

/* What may have been meant; NULL when nothing is near. */
static const char *nearest(const struct option *options, const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return NULL;
	word += 2;
	size_t len = strcspn(word, "=");
	size_t best = len / 3 + 1;
	const char *name = NULL;
	for (; options->name; options++) {
		size_t d = distance(word, len, options->name);
		if (d < best) {
			best = d;
			name = options->name;
		}
	}
	return name;
}

static int unknown(const struct option *options, const char *word, struct err *err)
{
	const char *near = nearest(options, word);
	if (near)
		return err_set(err, ERR_INVALID,
			"option %s is not known here, --%s is (see --help)", word, near);
	return err_set(err, ERR_INVALID, "option %s is not known here (see --help)", word);
}

/* "+:h" and the letters of others: an option whose id is a letter can be given by it. */
static void short_options(const struct option *options, char ret[64])
{
	char *p = stpcpy(ret, "+:");
	bool seen[128] = {false};
	for (; options->name && p < ret + 60; options++) {
		if (options->val >= 128 || !isalnum(options->val) || seen[options->val])
			continue;
		seen[options->val] = true;
		*p++ = (char)options->val;
		if (options->has_arg == required_argument)
			*p++ = ':';
	}
	*p = '\0';
}

int option_next(int argc, char **argv, const struct option *options, struct err *err)
{
	opterr = 0;
	int at = optind ? optind : 1;
	char letters[64];
	short_options(options, letters);
	int id = getopt_long(argc, argv, letters, options, NULL);
	if (id == -1)
		return OPTION_END;
	if (id == ':')
		return err_set(err, ERR_INVALID, "option %s needs a value", argv[at]);
	if (id == '?')
		return unknown(options, argv[at], err);
	return id;
}
