/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world (src/sim) behind the world's interface. */
#ifndef DAEMON_WORLD_SIM_H
#define DAEMON_WORLD_SIM_H

#include "daemon/loop.h"
#include "daemon/world.h"
#include "sim/sim.h"

/*
 * `sim` stays the caller's and may outlive the world: a test that restarts the supervisor hands the
 * same one to the next. With a loop time is real; without, the caller advances the sim (tests).
 */
struct world *world_sim_new(struct loop *l, struct sim *sim, const struct world_events *events);

#endif
