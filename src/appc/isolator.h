/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Isolators of an app (contract 3.4; appc/spec, "Isolators"), each read into its type. What rkt
 * parses and ignores is ignored here as well: block and network bandwidth, block-iops, the SELinux
 * context, sysctl. A name that is in neither group is refused, as stage0 refuses it.
 */
#ifndef APPC_ISOLATOR_H
#define APPC_ISOLATOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define APPC_ISOLATOR_MEMORY "resource/memory"
#define APPC_ISOLATOR_CPU    "resource/cpu"

enum appc_set_kind { APPC_SET_NONE, APPC_SET_RETAIN, APPC_SET_REMOVE };

/* Texts are borrowed from the isolators that hold the set. */
struct appc_set {
	enum appc_set_kind kind;
	const json_t *names;    /* strings, at least one; NULL: no such isolator */
	const char *error_name; /* seccomp: "EPERM", or "" */
};

/* {0} is valid and empty. */
struct appc_isolators {
	json_t *values;       /* owned: object, name -> value, the last of a name; NULL when none */
	int64_t memory_bytes; /* limit, rounded up; 0: none */
	int64_t cpu_milli;    /* limit in thousandths of a core; 0: none */
	int64_t cpu_shares;   /* 0: not given */
	int64_t oom_score_adj;
	bool no_new_privileges;
	struct appc_set caps;
	struct appc_set seccomp;
};

/* `app` is the object that has "isolators". ERR_INVALID names the isolator. */
int appc_isolators_parse(const json_t *app, struct appc_isolators *ret, struct err *err);
void appc_isolators_done(struct appc_isolators *isolators);

#endif
