/* SPDX-License-Identifier: Apache-2.0 */
/* Which options there are, and which go together: see status_options.h. */
#include "tools/status_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tools/duration.h"
#include "tools/options.h"
#include "tools/status.h"

/* Letters are ids that can be given by themselves (options.h). */
enum {
	OPT_JSON = 256,
	OPT_NO_LEGEND,
	OPT_FULL,
	OPT_HEALTH,
	OPT_VERSION,
	OPT_SORT,
	OPT_STATE,
	OPT_NAME,
	OPT_HISTORY,
	OPT_SINCE,
	OPT_WAIT,
	OPT_TIMEOUT,
	OPT_WATCH,
	OPT_LINES,
};

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"no-legend", no_argument, NULL, OPT_NO_LEGEND},
	{"noheadings", no_argument, NULL, OPT_NO_LEGEND},
	{"full", no_argument, NULL, OPT_FULL},
	{"output", required_argument, NULL, 'o'},
	{"sort", required_argument, NULL, OPT_SORT},
	{"reverse", no_argument, NULL, 'r'},
	{"state", required_argument, NULL, OPT_STATE},
	{"name", required_argument, NULL, OPT_NAME},
	{"history", no_argument, NULL, OPT_HISTORY},
	{"since", required_argument, NULL, OPT_SINCE},
	{"wait", optional_argument, NULL, OPT_WAIT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"watch", no_argument, NULL, OPT_WATCH},
	{"lines", no_argument, NULL, OPT_LINES},
	{"health", no_argument, NULL, OPT_HEALTH},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* What an option that is not for everything is about. */
#define M(mode) (1U << (mode))
static const struct {
	int id;
	unsigned modes;
	const char *with;
} only[] = {
	{'o', M(STATUS_LIST) | M(STATUS_WATCH), "the table of pods"},
	{OPT_SORT, M(STATUS_LIST) | M(STATUS_WATCH), "the list of pods"},
	{'r', M(STATUS_LIST) | M(STATUS_WATCH), "the list of pods"},
	{OPT_STATE, M(STATUS_LIST) | M(STATUS_WATCH), "the list of pods"},
	{OPT_NAME, M(STATUS_LIST) | M(STATUS_WATCH), "the list of pods"},
	{OPT_SINCE, M(STATUS_HISTORY) | M(STATUS_WATCH), "--history and --watch"},
	{OPT_LINES, M(STATUS_HISTORY) | M(STATUS_WATCH), "--history and --watch"},
	{OPT_TIMEOUT, M(STATUS_WAIT), "--wait"},
};

struct parsing {
	struct status_view *view;
	const char *columns;
	int seen[32]; /* options that were given, once each */
	size_t nseen;
	const char *mode_name; /* the option that chose the mode */
};

static void see(struct parsing *p, int id)
{
	for (size_t i = 0; i < p->nseen; i++)
		if (p->seen[i] == id)
			return;
	p->seen[p->nseen++] = id;
}

static bool was_seen(const struct parsing *p, int id)
{
	for (size_t i = 0; i < p->nseen; i++)
		if (p->seen[i] == id)
			return true;
	return false;
}

static int choose(struct parsing *p, enum status_mode mode, int id, struct err *err)
{
	const char *name = option_name(options, id);
	if (p->mode_name && strcmp(p->mode_name, name) != 0)
		return err_set(err, ERR_INVALID, "--%s and --%s are two things: one at a time",
			p->mode_name, name);
	p->mode_name = name;
	p->view->mode = mode;
	return 0;
}

static int parse_since(const char *text, int64_t *ret, struct err *err)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	bool oldest = !strcmp(text, "oldest");
	if (!oldest && (!*text || *end || errno || n < 0))
		return err_set(err, ERR_INVALID,
			"--since=%s: a whole number is wanted, or \"oldest\"", text);
	*ret = oldest ? STATUS_SINCE_OLDEST : n;
	return 0;
}

