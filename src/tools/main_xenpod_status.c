/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-status`: what the supervisor knows of its pods, also while it is down. Changes nothing.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "base/term.h"
#include "tools/status.h"
#include "tools/status_options.h"
#include "tools/table.h"

static int show_all(struct status_source *s, const struct status_view *v, struct err *err)
{
	_cleanup_json_ json_t *members = status_view_members(v);
	/* Kept until the end: to free thousands of pods takes as long as to print them. */
	static json_t *list;
	if (status_list(s, members, &list, err) < 0)
		return -1;
	json_t *pods = json_object_get(list, "pods");
	if (status_filter_pods(&v->filter, pods, err) < 0)
		return -1;
	if (v->sort >= 0)
		status_sort(pods, v->sort, v->reverse);
	if (v->json)
		status_print_json(list);
	else
		table_print(status_table(pods, &v->columns, !v->no_legend, v->full));
	return 0;
}

static int show(struct status_source *s, const struct status_view *v, struct err *err)
{
	switch (v->mode) {
	case STATUS_SHOW:
		return status_show_run(s, v, err);
	case STATUS_HISTORY:
		return status_history_run(s, v, err);
	default:
		return show_all(s, v, err);
	}
}

static int fail(const struct err *err, int status)
{
	log_err("%s", err_msg(err));
	return status;
}

static int health(const struct status_view *v)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_json_ json_t *h = NULL;
	if (status_health(&h, &err) < 0)
		return fail(&err, STATUS_EXIT_NO_HEALTH);
	if (v->json)
		status_print_json(h);
	else
		status_print_health(h);
	return 0;
}

static int from_source(const struct status_view *v, struct err *err)
{
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	if (v->mode == STATUS_WAIT)
		return status_wait_run(v, err);
	if (v->mode == STATUS_WATCH)
		return v->lines || v->json || !term_draws(STDOUT_FILENO) ? status_watch_run(v, err)
									 : status_live_run(v, err);
	if (status_open(&s, &notice, err) < 0)
		return -1;
	if (notice)
		log_warning("%s", notice);
	int r = show(s, v, err);
	status_close(s);
	return r;
}

static int answer(const struct status_view *v)
{
	_cleanup_err_ struct err err = {0};
	int r = from_source(v, &err);
	if (r >= 0)
		return r;
	return fail(&err, err.code == ERR_NOTFOUND ? STATUS_EXIT_NO_POD
			  : err.code == ERR_UNAVAILABLE || err.code == ERR_STORE
				  ? STATUS_EXIT_UNREACHABLE
				  : XENPOD_EXIT_FAILURE);
}

static int run(const struct status_view *v)
{
	switch (v->mode) {
	case STATUS_HELP:
		status_help();
		return 0;
	case STATUS_VERSION:
		puts("xenpod-status " XENPOD_VERSION);
		return 0;
	case STATUS_HEALTH:
		return health(v);
	default:
		return answer(v);
	}
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct status_view v;
	setlocale(LC_ALL, "");
	log_set_prefix("xenpod-status");
	int status = status_options_parse(argc, argv, &v, &err) < 0
			     ? fail(&err, XENPOD_EXIT_FAILURE)
			     : run(&v);
	status_view_done(&v);
	return status;
}
