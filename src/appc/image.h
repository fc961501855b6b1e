/* SPDX-License-Identifier: Apache-2.0 */
/* Image manifests (appc/spec schema/image.go). */
#ifndef APPC_IMAGE_H
#define APPC_IMAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appc/app.h"
#include "base/err.h"

#define APPC_ANNOTATION_DOCKER "appc.io/docker/repository"
#define APPC_RUN_ANNOTATION    "coreos.com/rkt/stage1/run" /* names `run` in a stage1 image */

/* How much is taken of images at most, whoever unpacks or copies: the host's disk is not theirs. */
#define APPC_IMAGE_ENTRIES_MAX 2000000
#define APPC_IMAGE_BYTES_MAX   (INT64_C(64) << 30)

/* {0} is valid and empty. */
struct appc_image {
	json_t *json; /* owned: the whole manifest as read; lenient_get(json, "app") to copy */
	char *name;
	bool has_app;
	struct appc_app app;
	json_t *labels; /* arrays of {name, value}, borrowed from json, may be NULL */
	json_t *annotations;
	json_t *dependencies;   /* NULL when absent or empty */
	json_t *path_whitelist; /* the same */
};

int appc_image_parse(const char *text, size_t len, struct appc_image *ret, struct err *err);
void appc_image_done(struct appc_image *image);

/* Borrowed; NULL when absent. */
const char *appc_image_label(const struct appc_image *image, const char *name);
const char *appc_image_annotation(const struct appc_image *image, const char *name);

#endif
