/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What monitoring wants to know: how pods ended, how long their steps took, counted since the start.
 * Told as families in the sense of Prometheus (API verb Metrics); this table is the only place
 * that knows names, the exporter prints what it is told.
 */
#ifndef DAEMON_TELEMETRY_H
#define DAEMON_TELEMETRY_H

#include <jansson.h>

#include "daemon/engine.h"
#include "daemon/metrics.h"

struct telemetry;

struct telemetry *telemetry_new(void);
void telemetry_free(struct telemetry *t); /* NULL is fine */

/*
 * For each turn that was committed; `at` is the pod's own, `now` CLOCK_BOOTTIME. What began before this
 * supervisor is not measured.
 */
void telemetry_turn(
	struct telemetry *t, struct pod_times *at, const struct turn_record *r, int64_t now_ns);

/* What is so now, beside what is counted. */
struct telemetry_now {
	struct metrics_sources from;
	const struct pods *pods;
	bool xen_seen, recovering;
	int64_t sensor_restarts;
	size_t unaccounted; /* domains of ours that no pod owns */
};

/*
 * [{name, type, help, samples: [{labels?, value} or {labels?, buckets, sum, count}], le?}]; `le` are
 * the upper bounds of all buckets of the family in seconds, `buckets` how many were no more than
 * that. A new array.
 */
json_t *telemetry_json(const struct telemetry *t, const struct telemetry_now *now);

#endif
