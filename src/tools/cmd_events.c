/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod events`: becomes xenpod-status, whose history it is, and whose watch it goes on with. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tools/options.h"
#include "tools/verbs.h"
#include "tools/words.h"

enum { OPT_SINCE = 256, OPT_JSON, OPT_FULL };

static const struct option options[] = {
	{"follow", no_argument, NULL, 'f'},
	{"since", required_argument, NULL, OPT_SINCE},
	{"json", no_argument, NULL, OPT_JSON},
	{"full", no_argument, NULL, OPT_FULL},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod events [-f] [--since=SEQ] [--full] [--json] [UUID...]\n"
	     "Show what has happened to pods, a line for each transition: when, its number, the "
	     "pod,\n"
	     "the event, the state before and after, why. Of all pods or of those named, also of\n"
	     "removed ones (whole UUID). The newest 100000 are kept.\n"
	     "\n"
	     "  -f, --follow     go on with what happens, until interrupted\n"
	     "      --since=SEQ  what comes after this number; what is not kept any more of it is\n"
	     "                   reported. The number of the last line is where to go on\n"
	     "      --full       whole UUIDs\n"
	     "      --json       each as a line of JSON (docs/STATUS.md)\n"
	     "\n"
	     "Exit status: 0; 1 no such pod; 4 the supervisor does not answer and its store "
	     "cannot be\n"
	     "read; 130 interrupted; 254 wrong usage.");
}

/* What is asked of xenpod-status. */
struct asked {
	bool help;
	bool follow;
	bool json;
	bool full;
	const char *since; /* NULL: not said */
	struct words uuids;
};

static void take(struct asked *a, int id)
{
	a->help |= id == 'h';
	a->follow |= id == 'f';
	a->json |= id == OPT_JSON;
	a->full |= id == OPT_FULL;
	if (id == OPT_SINCE)
		a->since = optarg;
}

/* As xenpod-status reads its own: options may stand behind UUIDs; behind "--" there are none. */
static int parse(int argc, char **argv, struct asked *a, struct err *err)
{
	optind = 0;
	while (!a->help) {
		int id = option_next(argc, argv, options, err);
		if (id < OPTION_END)
			return -1;
		if (id > OPTION_END) {
			take(a, id);
			continue;
		}
		bool rest = !strcmp(argv[optind - 1], "--");
		while (optind < argc && (rest || argv[optind][0] != '-' || !argv[optind][1]))
			words_add(&a->uuids, argv[optind++]);
		if (optind >= argc)
			break;
	}
	return 0;
}

/* Who follows without a number begins where it begins without following: at the oldest that is kept. */
static int become(const struct asked *a)
{
	_cleanup_free_ char *since = xasprintf("--since=%s", a->since    ? a->since
							     : a->follow ? "oldest"
									 : "");
	const char *given[] = {a->follow ? "--watch" : "--history", "--lines",
		a->since || a->follow ? since : NULL, a->json ? "--json" : NULL,
		a->full ? "--full" : NULL, "--"};
	struct words w = {0};
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i])
			words_add(&w, given[i]);
	for (size_t i = 0; i < a->uuids.n; i++)
		words_add(&w, a->uuids.v[i]);
	words_add(&w, NULL);
	int status = verb_become("xenpod-status", w.v);
	words_done(&w);
	return status;
}

int cmd_events(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct asked a = {0};
	int status = 0;
	if (parse(argc, argv, &a, &err) < 0)
		status = verb_failed(&err);
	else if (a.help)
		help();
	else
		status = become(&a);
	words_done(&a.uuids);
	return status;
}
