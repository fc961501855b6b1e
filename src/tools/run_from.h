/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod run --from=FILE`: the words of the command line, one a line, as xenpod@.service has them in
 * /etc/xenpod/pods. Spaces around a line do not count, nor do empty lines and those that begin with #;
 * within a line nothing is special.
 */
#ifndef TOOLS_RUN_FROM_H
#define TOOLS_RUN_FROM_H

#include "base/err.h"

struct run_from {
	char *text;  /* the file, cut into its lines */
	char **argv; /* the command line with the file's in place of --from=; NULL ends them */
	int argc;
};

/*
 * Only options, each in one word, may stand before --from=: the file may end with an app's arguments, behind
 * which xenpod@.service could say nothing more. Where the command line has none `ret` is that command line.
 */
int run_from_expand(int argc, char **argv, struct run_from *ret, struct err *err);
void run_from_done(struct run_from *f);

#endif
