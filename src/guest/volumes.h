/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: 9p exports that several apps may share, each mounted once, seen in the apps' roots. */
#ifndef GUEST_VOLUMES_H
#define GUEST_VOLUMES_H

#include <stddef.h>

#include "base/err.h"
#include "guest/podspec.h"
#include "proto/spec.h"

/* Mounts the export `tag` on the directory; `flags` as mount(2). */
typedef int volumes_mount_fn(
	const char *tag, const char *dir, unsigned long flags, struct err *err);

/* Set `dir` and `mount`; {0} else. Of the apps that it is used with it keeps their tags' texts. */
struct volumes {
	const char *dir; /* exports are mounted below it, each in a directory named like its tag */
	volumes_mount_fn *mount;
	const char *mounted[SPEC_MAX_TREES]; /* tags; they stay mounted */
	size_t n_mounted;
};

/*
 * All that app->mounts names, in the app's root: what holds another one first. A volume is nosuid
 * and nodev there, and read-only when the spec says so.
 */
int volumes_app(struct volumes *volumes, const struct podspec_app *app, int root, struct err *err);

#endif
