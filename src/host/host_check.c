/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host check`: all checks, a line for each, and what to do. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/term.h"
#include "host/check.h"
#include "host/commands.h"
#include "tools/duration.h"
#include "tools/options.h"

/* `xl info` takes a second on a busy host, and a pod's start is given longer than that. */
#define TIMEOUT_MS     10000
#define TIMEOUT_MAX_MS 2000000000 /* it is kept in an int */

enum { OPT_JSON = 256, OPT_QUIET, OPT_TIMEOUT };

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct view {
	bool json;
	bool quiet; /* only what is not well */
	int timeout_ms;
};

static void help(void)
{
	puts("Usage: xenpod host check [--json | --quiet] [--timeout=SECONDS]\n"
	     "Look at all that pods need of this host: Xen and its services, kernel, memory, "
	     "QEMU,\n"
	     "networks, the supervisor. A line for each: ok, warn (pods run, but not all or not "
	     "as\n"
	     "well), fail, or skip: not looked at, because what it needs has failed. What is to "
	     "be\n"
	     "done stands below a warn or a fail. Nothing is changed.\n"
	     "\n"
	     "  --quiet            show only warn and fail\n"
	     "  --json             show all of it as JSON; its schema is in docs/schema\n"
	     "  --timeout=SECONDS  how long each thing that is asked may take (10)\n"
	     "\n"
	     "Exit status:\n"
	     "  0    nothing fails\n"
	     "  1    something fails\n"
	     "  254  wrong usage, or xenpod host itself failed");
}

/* ---- shown ------------------------------------------------------------------------------------------- */

static void print_one(const struct check *c, const struct finding *f, bool colours)
{
	static const char *const colour[] = {"32", "33", "31", "2"};
	const char *state = finding_state_name(f->state);
	if (colours)
		printf("\033[%sm%-4s\033[0m  %-12s  %s\n", colour[f->state], state, c->name,
			f->text);
	else
		printf("%-4s  %-12s  %s\n", state, c->name, f->text);
	if (f->todo)
		printf("      %-12s  -> %s\n", "", f->todo);
}

static void print(const struct view *v, const struct finding *found, size_t n)
{
	bool colours = term_colours(STDOUT_FILENO);
	size_t count[4] = {0};
	for (size_t i = 0; i < n; i++) {
		bool bad = found[i].state == FINDING_WARN || found[i].state == FINDING_FAIL;
		count[found[i].state]++;
		if (bad || !v->quiet)
			print_one(&CHECKS[i], &found[i], colours);
	}
	if (!v->quiet)
		printf("\n%zu ok, %zu warn, %zu fail, %zu skip\n", count[FINDING_OK],
			count[FINDING_WARN], count[FINDING_FAIL], count[FINDING_SKIP]);
}

static json_t *found_json(const struct check *c, const struct finding *f)
{
	return json_make("{s:s, s:s, s:s, s:s?, s:s?}", "name", c->name, "state",
		finding_state_name(f->state), "text", f->text, "todo", f->todo, "needs", f->needs);
}

static enum finding_state worst(const struct finding *found, size_t n)
{
	enum finding_state all = FINDING_OK;
	for (size_t i = 0; i < n; i++)
		if (found[i].state != FINDING_SKIP && found[i].state > all)
			all = found[i].state;
	return all;
}

static void print_json(const struct finding *found, size_t n)
{
	json_t *checks = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(checks, found_json(&CHECKS[i], &found[i]));
	_cleanup_json_ json_t *all = json_make("{s:s, s:s, s:o}", "version", XENPOD_VERSION,
		"state", finding_state_name(worst(found, n)), "checks", checks);
	_cleanup_free_ char *text = json_text(all);
	puts(text);
}

/* ---- the command ------------------------------------------------------------------------------------- */

static int parse_timeout(const char *text, int *ret_ms, struct err *err)
{
	int64_t ms;
	if (duration_option("timeout", text, &ms, err) < 0)
		return -1;
	if (ms < 1 || ms > TIMEOUT_MAX_MS)
		return err_set(err, ERR_INVALID,
			"--timeout=%s: seconds are wanted, from 0.001 to 2000000", text);
	*ret_ms = (int)ms;
	return 0;
}

/* 0: go on; 'h': help was printed. */
static int parse(int argc, char **argv, struct view *v, struct err *err)
{
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 'h';
		}
		v->json |= id == OPT_JSON;
		v->quiet |= id == OPT_QUIET;
		if (id == OPT_TIMEOUT && parse_timeout(optarg, &v->timeout_ms, err) < 0)
			return -1;
	}
	if (id != OPTION_END)
		return -1;
	if (optind < argc)
		return err_set(
			err, ERR_INVALID, "check takes no \"%s\" (see --help)", argv[optind]);
	if (v->json && v->quiet)
		return err_set(err, ERR_INVALID,
			"--json and --quiet are two ways to show it: one at a time");
	return 0;
}

int host_check(const struct host *h, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct view v = {.timeout_ms = TIMEOUT_MS};
	struct finding found[CHECKS_MAX];
	int r = parse(argc, argv, &v, &err);
	if (r < 0)
		return host_failed(&err);
	if (r > 0)
		return 0;
	struct doctor d = {.host = h, .timeout_ms = v.timeout_ms};
	size_t n = checks_make(&d, found);
	enum finding_state all = worst(found, n);
	if (v.json)
		print_json(found, n);
	else
		print(&v, found, n);
	for (size_t i = 0; i < n; i++)
		finding_done(&found[i]);
	doctor_done(&d);
	return all == FINDING_FAIL ? HOST_EXIT_NOT_SO : 0;
}
