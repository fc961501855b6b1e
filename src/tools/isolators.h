/* SPDX-License-Identifier: Apache-2.0 */
/* Isolators that `xenpod run`'s options set, in the order in which rkt's stage0 adds them. */
#ifndef TOOLS_ISOLATORS_H
#define TOOLS_ISOLATORS_H

#include <jansson.h>

#include "base/err.h"

enum isolator {
	ISOLATOR_MEMORY,
	ISOLATOR_CPU,
	ISOLATOR_CPU_SHARES,
	ISOLATOR_OOM_SCORE_ADJ,
	ISOLATOR_CAPS_RETAIN,
	ISOLATOR_CAPS_REMOVE,
	ISOLATOR_SECCOMP,
	ISOLATOR_MAX_
};

/* Reads an option's value: {name, value} as manifests have it. ERR_INVALID names both. */
int isolator_parse(enum isolator which, const char *text, json_t **ret, struct err *err);

/*
 * The image's isolators (NULL: none) and then those given (`given[ISOLATOR_MAX_]`, NULL where there
 * is none), as an array of the caller's. Memory and cpu are appended and win by being last; of the
 * others the image's go first, because a retain set beside a remove set is an error (contract 3.4).
 */
json_t *isolators_merge(const json_t *image, json_t *const *given);

#endif
