/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes and where apps want them (contract 3.3; appc/spec schema/types/volume.go): read and
 * checked, nothing of the host is looked at. Paths in apps are cleaned lexically, as stage0 does
 * when it compares them.
 */
#ifndef APPC_VOLUME_H
#define APPC_VOLUME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct appc_volume {
	char *name;
	bool host;           /* else "empty" */
	char *source;        /* host: an absolute path, as written */
	bool says_read_only; /* else the mount point's own word counts */
	bool read_only;
	bool recursive; /* host: true when nothing is said */
	mode_t mode;    /* empty: permission bits, owner and group */
	uid_t uid;
	gid_t gid;
};

/* Of an app in the pod manifest. */
struct appc_mount {
	char *name; /* of the volume */
	char *path; /* absolute and clean, never "/" */
	bool own;   /* the manifest gives the volume here ("appVolume"), not by name */
	struct appc_volume volume;
};

/* Of an app in either manifest. */
struct appc_mount_point {
	char *name;
	char *path; /* as above */
	bool read_only;
};

/* {0} is valid and empty, of each. */
struct appc_volumes {
	struct appc_volume *v;
	size_t n;
};

struct appc_mounts {
	struct appc_mount *v;
	size_t n;
};

struct appc_mount_points {
	struct appc_mount_point *v;
	size_t n;
};

/*
 * The arrays "volumes", "mounts" and "mountPoints" of `o`; absent is empty. On an error *ret holds
 * what was read so far, to be given up by its owner.
 */
int appc_volumes_read(const json_t *o, struct appc_volumes *ret, struct err *err);
int appc_mounts_read(const json_t *o, struct appc_mounts *ret, struct err *err);
int appc_mount_points_read(const json_t *o, struct appc_mount_points *ret, struct err *err);

void appc_volume_done(struct appc_volume *v);
void appc_volumes_done(struct appc_volumes *a);
void appc_mounts_done(struct appc_mounts *a);
void appc_mount_points_done(struct appc_mount_points *a);

/* "empty" with what the specification gives it when nothing is said: 0755, root. */
void appc_volume_init_empty(struct appc_volume *ret, const char *name);

#endif
