/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a guest's xenstore nodes change too often to be watched. A watch event costs us a round trip
 * to xenstored and libxenstore queues them without bound (design-review item 3), so a flooding
 * domain is unwatched and polled. Pure: no clock, no I/O; times are seconds of any steady clock.
 */
#ifndef WATCH_FLOOD_H
#define WATCH_FLOOD_H

#include <stdbool.h>

#define FLOOD_MAX       50    /* watch events a second from one domain */
#define FLOOD_PER_NODE  4     /* but a pod of many apps may change each node this often */
#define FLOOD_QUIET     10.0  /* first pause before the domain is watched again, seconds */
#define FLOOD_QUIET_MAX 640.0 /* the pause doubles each time the flood comes back */

struct flood {
	double since;   /* begin of the second that is being counted */
	unsigned count; /* events in it */
	unsigned limit;
	double quiet; /* the last pause, 0: there was none */
};

/* `nodes`: how many nodes the guest is expected to write. */
void flood_init(struct flood *f, unsigned nodes);
/* One event at `now`: true when it is one too many within a second. */
bool flood_event(struct flood *f, double now);
/* The flood is answered by polling: how long until watching is tried again. */
double flood_pause(struct flood *f);

#endif
