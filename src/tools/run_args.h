/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `xenpod run`, read into a plain struct; nothing is looked up or changed. */
#ifndef TOOLS_RUN_ARGS_H
#define TOOLS_RUN_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* One image and what was said about it. Strings point into argv. */
struct run_app {
	const char *image;
	const char *name; /* NULL: from the image's name */
	const char *exec;
	const char *user;
	const char *group;
	const char *cwd;
	const char *memory;
	const char *cpu;
	bool read_only;
	const char **env; /* "K=V" */
	size_t nenv;
	char **args;
	size_t nargs;
};

struct run_args {
	const char *dir;
	const char *stage1; /* NULL: the installed one */
	const char *uuid;   /* NULL: a new one */
	const char *uuid_file;
	const char *net;
	const char *hostname;
	const char *local_config;
	const char *type; /* NULL, "auto", "pv", "pvh" */
	bool no_overlay;
	bool interactive;
	bool debug;
	bool help;
	const char **env; /* for every app */
	size_t nenv;
	struct run_app *apps;
	size_t napps;
};

/*
 * argv[0] is the verb. Groups are separated by "---"; in a group everything after "--" are
 * arguments of its last image. Options before the first image are the pod's, those of apps then
 * mean the first app; after an image they mean that image.
 */
int run_args_parse(int argc, char **argv, struct run_args *ret, struct err *err);
void run_args_done(struct run_args *a);
void run_args_help(void);

#endif
