/* SPDX-License-Identifier: Apache-2.0 */
/* Counting events by the second: see flood.h. */
#include "watch/flood.h"

void flood_init(struct flood *f, unsigned nodes)
{
	unsigned by_nodes = nodes * FLOOD_PER_NODE;
	*f = (struct flood){.limit = by_nodes > FLOOD_MAX ? by_nodes : FLOOD_MAX};
}

bool flood_event(struct flood *f, double now)
{
	if (now - f->since >= 1.0 || now < f->since) {
		f->since = now;
		f->count = 0;
	}
	return ++f->count > f->limit;
}

double flood_pause(struct flood *f)
{
	f->count = 0;
	f->quiet = f->quiet > 0 ? f->quiet * 2 : FLOOD_QUIET;
	if (f->quiet > FLOOD_QUIET_MAX)
		f->quiet = FLOOD_QUIET_MAX;
	return f->quiet;
}
