/* SPDX-License-Identifier: Apache-2.0 */
/* What `stop` and `rm` have in common: --dir, --force, UUIDs, one after the other. */
#ifndef TOOLS_POD_VERB_H
#define TOOLS_POD_VERB_H

#include "tools/datadir.h"

struct pod_verb {
	const char *name;
	const char *doing; /* "stopping" */
	void (*help)(void);
	/* Prints what it did; -1 with err set. The others are tried all the same. */
	int (*each)(const struct datadir *d, struct pod *p, bool force, struct err *err);
};

/* 0, or 254 when anything failed. */
int pod_verb_run(const struct pod_verb *verb, int argc, char **argv);

#endif
