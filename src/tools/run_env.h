/* SPDX-License-Identifier: Apache-2.0 */
/* Where variables come from besides --set-env: files and the caller's own environment. */
#ifndef TOOLS_RUN_ENV_H
#define TOOLS_RUN_ENV_H

#include <jansson.h>

#include "base/err.h"
#include "tools/words.h"

#define ENV_FILE_MAX 1048576

/*
 * Reads --set-env-file's files into *ret, an object of name -> value, the caller's: lines
 * NAME=VALUE, empty ones and those that begin with "#" or ";" are passed over; a name twice, in one
 * file or two, is an error as in rkt.
 */
int run_env_files(const struct words *files, json_t **ret, struct err *err);

/* `environ` as such an object. What no manifest can hold (names of shell functions, bytes that are
 * not UTF-8) is left out, with a line in the log. */
json_t *run_env_inherited(char *const *environment);

#endif
