/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an app's three streams are made (contract 3.6): the annotations of the pod's apps and
 * `run --interactive`, which rules over them, become the spec's tty, rows, cols, stdin, stdout,
 * stderr.
 */
#ifndef STAGE1_STDIO_H
#define STAGE1_STDIO_H

#include <jansson.h>

#include "base/err.h"
#include "stage1/options.h"
#include "stage1/poddir.h"

/* Refuses the modes that need attach, and an interactive pod of several apps. */
int stdio_judge(const struct poddir *d, const struct run_options *o, struct err *err);

/* Sets the members of `app`; an app with a terminal is also told which kind it is (TERM)
 * and how large ours is now. */
void stdio_set(json_t *app, const struct poddir_app *a, const struct run_options *o);

#endif
