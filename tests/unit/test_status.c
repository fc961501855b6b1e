/* SPDX-License-Identifier: Apache-2.0 */
/* What xenpod-status shows: columns, order, filters, history, when a wait is over. */
/* LINK: tools store fsm proto base */
/* LIBS: smartcols sqlite3 */
#include "unit.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/status.h"
#include "tools/status_options.h"
#include "tools/table.h"

/* UUIDs aaaa, bbbb, cccc; created in this order; of the states and apps that the tests ask for. */
static json_t *three_pods(void)
{
	static const char text[] =
		"[{'uuid':'aaaa0000-0000-4000-8000-000000000000','state':'running','word':'running'"
		","
		"'want':'up','generation':2,'domid':10,'created':1000000000,'started':2000000000,"
		"'ended':null,'cause':'','message':'','code':null,'apps':[{'name':'web','state':"
		"'running','code':null,'signal':null}],'memory_kib':131072,'vcpus':2,'domain':{"
		"'state':'running','name':'renamed','cpu_time_ns':41560000000}},"
		"{'uuid':'bbbb0000-0000-4000-8000-000000000000','state':'booting','word':'starting'"
		","
		"'domid':9,'created':2000000000,'apps':[{'name':'web-2','state':'waiting'}],"
		"'memory_kib':65536},"
		"{'uuid':'cccc0000-0000-4000-8000-000000000000','state':'exited','word':'exited',"
		"'domid':null,'created':3000000000,'started':4000000000,'ended':194000000000,"
		"'cause':'oom','code':137,'apps':[{'name':'db','state':'oom','code':null,"
		"'signal':9}],'memory_kib':1048576}]";
	char *json = xstrdup(text);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	json_t *pods = json_parse(json, strlen(json), "pods", NULL);
	assert_non_null(pods);
	free(json);
	return pods;
}

static void shows(
	const json_t *pods, const char *column, const char *a, const char *b, const char *c)
{
	const char *want[] = {a, b, c};
	int col;
	struct err err = {0};
	assert_ok(status_column_parse(column, &col, &err), &err);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *text = status_column_text(col, json_array_get(pods, i), false);
		assert_string_equal(text, want[i]);
	}
}

static void test_columns(void **state)
{
	(void)state;
	_cleanup_json_ json_t *pods = three_pods();
	shows(pods, "uuid", "aaaa0000", "bbbb0000", "cccc0000");
	shows(pods, "STATE", "running", "starting (booting)", "exited");
	shows(pods, "domid", "10", "9", "-");
	shows(pods, "apps", "web=running", "web-2=waiting", "db=SIGKILL");
	shows(pods, "cpu", "41.5s", "-", "-");
	shows(pods, "memory", "128", "64", "1024");
	shows(pods, "code", "-", "-", "137");
	shows(pods, "domain", "running", "-", "-");
	shows(pods, "why", "", "", "oom");
	shows(pods, "life", "2", "0", "0");
	shows(pods, "restart", "never", "never", "never");
	assert_int_equal(status_uptime_ns(json_array_get(pods, 2)), 190000000000);
	assert_int_equal(status_uptime_ns(json_array_get(pods, 1)), -1);
}

static void test_columns_chosen(void **state)
{
	(void)state;
	struct err err = {0};
	struct status_columns c;
	status_columns_default(&c);
	size_t usual = c.n;
	assert_ok(status_columns_parse("+cpu,uuid,Memory", &c, &err), &err);
	assert_int_equal(c.n, usual + 2); /* UUID is there already */
	assert_string_equal(status_column_name(c.col[usual]), "CPU");
	assert_fails(status_columns_parse("uuid,nope", &c, &err), &err, ERR_INVALID,
		"no column \"nope\"; there are UUID, STATE, DOMID");
	assert_int_equal(c.n, usual + 2);
	assert_ok(status_columns_parse("CODE", &c, &err), &err);
	assert_int_equal(c.n, 1);
	assert_fails(status_columns_parse("", &c, &err), &err, ERR_INVALID, "no column \"\"");
}

