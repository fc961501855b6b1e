/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a command's first word means: contract 3.2, "exec[]" (rkt's FindBinPath). */
#ifndef GUEST_LOOKUP_H
#define GUEST_LOOKUP_H

#include "base/err.h"

/* The value of NAME in "NAME=value" strings, or NULL. */
const char *lookup_env(char *const *env, const char *name);

/*
 * Absolute: as it is. With a slash: below `cwd`. Bare: searched in PATH of `env`, else in `cwd`,
 * /bin and /usr/bin; relative elements of PATH are below `cwd`. The path is as seen from inside
 * `root` and keeps a final symbolic link (busybox looks at its name). Caller frees *ret.
 */
int lookup_exec(
	int root, const char *cwd, const char *file, char *const *env, char **ret, struct err *err);

#endif
