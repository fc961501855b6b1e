/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of `xenpod run`'s options that are more than a text, made into what a pod manifest holds
 * (contract 3.1 to 3.3). Errors are ERR_INVALID and name option and value. Nothing is looked up.
 */
#ifndef TOOLS_VALUES_H
#define TOOLS_VALUES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* As Go reads it: 1 t T TRUE true True, 0 f F ...; NULL (the option alone) is true. */
int value_bool(const char *option, const char *text, bool *ret, struct err *err);

/* NAME,kind=host,source=PATH[,readOnly=B][,recursive=B] or NAME,kind=empty[,mode=M][,uid=N][,gid=N]
 */
int value_volume(const char *text, json_t **ret, struct err *err);
/* volume=NAME,target=PATH */
int value_mount(const char *text, json_t **ret, struct err *err);
/* "1024,2048" as an array of numbers. */
int value_gids(const char *text, json_t **ret, struct err *err);
/* NAME=VALUE into *object, which is made when it is NULL; the last one of a name wins. */
int value_pair(const char *option, const char *text, json_t **object, struct err *err);
/* What sethostname(2) and a hosts file can take. */
int value_hostname(const char *text, struct err *err);

/* What --insecure-options takes away in the pod; the names that mean fetching images set nothing.
 */
enum insecure {
	INSECURE_CAPABILITIES = 1,
	INSECURE_PATHS = 2,
	INSECURE_SECCOMP = 4,
	INSECURE_ALL_RUN = 7,
};
int value_insecure(const char *text, unsigned *flags, struct err *err);

/* The path without empty, "." and ".." parts, as Go's path.Clean does it; caller frees. */
char *value_path_clean(const char *path);

/*
 * Arrays of mounts, `own` before `all`: of several for one path the first stays (rkt's
 * MergeMounts). Either may be NULL; the result is an array of the caller's.
 */
json_t *value_mounts_merge(const json_t *own, const json_t *all);

#endif
