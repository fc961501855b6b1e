/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empty volumes: directories in the pod directory, which go with it (contract 2.2, 3.3). All apps
 * of a pod share them.
 */
#ifndef STAGE1_SHARED_H
#define STAGE1_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/mountlist.h"
#include "stage1/poddir.h"

#define SHARED_DIR "sharedVolumes"

/* What was made now, and not there before. {0} is valid: nothing. */
struct shared {
	bool dir;      /* <pod>/sharedVolumes itself */
	char **volume; /* names of those in it */
	size_t n;
};

/*
 * Makes <pod>/sharedVolumes and in it the empty volumes of the lists, one list for each app; *ret is
 * the directory's descriptor. Says what of an image could not be copied into one. *made holds what is
 * there of it now, also after an error.
 */
int shared_make(int pod, const struct poddir *d, const struct mountlist *lists, struct shared *made,
	int *ret, struct err *err);

/* The pod was refused: removes what was made for it, with all that is in it. Says what stays. */
void shared_undo(int pod, struct shared *made);
void shared_done(struct shared *made);

#endif