/* What a table does not show is not asked for; what is sorted by and looked at is. */
static void test_members(void **state)
{
	(void)state;
	struct err err = {0};
	struct status_columns c = {0};
	assert_ok(status_columns_parse("uuid,cpu", &c, &err), &err);
	_cleanup_json_ json_t *few = status_columns_members(&c, -1, "state");
	_cleanup_free_ char *text = json_text(few);
	assert_string_equal(text, "[\"uuid\",\"word\",\"created\",\"state\",\"domain\"]");
	int sort;
	assert_ok(status_column_parse("code", &sort, &err), &err);
	_cleanup_json_ json_t *sorted = status_columns_members(&c, sort, "apps");
	_cleanup_free_ char *more = json_text(sorted);
	assert_string_equal(more, "[\"uuid\",\"word\",\"created\",\"apps\",\"domain\",\"code\"]");
}

/* Each column says the same of a pod that has only the members that it says it needs. */
static void test_needs(void **state)
{
	(void)state;
	struct status_columns c = {0};
	struct err err = {0};
	assert_ok(
		status_columns_parse("uuid,state,domid,apps,networks,why,want,domain,life,created,"
				     "started,ended,cpu,memory,vcpus,code,cause,message,restart,"
				     "next,lives,net,dir",
			&c, &err),
		&err);
	_cleanup_json_ json_t *pods = three_pods();
	for (size_t k = 0; k < c.n; k++) {
		struct status_columns one = {.col = {c.col[k]}, .n = 1};
		_cleanup_json_ json_t *members = status_columns_members(&one, -1, "uuid");
		for (size_t i = 0; i < 3; i++) {
			const json_t *pod = json_array_get(pods, i);
			_cleanup_json_ json_t *part = json_object();
			for (size_t m = 0; m < json_array_size(members); m++) {
				const char *name = json_string_value(json_array_get(members, m));
				json_object_set(part, name, json_object_get(pod, name));
			}
			_cleanup_free_ char *of_all = status_column_text(c.col[k], pod, true);
			_cleanup_free_ char *of_part = status_column_text(c.col[k], part, true);
			assert_string_equal(of_part, of_all);
		}
	}
}

static void order(json_t *pods, const char *column, bool reverse, const char *want)
{
	int col;
	char got[4] = "";
	struct err err = {0};
	assert_ok(status_column_parse(column, &col, &err), &err);
	status_sort(pods, col, reverse);
	for (size_t i = 0; i < 3; i++)
		got[i] = json_str_opt(json_array_get(pods, i), "uuid", "?")[0];
	assert_string_equal(got, want);
}

static void test_sorted(void **state)
{
	(void)state;
	_cleanup_json_ json_t *pods = three_pods();
	order(pods, "domid", false, "cba"); /* by number: none, 9, 10 */
	order(pods, "state", false, "cab");
	order(pods, "state", true, "bac");
	order(pods, "age", false, "cba");
	order(pods, "created", false, "abc");
	order(pods, "memory", true, "cab");
	order(pods, "restart", false, "cab"); /* all the same: nothing moves */
	order(pods, "restart", true, "cab");
	assert_int_equal(json_array_size(pods), 3);
}

/* What is left of the three, by the first letter of each. */
static void left(struct status_filter *f, const char *want)
{
	struct err err = {0};
	char got[4] = "";
	_cleanup_json_ json_t *pods = three_pods();
	assert_ok(status_filter_pods(f, pods, &err), &err);
	for (size_t i = 0; i < json_array_size(pods); i++)
		got[i] = json_str_opt(json_array_get(pods, i), "uuid", "?")[0];
	assert_string_equal(got, want);
	status_filter_done(f);
}

static void test_filters(void **state)
{
	(void)state;
	struct err err = {0};
	struct status_filter f = {0};
	left(&f, "abc");
	assert_ok(status_filter_states("starting,exited", &f, &err), &err);
	left(&f, "bc");
	assert_ok(status_filter_states("booting", &f, &err), &err);
	left(&f, "b");
	words_add(&f.names, "web*");
	left(&f, "ab");
	words_add(&f.names, "renamed"); /* the domain's */
	words_add(&f.names, "db");
	left(&f, "ac");
	words_add(&f.uuids, "CC");
	words_add(&f.uuids, "aaaa0000-0000-4000-8000-000000000000");
	left(&f, "ac");
	words_add(&f.uuids, "cc");
	assert_ok(status_filter_states("running", &f, &err), &err);
	left(&f, "");
	words_add(&f.uuids, "dd");
	_cleanup_json_ json_t *pods = three_pods();
	assert_fails(status_filter_pods(&f, pods, &err), &err, ERR_NOTFOUND, "no pod \"dd\"");
	status_filter_done(&f);
	assert_fails(status_filter_states("running,up", &f, &err), &err, ERR_INVALID,
		"no state \"up\"; there are starting, running, paused");
	status_filter_done(&f);
}

