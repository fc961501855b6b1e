/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod logs`: becomes journalctl with the matches for a pod's output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tools/options.h"
#include "tools/status.h"
#include "tools/verbs.h"

enum { OPT_APP = 256, OPT_STREAM, OPT_SINCE, OPT_UNTIL, OPT_ALL };

static const struct option options[] = {
	{"app", required_argument, NULL, OPT_APP},
	{"stream", required_argument, NULL, OPT_STREAM},
	{"follow", no_argument, NULL, 'f'},
	{"lines", required_argument, NULL, 'n'},
	{"since", required_argument, NULL, OPT_SINCE},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"output", required_argument, NULL, 'o'},
	{"all", no_argument, NULL, OPT_ALL},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod logs [OPTION...] UUID\n"
	     "Show what a pod's apps have said, from the journal. A whole UUID may also be that of "
	     "a\n"
	     "removed pod.\n"
	     "\n"
	     "      --app=NAME       of this app only\n"
	     "      --stream=NAME    stdout or stderr only\n"
	     "      --all            what the supervisor says of the pod as well\n"
	     "  -f, --follow         and what comes\n"
	     "  -n, --lines=N        the last N lines\n"
	     "      --since=TIME     not what is older; times as in systemd.time(7)\n"
	     "      --until=TIME     nor what is newer\n"
	     "  -o, --output=FORMAT  as journalctl's (default cat: the text alone)\n"
	     "\n"
	     "Exit status: journalctl's; 254 when there is no such pod.");
}

/* The words of journalctl's command line; those that are made for it stay until exec or the end. */
struct journalctl {
	char **v;
	size_t n;
};

static void add(struct journalctl *j, const char *name, const char *value)
{
	j->v = xreallocarray(j->v, j->n + 2, sizeof *j->v);
	j->v[j->n++] = value ? xasprintf("%s=%s", name, value) : xstrdup(name);
	j->v[j->n] = NULL;
}

static void done(struct journalctl *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->v[i]);
	free(j->v);
}

struct wanted {
	const char *app, *stream;
	bool all;
};

static int parse(int argc, char **argv, struct journalctl *j, struct wanted *w, struct err *err)
{
	const char *format = "cat";
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, err)) > OPTION_END) {
		if (id == 'h')
			return id;
		if (id == OPT_APP)
			w->app = optarg;
		else if (id == OPT_STREAM)
			w->stream = optarg;
		else if (id == OPT_ALL)
			w->all = true;
		else if (id == 'o')
			format = optarg;
		else if (id == 'f')
			add(j, "--follow", NULL);
		else
			add(j,
				id == 'n'         ? "--lines"
				: id == OPT_SINCE ? "--since"
						  : "--until",
				optarg);
	}
	if (id < 0)
		return -1;
	if (w->stream && strcmp(w->stream, "stdout") != 0 && strcmp(w->stream, "stderr") != 0)
		return err_set(
			err, ERR_INVALID, "--stream is stdout or stderr, not \"%s\"", w->stream);
	if (argc - optind != 1)
		return err_set(err, ERR_INVALID,
			"logs needs the UUID of one pod (xenpod-status shows them)");
	add(j, "--output", format);
	return 0;
}

/* Matches of one field are alternatives, of several conditions: journalctl(1). */
static void add_matches(struct journalctl *j, const struct wanted *w, const char *uuid)
{
	add(j, "XENPOD_UUID", uuid);
	if (w->app)
		add(j, "XENPOD_APP", w->app);
	if (w->stream)
		add(j, "XENPOD_STREAM", w->stream);
	if (w->all || w->stream)
		return;
	add(j, "XENPOD_STREAM", "stdout");
	add(j, "XENPOD_STREAM", "stderr");
}

static int find(const char *given, char ret[UUID_TEXT_SIZE], struct err *err)
{
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	if (uuid_parse(given, ret, NULL) == 0)
		return 0;
	if (status_open(&s, &notice, err) < 0)
		return -1;
	int r = status_whole_uuid(s, given, ret, err);
	status_close(s);
	return r;
}

int cmd_logs(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct journalctl j = {0};
	struct wanted w = {0};
	char uuid[UUID_TEXT_SIZE];
	add(&j, "journalctl", NULL);
	add(&j, "--quiet", NULL);
	int r = parse(argc, argv, &j, &w, &err);
	if (r == 'h') {
		help();
		done(&j);
		return 0;
	}
	if (r == 0 && find(argv[optind], uuid, &err) == 0) {
		add_matches(&j, &w, uuid);
		execvp(j.v[0], j.v);
		err_sys(&err, "journalctl");
	}
	done(&j);
	return verb_failed(&err);
}
