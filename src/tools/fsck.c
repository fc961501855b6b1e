/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod fsck`: is the supervisor's store sound, and does it fit what there is? */
#include "tools/fsck.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/api.h"
#include "store/fsck.h"
#include "tools/options.h"
#include "tools/verbs.h"

enum { OPT_REPAIR = 256, OPT_JSON };

static const struct option options[] = {
	{"repair", no_argument, NULL, OPT_REPAIR},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod fsck [--repair] [--json]\n"
	     "Looks at the supervisor's store: pages, indexes, each row, its id, what rows, "
	     "records\n"
	     "and pod directories say about each other; and asks the supervisor when it is there.\n"
	     "One line for each thing that is found: what, why it matters, what --repair does.\n"
	     "\n"
	     "  --repair  repair what can be, while xenpodd does not run. Nothing is lost: rows "
	     "that\n"
	     "            are taken out are kept as SQL in store.db.aside-TIME, a database that "
	     "cannot\n"
	     "            be read as store.db.corrupt-TIME\n"
	     "  --json    the findings as one JSON document\n"
	     "  --help    this text\n"
	     "\n"
	     "Exit status, as fsck(8): 0 nothing is wrong; 1 all that was found is repaired; 4 "
	     "something\n"
	     "is wrong still; 8 it could not be looked at, or xenpodd runs and --repair was asked "
	     "for;\n"
	     "16 wrong usage. $" API_ENV_STATE_DIR " names another directory than " API_STATE_DIR
	     ".");
}

static void add(struct fsck_run *r, const struct store_finding *f)
{
	json_array_append_new(r->findings,
		json_make("{s:s, s:s, s:s, s:s, s:b, s:b}", "what", f->what, "why", f->why,
			"repair", f->repair, "level", f->note ? "note" : "fault", "repairable",
			(int)f->repairable, "repaired", (int)f->repaired));
}

static void tell(
	struct fsck_run *r, const char *what, const char *why, const char *repair, bool note)
{
	struct store_finding f = {.what = what, .why = why, .repair = repair, .note = note};
	r->found += !note;
	r->left += !note;
	add(r, &f);
}

void fsck_add(struct fsck_run *r, const char *what, const char *why, const char *repair)
{
	tell(r, what, why, repair, false);
}

void fsck_note(struct fsck_run *r, const char *what, const char *why, const char *repair)
{
	tell(r, what, why, repair, true);
}

static void on_finding(void *ctx, const struct store_finding *f)
{
	add(ctx, f);
}

static int look(struct fsck_run *r, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/store.db", r->state_dir);
	struct store_fsck_result found;
	fsck_supervisor(r);
	if (r->repair && r->supervisor)
		return err_set(err, ERR_EXISTS,
			"xenpodd runs: stop it first (systemctl stop xenpodd; pods go on)");
	if (store_fsck(path, r->repair, on_finding, r, &found, err) < 0)
		return -1;
	r->found += found.found;
	r->left += found.left;
	return found.readable ? fsck_pods(r, path, err) : 0;
}

static void print_one(const json_t *f)
{
	bool note = !strcmp(json_str_opt(f, "level", ""), "note");
	const char *repair = json_str_opt(f, "repair", "");
	const char *mark = note                                    ? "note"
			   : json_bool_opt(f, "repaired", false)   ? "repaired"
			   : json_bool_opt(f, "repairable", false) ? "repairable"
								   : "fault";
	printf("%s: %s; %s; %s\n", mark, json_str_opt(f, "what", ""), json_str_opt(f, "why", ""),
		repair);
}

static void print(const struct fsck_run *r, int status)
{
	size_t i;
	const json_t *f;
	if (r->json) {
		_cleanup_json_ json_t *all = json_make("{s:s, s:b, s:O, s:i, s:i, s:i}",
			"state_dir", r->state_dir, "supervisor", (int)r->supervisor, "findings",
			r->findings, "found", r->found, "left", r->left, "exit", status);
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
		return;
	}
	json_array_foreach (r->findings, i, f)
		print_one(f);
	if (!r->found)
		puts("nothing is wrong");
	else
		printf("%d found, %d repaired\n", r->found, r->found - r->left);
}

static int status_of(const struct fsck_run *r)
{
	if (r->left)
		return FSCK_LEFT | (r->found > r->left ? FSCK_REPAIRED : 0);
	return r->found ? FSCK_REPAIRED : FSCK_CLEAN;
}

/* 0: go on; 'h': help was printed. */
static int parse(int argc, char **argv, struct fsck_run *r, struct err *err)
{
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 'h';
		}
		r->repair |= id == OPT_REPAIR;
		r->json |= id == OPT_JSON;
	}
	if (id == OPTION_END && optind < argc)
		return err_set(err, ERR_INVALID, "fsck takes no \"%s\"", argv[optind]);
	return id == OPTION_END ? 0 : -1;
}

int cmd_fsck(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *findings = json_array();
	const char *dir = getenv(API_ENV_STATE_DIR);
	struct fsck_run r = {.state_dir = dir && *dir ? dir : API_STATE_DIR, .findings = findings};
	int p = parse(argc, argv, &r, &err);
	if (p == 'h')
		return 0;
	if (p < 0) {
		(void)verb_failed(&err);
		return FSCK_USAGE;
	}
	if (verb_need_root("fsck", &err) < 0 || look(&r, &err) < 0) {
		(void)verb_failed(&err);
		return FSCK_FAILED;
	}
	int status = status_of(&r);
	print(&r, status);
	return status;
}
