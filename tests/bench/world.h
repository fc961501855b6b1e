/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world that answers at once: every helper succeeds at the loop's next turn, every domain that it
 * was told of runs until it is killed. So what is measured is the supervisor's own time, and not
 * that of Xen, which src/sim imitates.
 */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "daemon/loop.h"
#include "daemon/world.h"

/* `store`: whose marker the domains have; borrowed. */
struct world *bench_world_new(struct loop *l, const char *store, const struct world_events *events);
#define BENCH_QEMU 5000000 /* pids of QEMUs are domids above it: no process of this machine */

/* A running domain of generation 1, with a QEMU. */
void bench_world_put(struct world *w, const char *uuid, int64_t domid);
/* It dies: its QEMU's end is told at once, and that it is gone. False: there is none such. */
bool bench_world_kill(struct world *w, const char *uuid);
/* ns spent in making frames so far: the world's time, not the supervisor's. */
int64_t bench_world_cost(const struct world *w);

#endif
