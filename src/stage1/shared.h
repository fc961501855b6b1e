/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empty volumes: directories in the pod directory, which go with it (contract 2.2, 3.3). All apps
 * of a pod share them.
 */
#ifndef STAGE1_SHARED_H
#define STAGE1_SHARED_H

#include "base/err.h"
#include "stage1/mountlist.h"
#include "stage1/poddir.h"

#define SHARED_DIR "sharedVolumes"

/*
 * Makes <pod>/sharedVolumes and in it the empty volumes of the lists, one list for each app; *ret is
 * the directory's descriptor. Says what of an image could not be copied into one.
 */
int shared_make(
	int pod, const struct poddir *d, const struct mountlist *lists, int *ret, struct err *err);

#endif
