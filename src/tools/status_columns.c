/* SPDX-License-Identifier: Apache-2.0 */
/* The list of columns: see status_columns.h. Pure functions of the API's JSON. */
#include "tools/status_columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/status.h"
#include "tools/table.h"

#define SECOND INT64_C(1000000000)

/* ---- what they say ---------------------------------------------------------------------------- */

static char *number(int64_t v)
{
	return v < 0 ? xstrdup("-") : xasprintf("%" PRId64, v);
}

static char *text_or_dash(const char *text)
{
	return xstrdup(*text ? text : "-");
}

static const json_t *domain_of(const json_t *pod)
{
	return json_object_get(pod, "domain");
}

static int64_t num_domid(const json_t *pod)
{
	return json_int_opt(pod, "domid", -1);
}

static int64_t num_generation(const json_t *pod)
{
	return json_int_opt(pod, "generation", 0);
}

static int64_t num_created(const json_t *pod)
{
	return json_int_opt(pod, "created", 0);
}

/* The youngest first: ages grow. */
static int64_t num_age(const json_t *pod)
{
	return -num_created(pod);
}

static int64_t num_started(const json_t *pod)
{
	return json_int_opt(pod, "started", 0);
}

static int64_t num_ended(const json_t *pod)
{
	return json_int_opt(pod, "ended", 0);
}

static int64_t num_memory(const json_t *pod)
{
	return json_int_opt(pod, "memory_kib", 0) / 1024;
}

static int64_t num_vcpus(const json_t *pod)
{
	return json_int_opt(pod, "vcpus", 0);
}

static int64_t num_code(const json_t *pod)
{
	return json_int_opt(pod, "code", -1);
}

static int64_t num_cpu(const json_t *pod)
{
	return json_int_opt(domain_of(pod), "cpu_time_ns", -1);
}

static int64_t num_next(const json_t *pod)
{
	return json_int_opt(json_object_get(pod, "restart"), "next", 0);
}

static int64_t num_lives(const json_t *pod)
{
	return json_int_opt(json_object_get(pod, "restart"), "lives", -1);
}

static char *text_want(const json_t *pod)
{
	return xstrdup(json_str_opt(pod, "want", "?"));
}

static char *text_domain(const json_t *pod)
{
	return text_or_dash(json_str_opt(domain_of(pod), "state", ""));
}

static char *text_networks(const json_t *pod)
{
	char *text = status_networks_text(pod);
	if (*text)
		return text;
	free(text);
	return xstrdup("-");
}

static char *text_age(const json_t *pod)
{
	char age[24];
	age_text(num_created(pod), age);
	return xstrdup(age);
}

static char *time_of(int64_t at)
{
	char when[32];
	time_text(at, when);
	return xstrdup(when);
}

static char *text_created(const json_t *pod)
{
	return time_of(num_created(pod));
}

static char *text_started(const json_t *pod)
{
	return time_of(num_started(pod));
}

static char *text_ended(const json_t *pod)
{
	return time_of(num_ended(pod));
}

static char *text_uptime(const json_t *pod)
{
	int64_t up = status_uptime_ns(pod);
	char text[24];
	duration_text(up, text);
	return xstrdup(up < 0 ? "-" : text);
}

static char *text_cpu(const json_t *pod)
{
	int64_t ns = num_cpu(pod);
	return ns < 0 ? xstrdup("-")
		      : xasprintf(
				"%" PRId64 ".%" PRId64 "s", ns / SECOND, ns % SECOND * 10 / SECOND);
}

static char *text_cause(const json_t *pod)
{
	return xstrdup(json_str_opt(pod, "cause", ""));
}

static char *text_message(const json_t *pod)
{
	return xstrdup(json_str_opt(pod, "message", ""));
}

static char *text_why(const json_t *pod)
{
	_cleanup_free_ char *next = status_restart_text(pod);
	return xasprintf("%s%s%s", json_str_opt(pod, "cause", ""), *next ? "; " : "", next);
}

static char *text_restart(const json_t *pod)
{
	return xstrdup(json_str_opt(json_object_get(pod, "restart"), "policy", "never"));
}

static char *text_next(const json_t *pod)
{
	return time_of(num_next(pod));
}

static char *text_net(const json_t *pod)
{
	return xstrdup(json_str_opt(pod, "net", "none"));
}

