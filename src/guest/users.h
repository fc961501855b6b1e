/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who an app runs as: the order of contract 3.2 (rkt's ParseUserGroup, not the appc text): "root",
 * a number, the owner of an absolute path, a name in the image's own etc/passwd or etc/group.
 */
#ifndef GUEST_USERS_H
#define GUEST_USERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * `root` is a directory descriptor of the app's root. `docker`: the image came from docker, where
 * a group that cannot be resolved and is named like the user means "the group numbered like it".
 */
int users_resolve(int root, const char *user, const char *group, bool docker, uid_t *ret_uid,
	gid_t *ret_gid, struct err *err);

#endif
