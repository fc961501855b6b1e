/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `xenpod run`, read into a plain struct; nothing is looked up or changed. */
#ifndef TOOLS_RUN_ARGS_H
#define TOOLS_RUN_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "tools/isolators.h"
#include "tools/run_dns.h"
#include "tools/run_net.h"
#include "tools/words.h"

/* One image and what was said about it. Strings point into argv; JSON is owned, NULL: not said. */
struct run_app {
	const char *image;
	const char *name; /* NULL: from the image's name */
	const char *exec;
	const char *user;
	const char *group;
	const char *cwd;
	bool read_only;
	struct words env; /* "K=V" */
	json_t *gids;     /* array */
	json_t *mounts;   /* array of {volume, path} */
	json_t *isolators[ISOLATOR_MAX_];
	json_t *user_annotations; /* objects of texts */
	json_t *user_labels;
	char **args;
	size_t nargs;
};

struct run_args {
	const char *dir;
	const char *stage1; /* NULL: the installed one */
	const char *uuid;   /* NULL: a new one */
	const char *uuid_file;
	const char *hostname;
	const char *local_config;
	const char *type;    /* NULL, "auto", "pv", "pvh" */
	const char *restart; /* NULL, or as appc/restart.h reads it */
	const char *pod_manifest;
	bool no_overlay;
	bool interactive;
	bool debug;
	bool inherit_env;
	bool help;
	unsigned insecure; /* enum insecure of values.h */
	struct run_dns dns;
	struct run_net net;
	json_t *volumes; /* arrays, NULL when none is given */
	json_t *mounts;  /* for every app */
	struct words env;
	struct words env_files;
	struct run_app *apps;
	size_t napps;

	/* Filled in later, by who runs: objects of name -> value, see run_env.h. */
	json_t *file_env;
	json_t *inherited;
};

/*
 * argv[0] is the verb. Groups are separated by "---"; in a group everything after "--" are
 * arguments of its last image. Options before the first image are the pod's, those of apps then
 * mean the first app; after an image they mean that image. --mount and --set-env before the first
 * image are for every app; --volume is the pod's wherever it stands, as in rkt.
 */
int run_args_parse(int argc, char **argv, struct run_args *ret, struct err *err);
void run_args_done(struct run_args *a);
void run_args_help(void);

#endif