static char *text_dir(const json_t *pod)
{
	return xstrdup(json_str_opt(pod, "dir", ""));
}

/* ---- the list ---------------------------------------------------------------------------------- */

typedef char *(*text_fn)(const json_t *pod);
typedef int64_t (*num_fn)(const json_t *pod);

static const struct column {
	const char *name;
	bool right, fixed;
	text_fn text;      /* NULL: the number, or "-" */
	num_fn num;        /* NULL: sorted by the text */
	const char *needs; /* members of POD, a blank between two */
	const char *help;
} columns[] = {
	/* clang-format off */
	{"UUID",     false, true,  NULL,              NULL,           "uuid", "the first 8 digits; all of them with --full"},
	{"STATE",    false, true,  status_state_text, NULL,           "state word", "a word, and the exact state where that says more"},
	{"DOMID",    true,  true,  NULL,              num_domid,      "domid", "number of the domain"},
	{"APPS",     false, false, status_apps_text,  NULL,           "apps", "each app, and its exit code, signal or state"},
	{"NETWORKS", false, false, text_networks,     NULL,           "networks", "addresses"},
	{"AGE",      true,  true,  text_age,          num_age,        "created", "time since it was accepted"},
	{"WHY",      false, false, text_why,          NULL,           "cause restart state want", "why it ended, and when it is tried again"},
	{"WANT",     false, true,  text_want,         NULL,           "want", "up, down, or again: this life ends, another may follow"},
	{"DOMAIN",   false, true,  text_domain,       NULL,           "domain", "what Xen says: running, paused, stopped, dying"},
	{"LIFE",     true,  true,  NULL,              num_generation, "generation", "how many domains it has had"},
	{"CREATED",  false, true,  text_created,      num_created,    "created", "when it was accepted"},
	{"STARTED",  false, true,  text_started,      num_started,    "started", "when all apps had been started"},
	{"ENDED",    false, true,  text_ended,        num_ended,      "ended", "when it ended"},
	{"UPTIME",   true,  true,  text_uptime,       status_uptime_ns, "started ended", "from started until now, or until it ended"},
	{"CPU",      true,  true,  text_cpu,          num_cpu,        "domain", "CPU time of the domain, a minute old at most"},
	{"MEMORY",   true,  true,  NULL,              num_memory,     "memory_kib", "MiB that were asked for"},
	{"VCPUS",    true,  true,  NULL,              num_vcpus,      "vcpus", "how many that were asked for"},
	{"CODE",     true,  true,  NULL,              num_code,       "code", "exit code of the pod"},
	{"CAUSE",    false, true,  text_cause,        NULL,           "cause", "name of the cause of its end"},
	{"MESSAGE",  false, false, text_message,      NULL,           "message", "what is to be said of that"},
	{"RESTART",  false, true,  text_restart,      NULL,           "restart", "policy"},
	{"NEXT",     false, true,  text_next,         num_next,       "restart", "when it is tried again"},
	{"LIVES",    true,  true,  NULL,              num_lives,      "restart", "how often it has run, with a restart policy"},
	{"NET",      false, false, text_net,          NULL,           "net", "names of the networks asked for"},
	{"DIR",      false, false, text_dir,          NULL,           "dir", "the pod directory"},
	/* clang-format on */
};

_Static_assert(ARRAY_SIZE(columns) <= STATUS_COLUMNS_MAX, "STATUS_COLUMNS_MAX");

#define COL_UUID     0
#define COL_STATE    1
#define COLS_DEFAULT 7 /* the first */

void status_columns_default(struct status_columns *ret)
{
	*ret = (struct status_columns){0};
	for (; ret->n < COLS_DEFAULT; ret->n++)
		ret->col[ret->n] = (int)ret->n;
}

const char *status_column_name(int col)
{
	return columns[col].name;
}

/* Each once: an array that has it is no longer for that. */
static void add_members(json_t *list, const char *needs)
{
	_cleanup_free_ char *copy = xstrdup(needs);
	char *rest = copy;
	char *name;
	while ((name = strsep(&rest, " "))) {
		bool there = false;
		for (size_t i = 0; i < json_array_size(list); i++)
			there |= !strcmp(json_string_value(json_array_get(list, i)), name);
		if (!there)
			json_array_append_new(list, json_string(name));
	}
}

