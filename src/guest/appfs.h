/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of what an app sees as its file systems, made from exports and the spec. */
#ifndef GUEST_APPFS_H
#define GUEST_APPFS_H

#include "base/err.h"
#include "guest/podspec.h"
#include "guest/volumes.h"

/* Where the guest keeps things, and how it gets at an export: tests have places of their own. */
struct appfs {
	const char *apps;   /* roots: <apps>/<app>/rootfs */
	const char *files;  /* below a tmpfs: texts of the spec's files */
	const char *hidden; /* below a tmpfs: what hides protected paths */
	const char *devpts; /* of the guest, shared by all apps */
	const char *devshm;
	struct volumes volumes; /* its `mount` also serves the apps' roots */
};

/*
 * Mounts one app's root and all that belongs into it; *ret_root is a descriptor of the root. Of the
 * image nothing is changed; what is missing to mount on is made as a directory or an empty file, with
 * a read-only root in a layer of the guest's own. Logs what of contract 3.5 the image does not let us
 * make; a volume or file that cannot be mounted is an error.
 */
int appfs_make(struct appfs *fs, const struct podspec_app *app, int *ret_root, struct err *err);

#endif
