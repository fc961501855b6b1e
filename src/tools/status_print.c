/* SPDX-License-Identifier: Apache-2.0 */
/* One pod in detail, for people: pure functions of the API's JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/term.h"
#include "base/uuid.h"
#include "fsm/cause.h"
#include "tools/status.h"
#include "tools/table.h"

static char *number_text(const json_t *o, const char *key)
{
	int64_t v = json_int_opt(o, key, -1);
	return v < 0 ? xstrdup("-") : xasprintf("%" PRId64, v);
}

static void print_pair(const char *name, const char *value)
{
	if (value && *value)
		printf("%-10s %s\n", name, value);
}

static void print_time(const char *name, const json_t *pod, const char *key)
{
	char when[32];
	char age[24];
	int64_t at = json_int_opt(pod, key, 0);
	time_text(at, when);
	age_text(at, age);
	if (at > 0)
		printf("%-10s %s (%s ago)\n", name, when, age);
}

static void print_end(const json_t *pod)
{
	const char *cause = json_str_opt(pod, "cause", "");
	const char *message = json_str_opt(pod, "message", "");
	_cleanup_free_ char *why = xasprintf("%s%s%s%s", cause, *message ? ": " : "", message,
		json_bool_opt(pod, "forced", false) ? " (forced)" : "");
	_cleanup_free_ char *code = number_text(pod, "code");
	print_time("ended", pod, "ended");
	print_pair("why", *cause ? why : "");
	print_pair("exit code", *code == '-' ? "" : code);
}

/* One line each: interface, name, addresses, name servers. */
static void print_networks(const json_t *pod)
{
	size_t i;
	size_t k;
	json_t *net;
	json_t *v;
	json_array_foreach (json_object_get(pod, "networks"), i, net) {
		printf("%-10s %s (%s)", "network", json_str_opt(net, "ifname", "?"),
			json_str_opt(net, "name", "?"));
		json_array_foreach (json_object_get(net, "addresses"), k, v)
			printf(" %s", json_string_value(v) ? json_string_value(v) : "?");
		json_array_foreach (
			json_object_get(json_object_get(net, "dns"), "nameservers"), k, v)
			printf("%s %s", k ? "" : ", DNS",
				json_string_value(v) ? json_string_value(v) : "?");
		putchar('\n');
	}
}

/* Mounted by whom, where, and what it is: a directory of the host, or an empty one of the pod's. */
static void print_volumes(const json_t *volumes)
{
	size_t i;
	json_t *v;
	json_array_foreach (volumes, i, v)
		printf("%-10s %s:%s (%s%s)\n", "volume", json_str_opt(v, "app", "?"),
			json_str_opt(v, "path", "?"), json_str_opt(v, "kind", "?"),
			json_bool_opt(v, "read_only", false) ? ", read-only" : "");
}

static void print_use(const json_t *pod)
{
	const json_t *domain = json_object_get(pod, "domain");
	int64_t ns = json_int_opt(domain, "cpu_time_ns", -1);
	char up[24];
	char seen[24];
	duration_text(status_uptime_ns(pod), up);
	age_text(json_int_opt(domain, "seen", 0), seen);
	print_pair("uptime", up);
	if (ns >= 0)
		printf("%-10s %.1f s CPU time, %" PRId64 " MiB memory (seen %s ago)\n", "uses",
			(double)ns / 1e9, json_int_opt(domain, "memory_kib", 0) / 1024, seen);
}

/* Desired, stored, hypervisor and lock side by side, and what of it does not fit together. */
static void print_truth(const json_t *truth)
{
	static const char *const columns[] = {"DESIRED", "STORED", "HYPERVISOR", "LOCK", NULL};
	struct table *t = table_new(columns, true);
	size_t i;
	json_t *text;
	int64_t holder = json_int_opt(truth, "holder", 0);
	_cleanup_free_ char *by =
		holder ? xasprintf(" (taken by process %" PRId64 ")", holder) : xstrdup("");
	_cleanup_free_ char *lock = xasprintf("%s%s", json_str_opt(truth, "lock", "not known"), by);
	const char *row[] = {json_str_opt(truth, "desired", "?"),
		json_str_opt(truth, "stored", "?"), json_str_opt(truth, "hypervisor", "not known"),
		lock};
	table_row(t, row);
	putchar('\n');
	table_print(t);
	bool colour = term_colours(STDOUT_FILENO);
	json_array_foreach (json_object_get(truth, "differs"), i, text)
		printf("%sDIFFERS%s    %s\n", colour ? "\033[1;31m" : "", colour ? "\033[m" : "",
			json_string_value(text));
}

