/* SPDX-License-Identifier: Apache-2.0 */
/* The stage1 image of a pod: where it is, its entrypoints and how stage0 calls them (contract 1).
 */
#ifndef TOOLS_STAGE1_H
#define TOOLS_STAGE1_H

#include <stdbool.h>

#include "base/err.h"
#include "tools/datadir.h"
#include "tools/stage1_words.h"

#define STAGE1_ANNOTATION "coreos.com/rkt/stage1/"
#define STAGE1_ENV_PATH   "XENPOD_STAGE1" /* an image to use when no option names one */

/* The installed image: $XENPOD_STAGE1, else lib/xenpod/stage1-xen.aci beside our bin, else the
 * build's. ERR_NOTFOUND says where it was looked for. Caller frees. */
int stage1_default_path(char **ret, struct err *err);

/* Reads POD/stage1/manifest: the entrypoint's path, with its leading slash; caller frees. */
int stage1_entrypoint(const struct pod *p, const char *name, char **ret, struct err *err);
/* coreos.com/rkt/stage1/interface-version; 1 when it is absent. */
int stage1_interface_version(const struct pod *p, int *ret, struct err *err);
/* The pod's stage1TreeStoreID; caller frees. */
int stage1_tree_id(const struct pod *p, char **ret, struct err *err);

/*
 * The program to execute for an entrypoint, absolute: in the pod's own stage1 when it is there in
 * this mount namespace, else the tree store's copy. Caller frees.
 */
int stage1_program(const struct datadir *d, const struct pod *p, const char *name, char **ret,
	struct err *err);

/*
 * Runs an entrypoint as stage0 does for `stop` and `gc`: a child, cwd POD, stdin from /dev/null.
 * `args` follow argv[0], NULL-terminated. `quiet`: stdout to /dev/null as well.
 */
int stage1_call(const struct datadir *d, const struct pod *p, const char *name, char *const *args,
	bool quiet, struct stage1_end *ret, struct err *err);

#endif
