/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of things below a host's root: names are absolute paths, but for sysctls. */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include "host/plan.h"

/* {"text", "mode"}: a small text file, replaced atomically. */
extern const struct thing thing_file;
/* The same on a FAT, which takes no mode but the one that it was mounted with (give 0777); only where there is none. */
extern const struct thing thing_fat_file;
/*
 * {"from", "sha256", "mode"}: a file that is copied from `from` (absolute, below the root as well); only
 * where there is none. thing_copy_of() makes the value.
 */
extern const struct thing thing_copy;
/* {"mode"}: a directory; it stays when it is not empty. Its parent must be there. */
extern const struct thing thing_dir;
/* "TARGET" */
extern const struct thing thing_symlink;
/* "VALUE": name "net.ipv4.ip_forward". Interfaces' names may hold dots: net/ipv4/conf/eth0.1/forwarding. */
extern const struct thing thing_sysctl;

/* The text that a value is, borrowed. ERR_INVALID: it is none, in a record that somebody has written. */
int thing_word(const json_t *value, const char **ret, struct err *err);

json_t *thing_text(const char *text, mode_t mode);
/* The value of a copy: reads all of it. */
int thing_copy_of(
	const struct host *h, const char *from, mode_t mode, json_t **ret, struct err *err);

#endif
