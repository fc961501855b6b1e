/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that rkt reads of a pod, below its stage1 rootfs (contract 1.3.8, 2.4): exit codes and
 * the readiness link. All relative to a descriptor of S1/rkt that `run` opened in its own mount
 * namespace.
 */
#ifndef DAEMON_RKTFILES_H
#define DAEMON_RKTFILES_H

#include "base/err.h"
#include "daemon/pod.h"

/* supervisor-status -> ready. Idempotent. */
int rktfiles_ready(int rkt_dirfd, struct err *err);
/* Removes it. Idempotent. */
int rktfiles_unready(int rkt_dirfd, struct err *err);
/*
 * status/<app> = exit code, or the signal's number, for every app whose end is known; an app whose
 * end nobody saw gets no file: rkt then shows no code, which is the truth.
 */
int rktfiles_codes(int rkt_dirfd, const struct pod_app *apps, size_t n, struct err *err);
/*
 * S1/rkt of a pod directory when the descriptor was lost: through the mounted stage1 rootfs, or,
 * when its overlay is not mounted any more (after a reboot), the overlay's upper directory. -1: not
 * there.
 */
int rktfiles_open(int pod_dirfd);

#endif
