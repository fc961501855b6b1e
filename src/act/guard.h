/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter for the pod's QEMU, which does on the host what the guest asks for by 9p, as root. What
 * is exported of the host's own can be reached by its path, where none of our mount flags holds: so
 * QEMU makes no device node and no setuid or setgid program anywhere. The guest gets EPERM.
 */
#ifndef ACT_GUARD_H
#define ACT_GUARD_H

#include <jansson.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* {0} is empty and valid. */
struct guard {
	struct sock_filter *program;
	size_t n;
};

/* Is one of the request's trees the host's own, and writable? */
bool guard_needed(const json_t *trees);
int guard_make(struct guard *g, struct err *err);
void guard_done(struct guard *g);

/*
 * In a child of fork(2), before its exec: from now on it, and all that it starts, is bound. Calls
 * nothing but the kernel. -1 and errno.
 */
int guard_apply(const struct guard *g);

#endif
