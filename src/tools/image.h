/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: from what the user names (an ACI or an unpacked image directory) to a tree in the data
 * directory, cas/tree/deps-sha512-<hash>/{manifest,rootfs}, unpacked once per content and shared by
 * all pods as the lower layer of their overlays (contract 2.1).
 */
#ifndef TOOLS_IMAGE_H
#define TOOLS_IMAGE_H

#include <stdint.h>

#include "appc/image.h"
#include "tools/archive.h"
#include "tools/datadir.h"

struct image {
	char id[IMAGE_ID_SIZE]; /* "sha512-..." */
	char *tree_id;          /* "deps-sha512-..." */
	struct appc_image manifest;
};
void image_done(struct image *image);
#define _cleanup_image_ __attribute__((cleanup(image_done)))

/*
 * Makes sure that the image's tree is there and reads its manifest. An image that was unpacked
 * before is recognised by inode and times, without reading it. A broken one leaves nothing behind.
 */
int image_get(const struct datadir *d, const char *path, struct image *ret, struct err *err);

/* One that is unpacked, by "sha512-" and 64 hex digits. ERR_NOTFOUND when it is not there. */
int image_by_id(const struct datadir *d, const char *id, struct image *ret, struct err *err);

/* Refuses what cannot be run here: another system or architecture, dependencies, a path whitelist,
 * no "app". */
int image_check_app(const struct image *image, bool has_exec, struct err *err);

/* "cas/tree/<tree_id>", relative to the data directory; caller frees. */
char *image_tree_path(const char *tree_id);

/*
 * Removes trees that no pod refers to and nobody has asked for in the last `grace_s` seconds, and
 * what a killed xenpod left of an unfinished one. Adds their number to *ret.
 */
int image_gc(const struct datadir *d, int64_t grace_s, unsigned *ret, struct err *err);

#endif
