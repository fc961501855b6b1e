/* SPDX-License-Identifier: Apache-2.0 */
/* How the supervisor is, for people: Health (docs/API.md) as two tables, parts and counters. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/status.h"
#include "tools/table.h"

static void part(struct table *t, const char *name, const char *state, char *detail /* stolen */)
{
	const char *row[] = {name, state, detail};
	table_row(t, row);
	table_colour_word(t, 1, !strcmp(state, "ok") ? "running" : "failed");
	free(detail);
}

static int64_t number(const json_t *h, const char *key)
{
	return json_int_opt(h, key, 0);
}

static void part_supervisor(struct table *t, const json_t *h)
{
	const json_t *s = json_object_get(h, "supervisor");
	const char *state = json_str_opt(s, "state", "?");
	part(t, "supervisor", strcmp(state, "running") ? state : "ok",
		xasprintf("xenpodd %s, world %s, %" PRId64 " pods, %" PRId64 " connections",
			json_str_opt(s, "version", "?"), json_str_opt(s, "world", "?"),
			number(h, "pods"), number(h, "connections")));
}

/* Both are asked through one ping: which of them does not answer is not known. */
static void part_xen(struct table *t, const json_t *h)
{
	bool seen = json_bool_opt(h, "xen_seen", false);
	const char *why = json_str_opt(h, "degraded", "");
	int64_t restarts = number(h, "sensor_restarts");
	char *sensors = seen && !restarts ? xstrdup("libxl answers")
					  : xasprintf("%s, %" PRId64 " times started again",
						    seen ? "libxl answers" : why, restarts);
	part(t, "sensors", seen ? "ok" : "lost", sensors);
	part(t, "xenstored", seen ? "ok" : "unknown",
		xstrdup(seen ? "answers pings" : "nobody asks it now"));
}

static void part_host(struct table *t, const json_t *h)
{
	const json_t *host = json_object_get(h, "host");
	if (!json_is_object(host))
		return;
	part(t, "host", "ok",
		xasprintf("%" PRId64 " of %" PRId64 " MiB free, %" PRId64 " CPUs",
			number(host, "free_kib") / 1024, number(host, "total_kib") / 1024,
			number(host, "cpus")));
}

static void part_store(struct table *t, const json_t *h)
{
	const char *error = json_str_opt(h, "store_error", "");
	part(t, "store", *error ? "failing" : "ok",
		*error ? xstrdup(error)
		       : xasprintf("%" PRId64 " commits, id %s", number(h, "commits"),
				 json_str_opt(h, "store_id", "?")));
}

static void part_queue(struct table *t, const json_t *h)
{
	part(t, "queue", "ok",
		xasprintf("%" PRId64 " events wait, at most %" PRId64, number(h, "queue"),
			number(h, "queue_max")));
	part(t, "loop", "ok",
		xasprintf("longest turn %.1f ms, 99 of 100 within %.1f ms",
			(double)number(h, "stall_max_ns") / 1e6,
			(double)number(h, "stall_p99_ns") / 1e6));
}

static void part_domains(struct table *t, const json_t *h)
{
	size_t n = json_array_size(json_object_get(h, "unaccounted_domains"));
	part(t, "domains", n ? "unknown" : "ok",
		n ? xasprintf("%zu of ours belong to no pod: xenpod gc --dry-run says more", n)
		  : xstrdup("each of ours belongs to a pod"));
}

static void print_counters(const json_t *h)
{
	static const char *const columns[] = {"COUNTER", "VALUE", "MEANS", NULL};
	static const char *const shown[][2] = {
		{"events_missed", "changes of domains that only an audit found; should be 0"},
		{"audit_corrections", "changes found at a start or by an audit"},
		{"orphans_collected", "domains of ours without a pod, destroyed; should be 0"},
		{"commit_retries", "commits that failed and were tried again; should be 0"},
		{"rejected", "events that the store refused; should be 0"},
		{"unlisted", "events that came when they meant nothing"},
		{"turns", "events served"},
	};
	struct table *t = table_new(columns, true);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		_cleanup_free_ char *value = xasprintf("%" PRId64, number(h, shown[i][0]));
		const char *row[] = {shown[i][0], value, shown[i][1]};
		table_row(t, row);
	}
	putchar('\n');
	table_print(t);
}

void status_print_health(const json_t *health)
{
	static const char *const columns[] = {"PART", "STATE", "DETAIL", NULL};
	struct table *t = table_new(columns, true);
	part_supervisor(t, health);
	part_xen(t, health);
	part_host(t, health);
	part_store(t, health);
	part_queue(t, health);
	part_domains(t, health);
	table_print(t);
	print_counters(health);
}
