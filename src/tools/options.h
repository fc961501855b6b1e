/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long without its own printing: a wrong option is an error like any other. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <getopt.h>

#include "base/err.h"

#define OPTION_END 1

/*
 * The next option's id (> 1), OPTION_END at the first word that is none (optind tells where), or
 * -1. Set optind = 0 before the first call. Long options; one whose id is a letter by that, too ("-h").
 */
int option_next(int argc, char **argv, const struct option *options, struct err *err);

/* The option's name, for messages. */
const char *option_name(const struct option *options, int id);

#endif
