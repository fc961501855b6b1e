/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data directory (--dir): pods/<state>/<uuid>/ as rkt has them (contract 2.3), and the store of
 * unpacked images in cas/. All verbs of xenpod find pods through this.
 */
#ifndef TOOLS_DATADIR_H
#define TOOLS_DATADIR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/uuid.h"

#define DATADIR_DEFAULT "/var/lib/xenpod"

struct datadir {
	char *path; /* absolute, symlinks resolved */
	int fd;
};
void datadir_done(struct datadir *d);
#define _cleanup_datadir_ __attribute__((cleanup(datadir_done)))

/* `create` makes what is missing; else a directory that is not there is ERR_NOTFOUND. */
int datadir_open(const char *path, bool create, struct datadir *ret, struct err *err);

/* Directories below pods/, in the order in which a pod wanders through them. */
enum pod_place {
	POD_EMBRYO,
	POD_PREPARE,
	POD_PREPARED,
	POD_RUN,
	POD_EXITED_GARBAGE,
	POD_GARBAGE,
	POD_PLACE_MAX_
};
const char *pod_place_name(enum pod_place place);

struct pod {
	char uuid[UUID_TEXT_SIZE];
	enum pod_place place;
	int fd; /* the pod directory; the lock is on this descriptor once pod_lock has succeeded */
};
void pod_done(struct pod *p);
#define _cleanup_pod_ __attribute__((cleanup(pod_done)))

/* "run/<uuid>" below pods/ as an absolute path; caller frees. */
char *pod_path(const struct datadir *d, const struct pod *p);

/* A new pod: made in embryo/, locked, moved to prepare/. ERR_EXISTS when the UUID is in use. */
int pod_create(const struct datadir *d, const char *uuid, struct pod *ret, struct err *err);
/* rename(2) to another place and fsync of both parents. The descriptor stays good. */
int pod_move(const struct datadir *d, struct pod *p, enum pod_place to, struct err *err);
/* Finds by UUID or a prefix of it that only one pod has, in any case of letters. */
int pod_find(const struct datadir *d, const char *prefix, struct pod *ret, struct err *err);

/* Does somebody hold the pod's lock? Asked as rkt asks: LOCK_SH|LOCK_NB on a descriptor of its own.
 */
int pod_held(const struct pod *p, bool *ret, struct err *err);
/* Takes the lock for good, waiting while observers look; ERR_STATE when it stays held. */
int pod_lock(struct pod *p, struct err *err);

/* For each pod in `place`; a pod that vanishes meanwhile is passed over. fn: non-zero stops. */
typedef int (*pod_fn)(void *ctx, const struct datadir *d, struct pod *p, struct err *err);
int pod_each(const struct datadir *d, enum pod_place place, pod_fn fn, void *ctx, struct err *err);

#endif