/* ---- tables on a terminal ------------------------------------------------------------------------ */

static size_t longest(const char *text)
{
	size_t most = 0;
	for (; *text; text += strcspn(text, "\n") + 1) {
		size_t n = strcspn(text, "\n");
		most = n > most ? n : most;
	}
	return most;
}

static void test_width(void **state)
{
	(void)state;
	struct status_columns c;
	struct err err = {0};
	_cleanup_json_ json_t *pods = three_pods();
	json_t *app = json_array_get(json_object_get(json_array_get(pods, 0), "apps"), 0);
	json_object_set_new(app, "name",
		json_string("a-name-that-is-longer-than-all-others-and-does-not-fit-in-here"));
	status_columns_default(&c);
	_cleanup_free_ char *narrow = table_text(status_table(pods, &c, true, false), 80);
	assert_in_range(longest(narrow), 60, 80);
	assert_non_null(strstr(narrow, "a-name-that"));
	assert_null(strstr(narrow, "fit-in-here"));
	assert_non_null(strstr(narrow, "starting (booting)"));
	_cleanup_free_ char *wide = table_text(status_table(pods, &c, true, false), 200);
	assert_non_null(strstr(wide, "fit-in-here=running"));
	/* More columns than fit at all: cut at the edge, and each pod has a line still. */
	assert_ok(
		status_columns_parse("+created,started,ended,uptime,want,domain", &c, &err), &err);
	_cleanup_free_ char *many = table_text(status_table(pods, &c, true, false), 80);
	assert_in_range(longest(many), 60, 80);
	size_t lines = 0;
	for (const char *p = many; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 4);
}

