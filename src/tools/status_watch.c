/* SPDX-License-Identifier: Apache-2.0 */
/* A line for each event: `xenpod-status --watch` where there is no terminal, and --lines. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "fsm/pod.h"
#include "tools/status.h"
#include "tools/status_events.h"
#include "tools/status_options.h"

#define LONG_MS 3600000

static bool is_shown(const struct status_filter *f, const json_t *event)
{
	const char *to = json_str_opt(event, "to", "");
	int s = pod_state_from_name(to);
	return json_object_get(event, "gap") ||
	       (status_filter_uuid(f, json_str_opt(event, "uuid", "")) &&
		       status_filter_state(f, to, s < 0 ? to : pod_state_word((enum pod_state)s)));
}

static void print_gap(const json_t *gap)
{
	printf("events %lld to %lld are missing: they are not kept any more\n",
		(long long)json_int_opt(gap, "first", 0), (long long)json_int_opt(gap, "last", 0));
}

static void print_event(const json_t *e, bool full)
{
	_cleanup_free_ char *when = status_event_time(e);
	const char *cause = json_str_opt(e, "cause", "");
	printf("%s %6lld %.*s %-16s %-10s -> %s%s%s\n", when, (long long)json_int_opt(e, "seq", 0),
		full ? 36 : 8, json_str_opt(e, "uuid", "?"), json_str_opt(e, "event", "?"),
		json_str_opt(e, "from", "?"), json_str_opt(e, "to", "?"), *cause ? "  " : "",
		cause);
}

void status_line_print(const struct status_view *v, const json_t *event)
{
	if (v->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (json_object_get(event, "gap")) {
		print_gap(json_object_get(event, "gap"));
	} else {
		print_event(event, v->full);
	}
}

int status_watch_run(const struct status_view *v, struct err *err)
{
	if (v->filter.names.n)
		return err_set(err, ERR_INVALID,
			"--name is for the table: an event has no names; name UUIDs");
	struct status_events *e = status_events_new(v->since);
	int r;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	do {
		_cleanup_json_ json_t *event = NULL;
		r = status_events_next(e, LONG_MS, &event, err);
		if (r > 0 && is_shown(&v->filter, event))
			status_line_print(v, event);
	} while (r >= 0 && !ferror(stdout));
	status_events_free(e);
	return r < 0 ? -1 : 0;
}
