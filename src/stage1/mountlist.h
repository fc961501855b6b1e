/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an app mounts, and where (contract 3.3): the pod's mounts first, then the mount points that
 * they leave uncovered. Made of the manifests alone; nothing of the host is looked at.
 */
#ifndef STAGE1_MOUNTLIST_H
#define STAGE1_MOUNTLIST_H

#include "appc/volume.h"
#include "base/err.h"
#include "stage1/poddir.h"

struct mount_entry {
	const struct appc_volume *volume; /* the manifests', or `made` */
	const char *path;                 /* the manifests' */
	bool read_only;
	/* The mount point had no volume: an empty one of its own name was made for it. */
	bool implicit;
	struct appc_volume made;
};

/* {0} is valid and empty. Borrows from the manifests. */
struct mountlist {
	struct mount_entry *v;
	size_t n;
};

/* A mount of a volume that is not there is ERR_INVALID. */
int mountlist_make(const struct appc_volumes *volumes, const struct poddir_app *a,
	struct mountlist *ret, struct err *err);
void mountlist_done(struct mountlist *l);

#endif
