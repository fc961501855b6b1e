/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a command that has verbs: which verb, its options, and a wrong one told. */
#ifndef HOST_VERBS_H
#define HOST_VERBS_H

#include <getopt.h>

#include "base/err.h"

#define HOST_OPT_FIRST 256

struct host_verb {
	const char *name;
	int (*run)(void *ask, struct err *err); /* the exit status, or -1 with an error */
	const char *takes;                      /* names of options, each between spaces */
};

struct host_verbs {
	const char *command;
	const struct option *options;  /* ids count up from HOST_OPT_FIRST; then "help", 'h' */
	const struct host_verb *verbs; /* ended by {0} */
	void (*help)(void);
	int (*set)(void *ask, int id, struct err *err); /* its value is optarg */
};

/* Reads the words into `ask`, runs the verb, prints its error; returns the exit status. */
int host_verbs_run(const struct host_verbs *c, int argc, char **argv, void *ask);

/* optarg as an absolute path without slashes at its end, which are cut off in place; ERR_INVALID. */
int host_path_option(const char *option, const char **ret, struct err *err);

#endif
