/* SPDX-License-Identifier: Apache-2.0 */
/* Files that the spec brings along: hosts, resolv.conf and the like (contract 3.5). */
#ifndef GUEST_APPFILES_H
#define GUEST_APPFILES_H

#include "base/err.h"
#include "guest/podspec.h"

/*
 * Mounts app->files over what is in the app's root, after the volumes. Their text is kept below
 * `dir`, which no app sees: nothing but an empty file where there was none goes into the image.
 */
int appfiles_mount(const char *dir, const struct podspec_app *app, int root, struct err *err);

#endif
