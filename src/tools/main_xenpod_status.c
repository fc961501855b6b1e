/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-status`: what the supervisor knows of its pods, also while it is down. Changes nothing.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "tools/options.h"
#include "tools/status.h"

enum { OPT_JSON = 256, OPT_NO_LEGEND, OPT_FULL, OPT_HEALTH, OPT_VERSION };

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"no-legend", no_argument, NULL, OPT_NO_LEGEND},
	{"full", no_argument, NULL, OPT_FULL},
	{"health", no_argument, NULL, OPT_HEALTH},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct view {
	bool json;
	bool no_legend;
	bool full;
	bool health;
	const char *uuid; /* as given, maybe cut; NULL: all pods */
};

static void help(void)
{
	puts("Usage: xenpod-status [--json] [--no-legend] [--full]\n"
	     "       xenpod-status [--json] UUID\n"
	     "       xenpod-status [--json] --health\n"
	     "Show all pods, or one in detail with its history. A UUID may be cut to any part "
	     "that\n"
	     "is unique. Members of the group xenpod may ask; while the supervisor is down root\n"
	     "reads its store.\n"
	     "\n"
	     "  --json       the API's own JSON (docs/API.md); times in ns since 1970\n"
	     "  --no-legend  without the line of headings\n"
	     "  --full       whole UUIDs\n"
	     "  --health     the supervisor itself: does it see Xen, can it write, what has it\n"
	     "               missed or put right\n"
	     "\n"
	     "STATE is a word, and the exact state where that says more: preparing, starting,\n"
	     "running, paused, stopping, exited, failed. APPS shows exit codes as name=code.\n"
	     "\n"
	     "Exit status:\n"
	     "  0    shown\n"
	     "  1    no such pod\n"
	     "  3    kept for: what the supervisor, Xen and the lock say differs\n"
	     "  4    the supervisor does not answer and its store cannot be read\n"
	     "  5    --health: the supervisor does not answer\n"
	     "  254  wrong usage, or xenpod-status itself failed");
}

static void print_json(const json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int show_all(struct status_source *s, const struct view *v, struct err *err)
{
	_cleanup_json_ json_t *list = NULL;
	if (status_list(s, &list, err) < 0)
		return -1;
	if (v->json)
		print_json(list);
	else
		status_print_list(list, !v->no_legend, v->full);
	return 0;
}

/* A whole UUID may also be that of a pod which is removed. */
static int whole_uuid(
	struct status_source *s, const char *given, char ret[UUID_TEXT_SIZE], struct err *err)
{
	if (uuid_parse(given, ret, NULL) == 0)
		return 0;
	_cleanup_json_ json_t *list = NULL;
	const char *uuid;
	if (status_list(s, &list, err) < 0 || status_pick(list, given, &uuid, err) < 0)
		return -1;
	return uuid_parse(uuid, ret, err);
}

static int show_one(struct status_source *s, const struct view *v, struct err *err)
{
	char uuid[UUID_TEXT_SIZE];
	_cleanup_json_ json_t *show = NULL;
	if (whole_uuid(s, v->uuid, uuid, err) < 0 || status_show(s, uuid, &show, err) < 0)
		return -1;
	if (v->json)
		print_json(show);
	else
		status_print_show(show, uuid);
	return 0;
}

static int fail(const struct err *err, int status)
{
	log_err("%s", err_msg(err));
	return status;
}

static int health(const struct view *v)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *h = NULL;
	if (status_health(&h, &err) < 0)
		return fail(&err, STATUS_EXIT_NO_HEALTH);
	if (v->json)
		print_json(h);
	else
		status_print_health(h);
	return 0;
}

static int status(const struct view *v)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	if (status_open(&s, &notice, &err) < 0)
		return fail(&err, STATUS_EXIT_UNREACHABLE);
	if (notice)
		log_warning("%s", notice);
	int r = v->uuid ? show_one(s, v, &err) : show_all(s, v, &err);
	status_close(s);
	if (r == 0)
		return 0;
	return fail(&err, err.code == ERR_NOTFOUND ? STATUS_EXIT_NO_POD
			  : err.code == ERR_UNAVAILABLE || err.code == ERR_STORE
				  ? STATUS_EXIT_UNREACHABLE
				  : XENPOD_EXIT_FAILURE);
}

static int parse(int argc, char **argv, struct view *v, struct err *err)
{
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, err)) > OPTION_END) {
		if (id == 'h' || id == OPT_VERSION)
			return id;
		v->json |= id == OPT_JSON;
		v->no_legend |= id == OPT_NO_LEGEND;
		v->full |= id == OPT_FULL;
		v->health |= id == OPT_HEALTH;
	}
	if (id == OPTION_END && argc - optind > 1)
		return err_set(err, ERR_INVALID, "one UUID at a time: \"%s\" is too much",
			argv[optind + 1]);
	v->uuid = argv[optind];
	if (v->health && v->uuid)
		return err_set(err, ERR_INVALID, "--health is of the supervisor, not of pod \"%s\"",
			v->uuid);
	return id == OPTION_END ? 0 : -1;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct view v = {0};
	setlocale(LC_ALL, "");
	log_set_prefix("xenpod-status");
	switch (parse(argc, argv, &v, &err)) {
	case 0:
		return v.health ? health(&v) : status(&v);
	case 'h':
		help();
		return 0;
	case OPT_VERSION:
		puts("xenpod-status " XENPOD_VERSION);
		return 0;
	default:
		return fail(&err, XENPOD_EXIT_FAILURE);
	}
}
