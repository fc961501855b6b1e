/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-status --history`: every transition with its time, how long the state before was, and why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "tools/status.h"
#include "tools/status_options.h"
#include "tools/table.h"

/* ---- how long ---------------------------------------------------------------------------------- */

/* `entered`: {UUID: when it came into its state}. An event that leaves none says nothing of that. */
static void add_lasted(json_t *entered, json_t *event)
{
	const char *uuid = json_str_opt(event, "uuid", "");
	int64_t at = json_int_opt(event, "at", 0);
	int64_t since = json_int_opt(entered, uuid, 0);
	bool leaves = strcmp(json_str_opt(event, "from", ""), json_str_opt(event, "to", "")) != 0;
	/* A clock that was set back between the two makes no time of less than nothing. */
	int64_t lasted = at > since ? at - since : 0;
	json_object_set_new(event, "lasted", leaves && since ? json_integer(lasted) : json_null());
	if (leaves || !strcmp(json_str_opt(event, "event", ""), "accept"))
		json_object_set_new(entered, uuid, json_integer(at));
}

void status_history_lasted(json_t *rows)
{
	_cleanup_json_ json_t *entered = json_object();
	size_t i;
	json_t *event;
	json_array_foreach (rows, i, event)
		add_lasted(entered, event);
}

/* ---- the table --------------------------------------------------------------------------------- */

static char *number(const json_t *o, const char *key)
{
	int64_t v = json_int_opt(o, key, -1);
	return v < 0 ? xstrdup("-") : xasprintf("%" PRId64, v);
}

char *status_event_time(const json_t *event)
{
	char when[32];
	int64_t at = json_int_opt(event, "at", 0);
	time_text(at, when);
	return xasprintf("%s.%03d", when, (int)(at / 1000000 % 1000));
}

static char *lasted(const json_t *event)
{
	char text[24];
	int64_t ns = json_int_opt(event, "lasted", -1);
	duration_text(ns, text);
	return xstrdup(ns < 0 ? "-" : text);
}

struct table *status_history_table(const json_t *rows, bool uuids, bool legend, bool full)
{
	static const struct table_column all[] = {{"SEQ", true, true}, {"TIME", false, true},
		{"EVENT", false, false}, {"FROM", false, false}, {"TO", false, false},
		{"LASTED", true, true}, {"DOMID", true, true}, {"CAUSE", false, false},
		{"UUID", false, true}};
	struct table *t = table_of(all, ARRAY_SIZE(all) - !uuids, legend);
	size_t i;
	json_t *e;
	json_array_foreach (rows, i, e) {
		char *row[ARRAY_SIZE(all)] = {number(e, "seq"), status_event_time(e),
			xstrdup(json_str_opt(e, "event", "?")),
			xstrdup(json_str_opt(e, "from", "")), xstrdup(json_str_opt(e, "to", "")),
			lasted(e), number(e, "domid"), xstrdup(json_str_opt(e, "cause", ""))};
		if (uuids)
			row[ARRAY_SIZE(all) - 1] =
				xstrndup(json_str_opt(e, "uuid", ""), full ? 36 : 8);
		table_row_take(t, row);
	}
	return t;
}

/* ---- whose ------------------------------------------------------------------------------------- */

static int by_seq(const void *a, const void *b)
{
	int64_t x = json_int_opt(*(json_t *const *)a, "seq", 0);
	int64_t y = json_int_opt(*(json_t *const *)b, "seq", 0);
	return x < y ? -1 : x > y;
}

/* Those after `since` only; as one stream, in the order in which it happened. */
static json_t *in_order(const json_t *rows, int64_t since)
{
	size_t n = json_array_size(rows);
	json_t **v = xcalloc(n + 1, sizeof(*v));
	json_t *out = json_array();
	for (size_t i = 0; i < n; i++)
		v[i] = json_array_get(rows, i);
	qsort(v, n, sizeof(*v), by_seq);
	for (size_t i = 0; i < n; i++)
		if (json_int_opt(v[i], "seq", 0) > since)
			json_array_append(out, v[i]);
	free(v);
	return out;
}

static int of_pods(
	struct status_source *s, const struct words *uuids, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < uuids->n; i++) {
		char uuid[UUID_TEXT_SIZE];
		size_t before = json_array_size(rows);
		if (status_whole_uuid(s, uuids->v[i], uuid, err) < 0 ||
			status_history(s, uuid, 0, rows, err) < 0)
			return -1;
		if (json_array_size(rows) == before)
			return err_set(err, ERR_NOTFOUND, "nothing is known of a pod %s", uuid);
	}
	return 0;
}

/* Old events are removed: who asks for some of those is to know that they are missing. */
static json_t *missing(const json_t *rows, int64_t since)
{
	int64_t first = json_int_opt(json_array_get(rows, 0), "seq", since + 1);
	if (since < 0 || first == since + 1)
		return json_null();
	return json_make(
		"{s:I, s:I}", "first", (json_int_t)since + 1, "last", (json_int_t)first - 1);
}

/* As --watch shows them; the one goes on where the other has ended. */
static void print_lines(const struct status_view *v, const json_t *rows, const json_t *missing)
{
	_cleanup_json_ json_t *gap = json_make("{s:O}", "gap", missing);
	size_t i;
	json_t *event;
	if (json_is_object(missing))
		status_line_print(v, gap);
	json_array_foreach (rows, i, event)
		status_line_print(v, event);
}

static void print_json(struct status_source *s, json_t *rows, json_t *missing)
{
	_cleanup_json_ json_t *o = json_make("{s:s, s:O, s:O}", "source", status_source_name(s),
		"history", rows, "missing", missing);
	status_print_json(o);
}

int status_history_run(struct status_source *s, const struct status_view *v, struct err *err)
{
	_cleanup_json_ json_t *rows = json_array();
	const struct words *uuids = &v->filter.uuids;
	int64_t since = v->since < 0 ? 0 : v->since;
	int r = uuids->n ? of_pods(s, uuids, rows, err) : status_history(s, NULL, since, rows, err);
	if (r < 0)
		return -1;
	if (!v->lines)
		status_history_lasted(rows);
	_cleanup_json_ json_t *shown = in_order(rows, since);
	_cleanup_json_ json_t *gap = missing(rows, uuids->n ? -1 : v->since);
	if (v->lines) {
		print_lines(v, shown, gap);
		return 0;
	}
	if (json_is_object(gap))
		log_warning("events %lld to %lld are not kept any more",
			(long long)json_int_opt(gap, "first", 0),
			(long long)json_int_opt(gap, "last", 0));
	if (v->json)
		print_json(s, shown, gap);
	else
		table_print(status_history_table(shown, uuids->n != 1, !v->no_legend, v->full));
	return 0;
}
