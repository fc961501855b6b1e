/* SPDX-License-Identifier: Apache-2.0 */
/* Families of metrics: see telemetry.h. Names follow prometheus.io/docs/practices/naming. */
#include "daemon/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

#define SECOND 1e9

/* Upper bounds in seconds: from a step that a busy disk takes to the longest deadline. */
static const double bounds[] = {
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
#define BOUNDS ARRAY_SIZE(bounds)

struct histogram {
	int64_t counts[BOUNDS]; /* how many were no longer */
	int64_t n;
	double sum;
};

struct telemetry {
	int64_t accepted;
	int64_t ends[CAUSE_MAX_];
	struct histogram in_state[POD_STATE_MAX_];
	struct histogram starting, ending;
};

struct telemetry *telemetry_new(void)
{
	return xcalloc(1, sizeof(struct telemetry));
}

void telemetry_free(struct telemetry *t)
{
	free(t);
}

/* ---- what is counted ------------------------------------------------------------------------------ */

static void note(struct histogram *h, int64_t from_ns, int64_t to_ns)
{
	if (!from_ns)
		return;
	double s = to_ns > from_ns ? (double)(to_ns - from_ns) / SECOND : 0;
	for (size_t i = 0; i < BOUNDS; i++)
		h->counts[i] += s <= bounds[i];
	h->n++;
	h->sum += s;
}

static bool has_ended(enum pod_state s)
{
	return s == POD_EXITED || s == POD_FAILED || s == POD_BACKOFF;
}

/* From when it was to start, or to end, until it did: both are several states long. */
static void note_way(
	struct telemetry *t, struct pod_times *at, const struct turn_record *r, int64_t now)
{
	if (r->to == POD_ACCEPTED)
		at->start_ns = now;
	if (r->to == POD_RUNNING) {
		note(&t->starting, at->start_ns, now);
		at->start_ns = 0;
	}
	bool up = r->from == POD_RUNNING || r->from == POD_PAUSED;
	bool stays = r->to == POD_RUNNING || r->to == POD_PAUSED || r->to == POD_PAUSING ||
		     r->to == POD_RESUMING;
	if (up && !stays)
		at->end_ns = now;
	if (has_ended(r->to)) {
		note(&t->ending, at->end_ns, now);
		at->end_ns = 0;
	}
}

void telemetry_turn(
	struct telemetry *t, struct pod_times *at, const struct turn_record *r, int64_t now)
{
	bool born = !strcmp(r->event_name, "accept");
	if (r->from == r->to && !born)
		return;
	if (born)
		t->accepted++;
	else
		note(&t->in_state[r->from], at->state_ns, now);
	at->state_ns = now;
	note_way(t, at, r, now);
	if (has_ended(r->to) && r->from != POD_RESTARTING && r->from != POD_BACKOFF)
		t->ends[r->cause]++;
}

/* ---- families ------------------------------------------------------------------------------------- */

static json_t *family(json_t *all, const char *name, const char *type, const char *help)
{
	json_t *samples = json_array();
	json_array_append_new(all, json_make("{s:s, s:s, s:s, s:o}", "name", name, "type", type,
					   "help", help, "samples", samples));
	return samples;
}

/* One without labels, or with one: label NULL is none. */
static void sample(json_t *samples, const char *label, const char *value, json_t *number)
{
	json_t *s = json_make("{s:o}", "value", number);
	if (label)
		json_object_set_new(s, "labels", json_make("{s:s}", label, value));
	json_array_append_new(samples, s);
}

static void single(
	json_t *all, const char *name, const char *type, const char *help, json_t *number)
{
	sample(family(all, name, type, help), NULL, NULL, number);
}

static void gauge(json_t *all, const char *name, const char *help, int64_t value)
{
	single(all, name, "gauge", help, json_integer(value));
}

static json_t *histogram_family(json_t *all, const char *name, const char *help)
{
	json_t *samples = family(all, name, "histogram", help);
	json_t *le = json_array();
	for (size_t i = 0; i < BOUNDS; i++)
		json_array_append_new(le, json_real(bounds[i]));
	json_object_set_new(json_array_get(all, json_array_size(all) - 1), "le", le);
	return samples;
}

static void distribution(
	json_t *samples, const char *label, const char *value, const struct histogram *h)
{
	json_t *buckets = json_array();
	for (size_t i = 0; i < BOUNDS; i++)
		json_array_append_new(buckets, json_integer(h->counts[i]));
	json_t *s = json_make(
		"{s:o, s:f, s:I}", "buckets", buckets, "sum", h->sum, "count", (json_int_t)h->n);
	if (label)
		json_object_set_new(s, "labels", json_make("{s:s}", label, value));
	json_array_append_new(samples, s);
}

/* The table of metrics.h: counters end with _total, and seconds are the unit of time. */
static void add_counters(json_t *all, const struct metrics_sources *from)
{
	struct metric m[METRICS_MAX];
	size_t n = metrics_read(from, m);
	for (size_t i = 0; i < n; i++) {
		char name[64];
		size_t len = strlen(m[i].name);
		bool ns = len > 3 && !strcmp(m[i].name + len - 3, "_ns");
		bool counter = m[i].type == METRIC_COUNTER;
		snprintf(name, sizeof name, "xenpod_%.*s%s%s", (int)(ns ? len - 3 : len), m[i].name,
			ns ? "_seconds" : "", counter ? "_total" : "");
		single(all, name, counter ? "counter" : "gauge", m[i].help,
			ns ? json_real((double)m[i].value / SECOND) : json_integer(m[i].value));
	}
}

static void count_state(void *ctx, struct pod *p)
{
	int64_t *n = ctx;
	n[p->core.state]++;
}

static void add_pods(json_t *all, const struct pods *pods)
{
	int64_t n[POD_STATE_MAX_] = {0};
	pods_each(pods, count_state, n);
	json_t *samples = family(all, "xenpod_pods", "gauge", "pods that are in the state now");
	for (int i = 0; i < POD_GONE; i++)
		sample(samples, "state", pod_state_name((enum pod_state)i), json_integer(n[i]));
}

static void add_lives(json_t *all, const struct telemetry *t)
{
	single(all, "xenpod_pods_accepted_total", "counter", "pods accepted, each life by itself",
		json_integer(t->accepted));
	json_t *ends = family(all, "xenpod_pod_ends_total", "counter",
		"lives of pods that ended, failed starts as well, by cause");
	for (int i = CAUSE_NONE + 1; i < CAUSE_MAX_; i++)
		sample(ends, "cause", pod_cause_name((enum pod_cause)i), json_integer(t->ends[i]));
	distribution(histogram_family(all, "xenpod_pod_start_duration_seconds",
			     "from a pod's acceptance until all of its apps were started"),
		NULL, NULL, &t->starting);
	distribution(histogram_family(all, "xenpod_pod_end_duration_seconds",
			     "from the moment a running pod was to end, or did, until its lock was "
			     "free"),
		NULL, NULL, &t->ending);
	json_t *steps = histogram_family(all, "xenpod_pod_state_duration_seconds",
		"how long pods were in a state with a deadline");
	for (int i = 0; i < POD_GONE; i++)
		if (pod_state_deadline_ms((enum pod_state)i))
			distribution(
				steps, "state", pod_state_name((enum pod_state)i), &t->in_state[i]);
}

static void add_host(json_t *all, const struct telemetry_now *now)
{
	struct engine_stats st;
	engine_stats_get(now->from.engine, &st);
	sample(family(all, "xenpod_build_info", "gauge", "which version serves; always 1"),
		"version", XENPOD_VERSION, json_integer(1));
	gauge(all, "xenpod_xen_up", "1: the sensors see Xen", now->xen_seen);
	gauge(all, "xenpod_store_up", "1: the last commit has succeeded", !st.store_failing);
	gauge(all, "xenpod_recovering", "1: pods are still compared with Xen after a start",
		now->recovering);
	single(all, "xenpod_sensor_restarts_total", "counter",
		"starts of xenpod-watch after the first", json_integer(now->sensor_restarts));
	gauge(all, "xenpod_unaccounted_domains",
		"domains with this store's marker that no pod owns, in the last list",
		(int64_t)now->unaccounted);
	const struct engine_host *h = engine_host(now->from.engine);
	if (!h)
		return;
	gauge(all, "xenpod_host_memory_free_bytes", "what Xen can give", h->free_kib * 1024);
	gauge(all, "xenpod_host_memory_dying_bytes", "what dying domains still have",
		h->dying_kib * 1024);
	gauge(all, "xenpod_host_memory_total_bytes", "what the host has", h->total_kib * 1024);
}

json_t *telemetry_json(const struct telemetry *t, const struct telemetry_now *now)
{
	json_t *all = json_array();
	add_host(all, now);
	add_pods(all, now->pods);
	add_lives(all, t);
	add_counters(all, &now->from);
	return all;
}