json_t *status_columns_members(const struct status_columns *c, int sort, const char *also)
{
	json_t *list = json_array();
	add_members(list, "uuid word created"); /* its colour and place */
	add_members(list, also);
	for (size_t i = 0; i < c->n; i++)
		add_members(list, columns[c->col[i]].needs);
	if (sort >= 0)
		add_members(list, columns[sort].needs);
	return list;
}

static char *names(void)
{
	char *all = xstrdup("");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		char *more = xasprintf("%s%s%s", all, i ? ", " : "", columns[i].name);
		free(all);
		all = more;
	}
	return all;
}

char *status_columns_help(void)
{
	char *all = xstrdup("");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		char *more = xasprintf("%s  %-9s %s\n", all, columns[i].name, columns[i].help);
		free(all);
		all = more;
	}
	return all;
}

int status_column_parse(const char *name, int *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (!strcasecmp(columns[i].name, name)) {
			*ret = (int)i;
			return 0;
		}
	_cleanup_free_ char *all = names();
	return err_set(err, ERR_INVALID, "there is no column \"%s\"; there are %s", name, all);
}

static int add_column(struct status_columns *c, const char *name, struct err *err)
{
	int col;
	if (status_column_parse(name, &col, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (c->col[i] == col)
			return 0;
	c->col[c->n++] = col;
	return 0;
}

int status_columns_parse(const char *text, struct status_columns *c, struct err *err)
{
	struct status_columns new = {0};
	if (*text == '+')
		new = *c;
	_cleanup_free_ char *copy = xstrdup(text + (*text == '+'));
	char *rest = copy;
	char *name;
	while ((name = strsep(&rest, ",")))
		if (add_column(&new, name, err) < 0)
			return -1;
	*c = new;
	return 0;
}

char *status_column_text(int col, const json_t *pod, bool full)
{
	const struct column *c = &columns[col];
	if (col == COL_UUID)
		return xstrndup(json_str_opt(pod, "uuid", ""), full ? 36 : 8);
	return c->text ? c->text(pod) : number(c->num(pod));
}

/* ---- sorting ----------------------------------------------------------------------------------- */

struct sorted {
	json_t *pod;
	size_t at;
	int64_t num;
	char *text; /* NULL: by num */
};

static int compare(const struct sorted *a, const struct sorted *b)
{
	if (a->text)
		return strcmp(a->text, b->text);
	return a->num < b->num ? -1 : a->num > b->num;
}

static int by_key(const void *a, const void *b)
{
	const struct sorted *x = a;
	const struct sorted *y = b;
	int c = compare(x, y);
	return c ? c : (x->at < y->at ? -1 : 1);
}

static int by_key_down(const void *a, const void *b)
{
	const struct sorted *x = a;
	const struct sorted *y = b;
	int c = compare(y, x);
	return c ? c : (x->at < y->at ? -1 : 1);
}

void status_sort(json_t *pods, int col, bool reverse)
{
	size_t n = json_array_size(pods);
	struct sorted *v = xcalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		json_t *pod = json_incref(json_array_get(pods, i));
		v[i] = (struct sorted){.pod = pod, .at = i};
		if (columns[col].num)
			v[i].num = columns[col].num(pod);
		else
			v[i].text = status_column_text(col, pod, true);
	}
	qsort(v, n, sizeof(*v), reverse ? by_key_down : by_key);
	for (size_t i = 0; i < n; i++) {
		json_array_set_new(pods, i, v[i].pod);
		free(v[i].text);
	}
	free(v);
}

/* ---- the table --------------------------------------------------------------------------------- */

struct table *status_table(
	const json_t *pods, const struct status_columns *c, bool legend, bool full)
{
	struct table_column heads[STATUS_COLUMNS_MAX];
	for (size_t k = 0; k < c->n; k++) {
		const struct column *col = &columns[c->col[k]];
		heads[k] = (struct table_column){col->name, col->right, col->fixed};
	}
	struct table *t = table_of(heads, c->n, legend);
	size_t i;
	json_t *pod;
	json_array_foreach (pods, i, pod) {
		char *row[STATUS_COLUMNS_MAX];
		for (size_t k = 0; k < c->n; k++)
			row[k] = status_column_text(c->col[k], pod, full);
		table_row_take(t, row);
		for (size_t k = 0; k < c->n; k++)
			if (c->col[k] == COL_STATE)
				table_colour_word(t, k, json_str_opt(pod, "word", ""));
	}
	return t;
}
