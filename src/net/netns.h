/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named network namespaces, as ip-netns(8) has them: /run/netns/<name> is a bind mount of the
 * namespace, on a directory that is a shared mount, so that everybody's mount namespace sees it.
 */
#ifndef NET_NETNS_H
#define NET_NETNS_H

#include <stdbool.h>

#include "base/err.h"

#define NETNS_DIR      "/run/netns"
#define NETNS_NAME_MAX 64

/* Where a namespace is asked for, the caller's own. */
#define NETNS_OWN (-1)

/* Makes sure that there is one of this name, its loopback up. One that is there stays as it is. */
int netns_make(const char *name, struct err *err);

/* Opens it, O_CLOEXEC. ERR_NOTFOUND when there is none, also for a half made one. */
int netns_open(const char *name, int *ret_fd, struct err *err);

int netns_exists(const char *name, bool *ret, struct err *err);

/*
 * Takes the name away, and with it the namespace unless somebody is in it. Nothing there: done.
 * The caller sees to it that no live vif is in it (links_find()): it would come back to the host's.
 */
int netns_remove(const char *name, struct err *err);

/*
 * Runs `fn` inside, on the calling thread (setns(2) there and back): other threads see nothing, what
 * fn opened stays with the namespace it was opened in, and its error comes back as it is. A process
 * that cannot return ends at once, since all it did next would be done in the wrong place.
 */
int netns_run(int netns, int (*fn)(void *arg, struct err *err), void *arg, struct err *err);

#endif
