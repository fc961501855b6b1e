/* SPDX-License-Identifier: Apache-2.0 */
/* Between run_args.c, which knows groups and images, and run_options.c, which knows the options. */
#ifndef TOOLS_RUN_OPTIONS_H
#define TOOLS_RUN_OPTIONS_H

#include "tools/options.h"
#include "tools/run_args.h"

struct run_parser {
	struct run_args *a;
	struct run_app early; /* options of apps that came before the first image */
	struct run_app *now;  /* the app that options mean: &early until there is one */
	int app_option;       /* the first that a --pod-manifest does not go with; 0: none */
};

extern const struct option run_options[]; /* "help" is 'h' and not for run_option_take() */

/* Takes one option with its value, NULL where it has none, into the arguments. */
int run_option_take(struct run_parser *p, int id, const char *value, struct err *err);

/* Is a volume of this name given so far? */
bool run_volume_named(const struct run_args *a, const char *name);

#endif
