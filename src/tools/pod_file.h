/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pod manifest that the user has written (--pod-manifest): kept byte for byte, as rkt does
 * (contract 3.1), and the images that its apps name.
 */
#ifndef TOOLS_POD_FILE_H
#define TOOLS_POD_FILE_H

#include "appc/pod.h"
#include "tools/image.h"
#include "tools/run_args.h"

struct pod_file {
	char *text;
	size_t len;
	struct appc_pod pod;
};
void pod_file_done(struct pod_file *f);

/* Reads and checks the file; a manifest without apps is refused. */
int pod_file_read(const char *path, struct pod_file *ret, struct err *err);

/*
 * The image of each app into ret[f->pod.napps], which is zeroed: the one with the app's image id
 * among all that are unpacked, those given on the command line included; an app without an id gets
 * the given one of its image's name. An image that was given and that no app has is refused.
 */
int pod_file_images(const struct pod_file *f, const struct datadir *d, const struct run_args *args,
	struct image *ret, struct err *err);

#endif