/* What another toolstack has made of the domain. */
static void print_external(const json_t *domain)
{
	size_t i;
	json_t *what;
	json_array_foreach (json_object_get(domain, "external"), i, what) {
		const char *name = json_string_value(what);
		if (name && !strcmp(name, "name"))
			printf("%-10s renamed to \"%s\"\n", "external",
				json_str_opt(domain, "name", "?"));
		else if (name && !strcmp(name, "memory"))
			printf("%-10s memory set to %" PRId64 " MiB\n", "external",
				json_int_opt(domain, "memory_kib", 0) / 1024);
	}
}

static void print_pod(const json_t *pod, const json_t *volumes)
{
	_cleanup_free_ char *state = status_state_text(pod);
	_cleanup_free_ char *domid = number_text(pod, "domid");
	_cleanup_free_ char *domain =
		xasprintf("%s (generation %" PRId64 ")", domid, json_int_opt(pod, "generation", 0));
	_cleanup_free_ char *size = xasprintf("%" PRId64 " MiB, %" PRId64 " vCPUs, network %s",
		json_int_opt(pod, "memory_kib", 0) / 1024, json_int_opt(pod, "vcpus", 0),
		json_str_opt(pod, "net", "none"));
	print_pair("state", state);
	print_pair("domain", *domid == '-' ? "none" : domain);
	print_pair("size", size);
	print_use(pod);
	print_external(json_object_get(pod, "domain"));
	print_networks(pod);
	print_volumes(volumes);
	print_pair("directory", json_str_opt(pod, "dir", ""));
	print_time("created", pod, "created");
	print_time("started", pod, "started");
	_cleanup_free_ char *restart = status_restart_line(pod);
	print_end(pod);
	print_pair("restart", restart);
	_cleanup_free_ char *next = status_next_line(pod);
	print_pair("next start", next);
}

static void print_apps(const json_t *pod)
{
	static const char *const columns[] = {
		"APP", "STATE", "END", "STARTED", "ENDED", "WHY", NULL};
	struct table *t = table_new(columns, true);
	size_t i;
	json_t *app;
	json_array_foreach (json_object_get(pod, "apps"), i, app) {
		char started[32];
		char ended[32];
		bool over =
			json_int_opt(app, "code", -1) >= 0 || json_int_opt(app, "signal", -1) >= 0;
		_cleanup_free_ char *end = over ? status_app_end_text(app) : xstrdup("-");
		time_text(json_int_opt(app, "started", 0), started);
		time_text(json_int_opt(app, "ended", 0), ended);
		const char *row[] = {json_str_opt(app, "name", "?"),
			json_str_opt(app, "state", "?"), end, started, ended,
			json_str_opt(app, "message", "")};
		table_row(t, row);
	}
	putchar('\n');
	table_print(t);
}

static void print_history(json_t *history)
{
	status_history_lasted(history);
	putchar('\n');
	table_print(status_history_table(history, false, true, false));
}

/* What the pod still holds on this machine: nothing, once it has ended in order. */
static void print_ledger(const json_t *ledger)
{
	size_t i;
	json_t *l;
	json_array_foreach (ledger, i, l) {
		const char *state = json_str_opt(l, "state", "");
		if (strcmp(state, "released") != 0)
			printf("%-10s %s %s\n", !strcmp(state, "held") ? "holds" : "intends",
				json_str_opt(l, "kind", "?"), json_str_opt(l, "name", ""));
	}
}

/* Nothing is kept of a pod that ended as it should: then nothing is missing either. */
static bool console_is_missed(const json_t *pod)
{
	int cause = pod_cause_from_name(json_str_opt(pod, "cause", ""));
	int state = pod_state_from_name(json_str_opt(pod, "state", ""));
	return state >= 0 && pod_state_ended((enum pod_state)state) && cause > CAUSE_NONE &&
	       !pod_cause_in_order((enum pod_cause)cause, json_int_opt(pod, "code", -1)) &&
	       json_int_opt(pod, "generation", 0) > 0;
}

/* The guest's own last words, a line each, so that they cannot be taken for ours. */
static void print_console(const json_t *show)
{
	const char *text = json_str_opt(show, "console", NULL);
	if (!text && console_is_missed(json_object_get(show, "pod")))
		print_pair("console:", "none: xenconsoled does not log guests (--log=guest)");
	_cleanup_free_ char *copy = text && *text ? xstrdup(text) : NULL;
	char *rest = copy;
	char *line;
	while ((line = strsep(&rest, "\n")))
		printf("%-10s %s\n", "console:", line);
}

void status_print_json(const json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

void status_print_show(const json_t *show, const char *uuid)
{
	const json_t *pod = json_object_get(show, "pod");
	print_pair("pod", uuid);
	if (json_is_object(pod)) {
		print_pod(pod, json_object_get(show, "volumes"));
		print_ledger(json_object_get(show, "ledger"));
		print_truth(json_object_get(show, "truth"));
		print_apps(pod);
		print_console(show);
	} else {
		print_pair("state", "removed");
	}
	print_history(json_object_get(show, "history"));
}
