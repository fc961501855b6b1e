/* SPDX-License-Identifier: Apache-2.0 */
/* The pods' deadlines as a binary heap: next one in O(1), a change in O(log n). */
#ifndef DAEMON_DEADLINES_H
#define DAEMON_DEADLINES_H

#include <stdint.h>

#include "daemon/pod.h"

struct deadlines {
	struct pod **heap;
	size_t n, cap;
};

void deadlines_done(struct deadlines *d);
/* due_ns 0 takes the pod out. */
void deadlines_set(struct deadlines *d, struct pod *p, int64_t due_ns);
/* The pod with the earliest deadline, NULL when there is none. */
struct pod *deadlines_first(const struct deadlines *d);

#endif
