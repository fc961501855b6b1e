/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program of an app may do, applied to the calling process just before execve(2). The order
 * is systemd's, and so that of rkt's own stage1: abilities are kept as long as a later step needs
 * them, and what could forbid a step comes after it.
 */
#ifndef GUEST_CONFINE_H
#define GUEST_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "guest/podspec.h"

#define CONFINE_OOM_NEVER (-1000) /* the kernel kills such a process last of all: never */

struct confine {
	uint64_t caps; /* bounding set; CAPS_ALL: no limit */
	bool no_new_privileges;
	const struct podspec_filter *filter; /* NULL: none */
	int oom_score_adj;
};

/* The OOM killer's bias. Needs the guest's own /proc: before the root is changed. */
int confine_oom(int adj, struct err *err);
/* Drops what is not in `caps` from the bounding set. Before the user is changed. */
int confine_bound(uint64_t caps, struct err *err);
/*
 * The rest, after the user was changed; only execve(2) may follow. A filter without CAP_SYS_ADMIN
 * needs no_new_privs, see seccomp(2), and gets it (contract 3.4 forces it for apps that are not
 * root).
 */
int confine_seal(const struct confine *c, struct err *err);

#endif
