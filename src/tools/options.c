/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "tools/options.h"

#include <stddef.h>

const char *option_name(const struct option *options, int id)
{
	for (; options->name; options++)
		if (options->val == id)
			return options->name;
	return "?";
}

int option_next(int argc, char **argv, const struct option *options, struct err *err)
{
	opterr = 0;
	int at = optind ? optind : 1;
	int id = getopt_long(argc, argv, "+:h", options, NULL);
	if (id == -1)
		return OPTION_END;
	if (id == ':')
		return err_set(err, ERR_INVALID, "option %s needs a value", argv[at]);
	if (id == '?')
		return err_set(
			err, ERR_INVALID, "option %s is not known here (see --help)", argv[at]);
	return id;
}
