/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage0's work: makes a pod directory that a stage1's `run` can be executed in, in the order and
 * with the files of contract 2.1 and 6. All or nothing: what fails leaves no pod, no mount.
 */
#ifndef TOOLS_PREPARE_H
#define TOOLS_PREPARE_H

#include "tools/image.h"
#include "tools/run_args.h"

struct prepared {
	struct pod pod; /* in run/, locked by pod.fd */
	char *path;     /* absolute path of the pod directory */
	bool overlay;
};

/* `interrupted` is asked between steps: non-zero ends the work with ERR_STATE. */
int prepare_pod(const struct datadir *d, const struct run_args *args, int (*interrupted)(void),
	struct prepared *ret, struct err *err);

/* Takes a prepared pod away again: mounts, directory. Says in err what it could not. */
int prepare_undo(const struct datadir *d, struct prepared *p, struct err *err);
void prepared_done(struct prepared *p);

#endif
