/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a gc as a table or JSON, and the supervisor's orphans: see gc_plan.h. */
#include "tools/gc_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/api.h"
#include "tools/table.h"
#include "tools/supervisor.h"

#define ANSWER_MS 10000
#define SECOND    INT64_C(1000000000)

void gc_plan_pod(json_t *pods, const struct pod *p, const char *action, int64_t due)
{
	json_array_append_new(pods, json_make("{s:s, s:s, s:s, s:o}", "uuid", p->uuid, "place",
					    pod_place_name(p->place), "action", action, "due",
					    due ? json_integer((json_int_t)due) : json_null()));
}

/* ---- the supervisor --------------------------------------------------------------------------- */

static json_t *ask(const char *socket, const char *method, struct err *err)
{
	_cleanup_varlink_ struct varlink *link = supervisor_connect(socket, err);
	json_t *reply = NULL;
	if (!link || varlink_roundtrip(link, method, NULL, ANSWER_MS, &reply, err) < 0)
		return NULL;
	return reply;
}

int gc_ask_supervisor(struct err *err)
{
	_cleanup_json_ json_t *reply = ask("admin", API_COLLECT, err);
	size_t i;
	const json_t *d;
	if (!reply && err->code == ERR_UNAVAILABLE) {
		log_debug("%s", err_msg(err));
		err_done(err);
		return 0;
	}
	if (!reply)
		return err_wrap(err, "collect orphaned domains");
	json_array_foreach (json_object_get(reply, "domains"), i, d)
		if (strcmp(json_str_opt(d, "action", ""), "kept") != 0)
			log_notice("domain %lld, %s: %s: the supervisor destroys it if a second "
				   "look agrees",
				(long long)json_int_opt(d, "domid", -1),
				json_str_opt(d, "uuid", ""), json_str_opt(d, "why", ""));
	return 0;
}

/* ---- printing --------------------------------------------------------------------------------- */

static void when_text(const json_t *o, const char *key, char ret[32])
{
	int64_t due = json_int_opt(o, key, 0);
	int64_t left = due / SECOND - (int64_t)time(NULL);
	if (!due)
		snprintf(ret, 32, "-");
	else if (left <= 0)
		snprintf(ret, 32, "now");
	else
		snprintf(ret, 32, "in %llds", (long long)left);
}

static void add_rows(struct table *t, const json_t *list, const char *what)
{
	size_t i;
	const json_t *o;
	json_array_foreach (list, i, o) {
		char domid[24] = "-";
		char when[32];
		int64_t n = json_int_opt(o, "domid", -1);
		const char *place = json_str_opt(o, "place", "");
		if (n >= 0)
			snprintf(domid, sizeof domid, "%lld", (long long)n);
		when_text(o, "due", when);
		const char *row[] = {json_str_opt(o, "kind", what), json_str_opt(o, "uuid", ""),
			domid, json_str_opt(o, "action", "kept"), when,
			json_str_opt(o, "why", place)};
		table_row(t, row);
	}
}

static void print_table(const json_t *plan)
{
	static const char *const columns[] = {
		"WHAT", "UUID", "DOMID", "ACTION", "WHEN", "WHY", NULL};
	struct table *t = table_new(columns, true);
	add_rows(t, json_object_get(plan, "pods"), "pod");
	add_rows(t, json_object_get(plan, "domains"), "domain");
	add_rows(t, json_object_get(plan, "leftovers"), "?");
	table_print(t);
}

int gc_plan_print(json_t *pods, bool json, struct err *err)
{
	_cleanup_json_ json_t *seen = ask("status", API_ORPHANS, err);
	_cleanup_json_ json_t *plan = json_make("{s:O, s:b}", "pods", pods, "supervisor", !!seen);
	if (!seen && err->code != ERR_UNAVAILABLE)
		return err_wrap(err, "ask for orphaned domains");
	if (seen) {
		json_object_update(plan, seen);
	} else {
		log_warning("%s; orphaned domains are not shown", err_msg(err));
		err_done(err);
		json_object_set_new(plan, "domains", json_array());
		json_object_set_new(plan, "leftovers", json_array());
	}
	if (!json) {
		print_table(plan);
		return 0;
	}
	json_dumpf(plan, stdout, JSON_INDENT(2));
	putchar('\n');
	return 0;
}
