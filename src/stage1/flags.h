/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags as Go's flag package reads them, because stage0 relies on it (contract 1.0): -x is --x,
 * --x=v or --x v, booleans also --x=true|false|1|0|t|f; reading stops at the first argument that
 * is no flag, or behind "--". The last of several wins.
 */
#ifndef STAGE1_FLAGS_H
#define STAGE1_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum flag_kind { FLAG_BOOL, FLAG_TEXT };

struct flag {
	const char *name;
	enum flag_kind kind;
	void *value; /* bool *, or const char ** (borrowed from argv) */
	const char *help;
};

#define FLAGS_HELP 1

/*
 * Reads argv[1..]; *ret_rest is the index of the first argument behind the flags. 0, FLAGS_HELP for
 * -h and --help, or -1: ERR_INVALID names the flag.
 */
int flags_parse(
	const struct flag *flags, size_t n, int argc, char **argv, int *ret_rest, struct err *err);

/* One line per flag, to stdout. */
void flags_print(const struct flag *flags, size_t n);

#endif
