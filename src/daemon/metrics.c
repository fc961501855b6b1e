/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the supervisor's counters, and its lines in the journal: see metrics.h. */
#include "daemon/metrics.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/audit.h"
#include "daemon/messages.h"

#define AGAIN_NS INT64_C(600000000000) /* a disk that stays full is one line in ten minutes */

struct numbers {
	struct engine_stats engine;
	const struct audit *audit;
	int64_t orphans_collected;
	struct loop_stall loop;
};

/* clang-format off */
/*	  name               type     alarms  value                  help */
#define METRICS(X) \
	X(events_missed,     COUNTER, true,   n.audit->events_missed, \
		"changes of domains that only an audit found") \
	X(audit_corrections, COUNTER, false,  n.audit->corrections, \
		"changes of pods by lists of domains: at a start, after a loss of the sensors, by audits") \
	X(orphans_collected, COUNTER, true,   n.orphans_collected, \
		"domains of ours without a pod that were destroyed") \
	X(commit_retries,    COUNTER, true,   n.engine.commit_retries, \
		"commits that failed and were tried again") \
	X(rejected,          COUNTER, true,   n.engine.rejected, \
		"turns that the store refused for their content") \
	X(unlisted,          COUNTER, false,  n.engine.unlisted, \
		"events that came when they meant nothing") \
	X(turns,             COUNTER, false,  n.engine.turns, \
		"events served") \
	X(commits,           COUNTER, false,  n.engine.commits, \
		"transactions committed") \
	X(queue,             GAUGE,   false,  n.engine.queue, \
		"events that wait to be served") \
	X(queue_max,         GAUGE,   false,  n.engine.queue_max, \
		"most events that have waited at a time") \
	X(batch_max_ns,      GAUGE,   false,  n.engine.stall_max_ns, \
		"longest batch of turns, its commit included") \
	X(stall_max_ns,      GAUGE,   false,  n.loop.max_ns, \
		"longest turn of the loop: nothing ready has waited longer to be served") \
	X(stall_p99_ns,      GAUGE,   false,  n.loop.p99_ns, \
		"99 of 100 turns of the loop took no longer")
/* clang-format on */

#define COUNT(...) +1
_Static_assert(0 METRICS(COUNT) <= METRICS_MAX, "METRICS_MAX");
#undef COUNT

size_t metrics_read(const struct metrics_sources *from, struct metric ret[METRICS_MAX])
{
	struct numbers n = {
		.audit = sensors_audit(from->sensors),
		.orphans_collected = orphans_collected(from->orphans),
	};
	size_t count = 0;
	engine_stats_get(from->engine, &n.engine);
	if (from->loop)
		loop_stall(from->loop, &n.loop);
#define X(name, type, alarms, value, help)                                                         \
	ret[count++] = (struct metric){#name, METRIC_##type, alarms, help, value};
	METRICS(X)
#undef X
	return count;
}

void metrics_json(const struct metrics_sources *from, json_t *ret)
{
	struct metric all[METRICS_MAX];
	size_t n = metrics_read(from, all);
	for (size_t i = 0; i < n; i++)
		json_object_set_new(ret, all[i].name, json_integer(all[i].value));
}

/* ---- the journal -------------------------------------------------------------------------------- */

/* Names of the journal's fields are upper case, and ours begin with XENPOD_. */
static void field_of(const struct metric *m, char name[48], char value[24])
{
	int len = snprintf(name, 48, "XENPOD_%s", m->name);
	for (int i = 0; i < len && i < 47; i++)
		name[i] = (char)toupper((unsigned char)name[i]);
	snprintf(value, 24, "%lld", (long long)m->value);
}

static void write_line(enum log_level level, const struct metric *all, size_t n, const char *head,
	const char *what)
{
	char names[METRICS_MAX][48];
	char values[METRICS_MAX][24];
	struct log_field fields[METRICS_MAX + 1] = {{"MESSAGE_ID", message_id(MSG_COUNTERS)}};
	for (size_t i = 0; i < n; i++) {
		field_of(&all[i], names[i], values[i]);
		fields[i + 1] = (struct log_field){names[i], values[i]};
	}
	log_fields(level, fields, n + 1, "%s:%s", head, what);
}

/* " name=value" of each that should be zero and is more than `than` (NULL: than 0). */
static char *alarms_text(const struct metric *all, size_t n, const int64_t *than)
{
	char *text = xstrdup("");
	for (size_t i = 0; i < n; i++) {
		if (!all[i].alarms || all[i].value <= (than ? than[i] : 0))
			continue;
		char *more = xasprintf("%s %s=%lld", text, all[i].name, (long long)all[i].value);
		free(text);
		text = more;
	}
	return text;
}

bool metrics_look(struct metrics_watch *w)
{
	struct metric all[METRICS_MAX];
	size_t n = metrics_read(&w->from, all);
	int64_t now = engine_now(w->from.engine);
	_cleanup_free_ char *grown = alarms_text(all, n, w->told);
	if (!*grown || (w->told_at && now - w->told_at < AGAIN_NS))
		return false;
	write_line(LOG_LVL_WARNING, all, n, "counters that should be zero have grown", grown);
	for (size_t i = 0; i < n; i++)
		w->told[i] = all[i].value;
	w->told_at = now;
	return true;
}

void metrics_end(const struct metrics_watch *w)
{
	struct metric all[METRICS_MAX];
	size_t n = metrics_read(&w->from, all);
	_cleanup_free_ char *alarms = alarms_text(all, n, NULL);
	write_line(LOG_LVL_INFO, all, n, "counters at the end",
		*alarms ? alarms : " none that should be zero is not");
}
