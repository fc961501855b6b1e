/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of a stage1's `run` (contract 1.2): made from a command line, kept in the pod directory for
 * the pod's next lives, and executed.
 */
#ifndef TOOLS_RUN_ARGV_H
#define TOOLS_RUN_ARGV_H

#include "tools/datadir.h"
#include "tools/run_args.h"

#define RUN_ARGV_MAX 16

/* {0} is empty. Without the program in front and the UUID behind. */
struct run_argv {
	char *v[RUN_ARGV_MAX];
	size_t n;
};
void run_argv_done(struct run_argv *a);

int run_argv_make(
	struct run_argv *ret, const struct run_args *args, const struct pod *p, struct err *err);
int run_argv_save(const struct run_argv *a, const struct pod *p, struct err *err);
/* ERR_NOTFOUND: the pod was not run with a restart policy. */
int run_argv_load(struct run_argv *ret, const struct pod *p, struct err *err);

/*
 * Becomes the pod's `run`, with the arguments, environment and descriptors of contract 1.1 and 1.2; p->fd
 * has the lock. Returns only when it failed. `path`: of the pod directory, absolute.
 */
int run_become(const struct pod *p, const char *path, const struct run_argv *a, struct err *err);

#endif
