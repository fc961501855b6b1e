/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's counters, in one table: what they are called, what they mean, whether they should
 * be zero. Counted where it happens (engine, sensors' audits, orphans, loop); read here, for Health,
 * for the journal, and for whoever exports them.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <jansson.h>

#include "daemon/engine.h"
#include "daemon/loop.h"
#include "daemon/orphans.h"
#include "daemon/sensors.h"

enum metric_type {
	METRIC_COUNTER, /* grows, since the start */
	METRIC_GAUGE,
};

struct metric {
	const char *name; /* as in Health: [a-z_]+; times end in _ns */
	enum metric_type type;
	bool alarms; /* should be zero: its growth is worth a line in the journal */
	const char *help;
	int64_t value;
};

/* Where they are read from; loop may be NULL (tests in virtual time): its are 0 then. */
struct metrics_sources {
	const struct engine *engine;
	const struct sensors *sensors;
	const struct orphans *orphans;
	const struct loop *loop;
};

#define METRICS_MAX 16

/* All of them, in the table's order. Returns how many. */
size_t metrics_read(const struct metrics_sources *from, struct metric ret[METRICS_MAX]);
/* Sets a member for each. */
void metrics_json(const struct metrics_sources *from, json_t *ret);

/*
 * In the journal: one line with all of them as fields, when one that should be zero has grown since
 * the line before, at most once in ten minutes (what is held back so is in the next one). To be called
 * now and then; says nothing while nothing grows.
 */
struct metrics_watch {
	struct metrics_sources from; /* the caller sets it, the rest is {0} */
	int64_t told[METRICS_MAX];
	int64_t told_at; /* CLOCK_BOOTTIME; 0: never */
};
/* True: a line was written. */
bool metrics_look(struct metrics_watch *w);
/* The line for the end: what there was in this life. */
void metrics_end(const struct metrics_watch *w);

#endif
