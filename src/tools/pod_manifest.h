/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the pod manifest that stage0 would write (contract 3.1) from images and options. */
#ifndef TOOLS_POD_MANIFEST_H
#define TOOLS_POD_MANIFEST_H

#include <jansson.h>

#include "tools/image.h"
#include "tools/run_args.h"

/*
 * Names for the apps, in order: those given, else made of the images' names; a made name that is
 * taken gets "-2", "-3". ERR_INVALID when two given names are the same or none can be made. The
 * array of args->napps strings is the caller's.
 */
int pod_manifest_names(
	const struct run_args *args, const struct image *images, char ***ret, struct err *err);

/* The manifest, checked by reading it back; caller decrefs. */
int pod_manifest_make(const struct run_args *args, const struct image *images, char *const *names,
	json_t **ret, struct err *err);

#endif