static void test_durations(void **state)
{
	(void)state;
	static const struct {
		int64_t ns;
		const char *text;
	} all[] = {{-1, ""}, {0, "0ms"}, {250999999, "250ms"}, {1590000000, "1.5s"},
		{59900000000, "59.9s"}, {245000000000, "4m05s"}, {11220000000000, "3h07m"},
		{187200000000000, "2d04h"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char text[24];
		duration_text(all[i].ns, text);
		assert_string_equal(text, all[i].text);
	}
}

/* ---- history ------------------------------------------------------------------------------------- */

static json_t *event(
	const char *uuid, int64_t at, const char *name, const char *from, const char *to)
{
	return json_make("{s:s, s:I, s:s, s:s, s:s}", "uuid", uuid, "at", (json_int_t)at, "event",
		name, "from", from, "to", to);
}

static void test_lasted(void **state)
{
	(void)state;
	static const int64_t want[] = {-1, 5, -1, -1, 30, -1, 0};
	_cleanup_json_ json_t *rows = json_make("[o, o, o, o, o, o, o]",
		event("a", 10, "accept", "accepted", "accepted"),
		event("a", 15, "admit", "accepted", "exporting"),
		event("b", 17, "exported", "exporting",
			"networking"),                            /* its beginning is not there */
		event("a", 20, "stop", "exporting", "exporting"), /* stays */
		event("a", 45, "unwanted", "exporting", "clearing"),
		event("b", 46, "stop", "networking", "networking"),
		event("a", 40, "cleared", "clearing", "collecting")); /* the clock was set back */
	status_history_lasted(rows);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(json_int_opt(json_array_get(rows, i), "lasted", -1), want[i]);
}

/* ---- waiting ------------------------------------------------------------------------------------- */

static void test_wait_judged(void **state)
{
	(void)state;
	static const struct {
		const char *wanted, *state;
		int want;
	} all[] = {
		{NULL, "running", -1},
		{NULL, "exited", 0},
		{NULL, "failed", 0},
		{NULL, "gone", 0},
		{NULL, "backoff", -1},
		{"running", "booting", -1},
		{"running", "running", 0},
		{"running", "pausing", 0},
		{"running", "exited", STATUS_EXIT_ENDED},
		{"running", "backoff", -1},
		{"exited", "failed", STATUS_EXIT_ENDED},
		{"exited", "exited", 0},
		{"booting", "booting", 0},
		{"starting", "booting", 0},
		{"removed", "exited", -1},
		{"gone", "failed", -1},
		{"removed", "gone", 0},
		{"removing", "exited", -1},
		{"removing", "gone", STATUS_EXIT_ENDED},
		{"running", "no-such-state", -1},
		{NULL, "", -1},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_int_equal(status_wait_judge(all[i].wanted, all[i].state), all[i].want);
}

/* ---- the command line ---------------------------------------------------------------------------- */

/* Splits at spaces. The words live until the next call. */
static int parse(const char *line, struct status_view *v, struct err *err)
{
	static char text[256];
	static char name[] = "xenpod-status";
	static char *words[32] = {name};
	int n = 1;
	snprintf(text, sizeof text, "%s", line);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		words[n++] = w;
	words[n] = NULL;
	return status_options_parse(n, words, v, err);
}

static void parses(const char *line, enum status_mode mode, size_t uuids)
{
	struct err err = {0};
	struct status_view v;
	assert_ok(parse(line, &v, &err), &err);
	assert_int_equal(v.mode, mode);
	assert_int_equal(v.filter.uuids.n, uuids);
	status_view_done(&v);
}

static void parse_fails(const char *line, const char *text)
{
	struct err err = {0};
	struct status_view v;
	assert_fails(parse(line, &v, &err), &err, ERR_INVALID, text);
	status_view_done(&v);
}

static void test_modes(void **state)
{
	(void)state;
	parses("", STATUS_LIST, 0);
	parses("abc", STATUS_SHOW, 1);
	parses("abc --json", STATUS_SHOW, 1);
	parses("-- abc", STATUS_SHOW, 1);
	parses("abc -", STATUS_LIST, 2);
	parses("abc -o uuid", STATUS_LIST, 1);
	parses("abc --state=running def", STATUS_LIST, 2);
	parses("--history --since 7", STATUS_HISTORY, 0);
	parses("--history --since=oldest --lines", STATUS_HISTORY, 0);
	parses("--watch --lines --json --since=oldest", STATUS_WATCH, 0);
	parses("--wait a --timeout 1.5 b", STATUS_WAIT, 2);
	parses("--wait=running a", STATUS_WAIT, 1);
	parses("--help --nope", STATUS_HELP, 0);
	parses("--health", STATUS_HEALTH, 0);
}

static void test_refused(void **state)
{
	(void)state;
	parse_fails("--health abc", "not of pod \"abc\"");
	parse_fails("--health --history", "--health and --history are two things");
	parse_fails("--history --sort=age", "--sort is for the list of pods only");
	parse_fails("-o uuid --json", "--output is for the table");
	parse_fails("--since=3", "--since is for");
	parse_fails("--history --since=-3", "a whole number is wanted");
	parse_fails("--history --since=3x", "a whole number is wanted");
	parse_fails("--history --since=old", "a whole number is wanted");
	parse_fails("--lines", "--lines is for --history and --watch only");
	parse_fails("--timeout=3 abc", "--timeout is for --wait only");
	parse_fails("--wait", "needs the UUID");
	parse_fails("--wait=sleeping a", "no state \"sleeping\"");
	parse_fails("--wait --timeout=soon a", "--timeout=soon: seconds");
	parse_fails("--sort=nope", "no column \"nope\"");
	parse_fails("-x", "option -x is not known");
	parse_fails("-o", "option -o needs a value");
}

static void test_values(void **state)
{
	(void)state;
	struct err err = {0};
	struct status_view v;
	assert_ok(parse("--wait=running a --timeout=1.5", &v, &err), &err);
	assert_int_equal(v.timeout_ms, 1500);
	assert_string_equal(v.wait_state, "running");
	status_view_done(&v);
	assert_ok(parse("--wait a --timeout=2m", &v, &err), &err);
	assert_int_equal(v.timeout_ms, 120000);
	assert_null(v.wait_state);
	status_view_done(&v);
	assert_ok(parse("-r --noheadings", &v, &err), &err);
	assert_true(v.no_legend);
	assert_string_equal(status_column_name(v.sort), "CREATED");
	status_view_done(&v);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_columns),
	cmocka_unit_test(test_columns_chosen),
	cmocka_unit_test(test_members),
	cmocka_unit_test(test_needs),
	cmocka_unit_test(test_sorted),
	cmocka_unit_test(test_filters),
	cmocka_unit_test(test_width),
	cmocka_unit_test(test_durations),
	cmocka_unit_test(test_lasted),
	cmocka_unit_test(test_wait_judged),
	cmocka_unit_test(test_modes),
	cmocka_unit_test(test_refused),
	cmocka_unit_test(test_values),
};

UNIT_MAIN(tests, NULL, NULL)
