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
#include "tools/nearest.h"

const char *option_name(const struct option *options, int id)
{
	for (; options->name; options++)
		if (options->val == id)
			return options->name;
	return "?";
}

/* What may have been meant; NULL when nothing is near. */
static const char *nearest(const struct option *options, const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return NULL;
	word += 2;
	_cleanup_free_ char *name = xstrndup(word, strcspn(word, "="));
	struct nearest n = {.word = name};
	for (; options->name; options++)
		nearest_offer(&n, options->name);
	return n.found;
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
