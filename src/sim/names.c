/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the simulated world's lists, both ways, and times as people write them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_int.h"

#define NAME(id, name, ...) name,

static const char *const states[] = {WORLD_DOMAIN_STATES(NAME)};
static const char *const reasons[] = {WORLD_REASONS(NAME)};
static const char *const verbs[] = {SIM_VERBS(NAME)};
static const char *const points[] = {SIM_POINTS(NAME)};
static const char *const kinds[] = {SIM_KINDS(NAME)};
static const char *const lats[] = {SIM_LATENCIES(NAME)};

static int find(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

const char *dom_state_name(enum dom_state s)
{
	return states[s];
}

const char *dom_reason_name(enum dom_reason r)
{
	return r == REASON_NONE ? NULL : reasons[r];
}

int verb_from_name(const char *name)
{
	return find(verbs, ARRAY_SIZE(verbs), name);
}

int point_from_name(const char *name)
{
	return find(points, ARRAY_SIZE(points), name);
}

int kind_from_name(const char *name)
{
	return find(kinds, ARRAY_SIZE(kinds), name);
}

int lat_from_name(const char *name)
{
	return find(lats, ARRAY_SIZE(lats), name);
}

int64_t time_parse(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || end == text || n < 0 || n > 1000000)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].unit))
			return n * units[i].ms * MS;
	return -1;
}