static int take(struct parsing *p, int id, struct err *err)
{
	struct status_view *v = p->view;
	see(p, id);
	v->json |= id == OPT_JSON;
	v->no_legend |= id == OPT_NO_LEGEND;
	v->full |= id == OPT_FULL;
	v->reverse |= id == 'r';
	v->lines |= id == OPT_LINES;
	switch (id) {
	case 'o':
		p->columns = optarg;
		return status_columns_parse(optarg, &v->columns, err);
	case OPT_SORT:
		return status_column_parse(optarg, &v->sort, err);
	case OPT_STATE:
		return status_filter_states(optarg, &v->filter, err);
	case OPT_NAME:
		words_add(&v->filter.names, optarg);
		return 0;
	case OPT_HISTORY:
		return choose(p, STATUS_HISTORY, id, err);
	case OPT_SINCE:
		return parse_since(optarg, &v->since, err);
	case OPT_WAIT:
		v->wait_state = optarg;
		if (optarg && status_state_check(optarg, err) < 0)
			return -1;
		return choose(p, STATUS_WAIT, id, err);
	case OPT_TIMEOUT:
		return duration_option("timeout", optarg, &v->timeout_ms, err);
	case OPT_WATCH:
		return choose(p, STATUS_WATCH, id, err);
	case OPT_HEALTH:
		return choose(p, STATUS_HEALTH, id, err);
	default:
		return 0;
	}
}

static int check_modes(const struct parsing *p, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(only); i++)
		if (was_seen(p, only[i].id) && !(only[i].modes & M(p->view->mode)))
			return err_set(err, ERR_INVALID, "--%s is for %s only",
				option_name(options, only[i].id), only[i].with);
	return 0;
}

static int check(struct parsing *p, struct err *err)
{
	struct status_view *v = p->view;
	bool listed = was_seen(p, 'o') || was_seen(p, OPT_SORT) || was_seen(p, 'r') ||
		      was_seen(p, OPT_STATE) || was_seen(p, OPT_NAME);
	if (!p->mode_name && v->filter.uuids.n == 1 && !listed)
		v->mode = STATUS_SHOW;
	if (v->reverse && v->sort < 0 && status_column_parse("CREATED", &v->sort, err) < 0)
		return -1;
	if (v->json && p->columns)
		return err_set(
			err, ERR_INVALID, "--output is for the table: --json has all there is");
	if (v->mode == STATUS_HEALTH && v->filter.uuids.n)
		return err_set(err, ERR_INVALID, "--health is of the supervisor, not of pod \"%s\"",
			v->filter.uuids.v[0]);
	if (v->mode == STATUS_WAIT && !v->filter.uuids.n)
		return err_set(err, ERR_INVALID, "--wait needs the UUID of a pod");
	if (v->mode == STATUS_WAIT && v->filter.uuids.n > STATUS_WAIT_MAX)
		return err_set(err, ERR_INVALID, "--wait is for %d pods at most", STATUS_WAIT_MAX);
	return check_modes(p, err);
}

/* Options may stand behind UUIDs; behind "--" there are none. */
static int read_words(int argc, char **argv, struct parsing *p, struct err *err)
{
	optind = 0;
	for (;;) {
		int id = option_next(argc, argv, options, err);
		if (id < OPTION_END)
			return -1;
		if (id == 'h' || id == OPT_VERSION) {
			p->view->mode = id == 'h' ? STATUS_HELP : STATUS_VERSION;
			return 1;
		}
		if (id > OPTION_END && take(p, id, err) < 0)
			return -1;
		if (id > OPTION_END)
			continue;
		bool rest = !strcmp(argv[optind - 1], "--");
		while (optind < argc && (rest || argv[optind][0] != '-' || !argv[optind][1]))
			words_add(&p->view->filter.uuids, argv[optind++]);
		if (optind >= argc)
			return 0;
	}
}

int status_options_parse(int argc, char **argv, struct status_view *ret, struct err *err)
{
	struct parsing p = {.view = ret};
	*ret = (struct status_view){.sort = -1, .since = STATUS_SINCE_NOW, .timeout_ms = -1};
	status_columns_default(&ret->columns);
	int r = read_words(argc, argv, &p, err);
	return r == 0 ? check(&p, err) : r < 0 ? -1 : 0;
}

json_t *status_view_members(const struct status_view *v)
{
	return v->json ? NULL
		       : status_columns_members(&v->columns, v->sort,
				 v->filter.names.n ? "state apps domain" : "state");
}

void status_view_done(struct status_view *v)
{
	status_filter_done(&v->filter);
}
