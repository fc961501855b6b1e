/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod directory that stage0 leaves (contract 2.1), read: the pod manifest with each app's image
 * manifest merged in, and everything refused that the guest could not honour.
 */
#ifndef STAGE1_PODDIR_H
#define STAGE1_PODDIR_H

#include "appc/app.h"
#include "appc/image.h"
#include "appc/pod.h"
#include "base/err.h"

#define PODDIR_S1       "stage1/rootfs"
#define PODDIR_APP_FMT  PODDIR_S1 "/opt/stage2/%s"
#define PODDIR_KERNEL   PODDIR_S1 "/xenpod/vmlinux"
#define PODDIR_RAMDISK  PODDIR_S1 "/xenpod/initrd.cpio"
#define PODDIR_STATUS   PODDIR_S1 "/rkt"
#define PODDIR_ENV_FMT  PODDIR_S1 "/rkt/env/%s"
#define PODDIR_MANIFEST "pod"

/* One app as it will run. */
struct poddir_app {
	const struct appc_pod_app *pod; /* borrowed from the pod */
	const struct appc_app *app;     /* the pod's, else the image's */
	struct appc_image image;
	char **env; /* "K=V", NULL-terminated, merged: what the app gets (contract 3.2) */
};

/* {0} is valid and empty. */
struct poddir {
	struct appc_pod pod;
	struct poddir_app *apps;
	size_t napps;
};

/* Reads below the working directory. */
int poddir_read(struct poddir *ret, struct err *err);
void poddir_done(struct poddir *d);

/* ERR_UNSUPPORTED or ERR_INVALID naming the app and the thing when something cannot be honoured. */
int poddir_judge(const struct poddir *d, struct err *err);

#endif
