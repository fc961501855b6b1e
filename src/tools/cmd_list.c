/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod list`: the pods of one data directory, from the directories and locks alone, as rkt list
 * tells them. What the supervisor knows is xenpod-status' part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "tools/options.h"
#include "tools/pod_info.h"
#include "tools/pods_order.h"
#include "tools/table.h"
#include "tools/verbs.h"

enum { OPT_DIR = 256, OPT_JSON, OPT_NO_LEGEND, OPT_FULL };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"json", no_argument, NULL, OPT_JSON},
	{"no-legend", no_argument, NULL, OPT_NO_LEGEND},
	{"full", no_argument, NULL, OPT_FULL},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct list {
	const char *dir;
	bool json;
	bool no_legend;
	bool full;
	json_t *pods;
};

static void help(void)
{
	puts("Usage: xenpod list [--dir=DIR] [--json] [--no-legend] [--full]\n"
	     "List the pods of a data directory (default " DATADIR_DEFAULT "), oldest first.\n"
	     "\n"
	     "  --dir=DIR    the data directory; /var/lib/rkt shows rkt's pods\n"
	     "  --json       as JSON, times in ns since 1970\n"
	     "  --no-legend  without the line of headings\n"
	     "  --full       whole UUIDs, image ids and times\n"
	     "\n"
	     "STATE is preparing, prepared, running, exited or garbage (waits for xenpod gc).\n"
	     "Exit status: 0; 254 when the data directory cannot be read.");
}

static json_t *apps_of(const struct pod *p)
{
	json_t *apps = json_array();
	struct appc_pod m = {0};
	struct err err = {0};
	/* A pod that is being prepared has no manifest yet. */
	if (pod_manifest_read(p, &m, &err) < 0 && err.code != ERR_NOTFOUND)
		log_warning("%s", err_msg(&err));
	for (size_t i = 0; i < m.napps; i++)
		json_array_append_new(
			apps, json_make("{s:s, s:s, s:s}", "name", m.apps[i].name, "image",
				      m.apps[i].image_name, "image_id", m.apps[i].image_id));
	appc_pod_done(&m);
	err_done(&err);
	return apps;
}

static int collect(void *ctx, const struct datadir *d, struct pod *p, struct err *err)
{
	(void)d;
	struct list *l = ctx;
	bool held;
	if (pod_held(p, &held, err) < 0)
		return -1;
	_cleanup_free_ char *networks = pod_networks(p);
	json_array_append_new(l->pods,
		json_make("{s:s, s:s, s:I, s:I, s:s, s:o}", "uuid", p->uuid, "state",
			pod_word(p, held), "created", (json_int_t)pod_created_at(p), "started",
			(json_int_t)pod_started_at(p), "networks", networks, "apps", apps_of(p)));
	return 0;
}

static void when_text(const struct list *l, const json_t *pod, const char *key, char ret[32])
{
	int64_t at = json_int_opt(pod, key, 0);
	if (l->full) {
		time_text(at, ret);
		return;
	}
	char age[24];
	age_text(at, age);
	snprintf(ret, 32, "%s%s", age, *age ? " ago" : "");
}

/* One row per app; what belongs to the pod stands on its first row only (contract 2.5). */
static void add_rows(const struct list *l, struct table *t, const json_t *pod)
{
	const json_t *apps = json_object_get(pod, "apps");
	const char *word = json_str_opt(pod, "state", "");
	_cleanup_free_ char *uuid = xstrndup(json_str_opt(pod, "uuid", ""), l->full ? 36 : 8);
	char created[32];
	char started[32];
	when_text(l, pod, "created", created);
	when_text(l, pod, "started", started);
	size_t n = json_array_size(apps);
	for (size_t i = 0; i < (n ? n : 1); i++) {
		const json_t *app = json_array_get(apps, i);
		const char *row[] = {i ? "" : uuid, json_str_opt(app, "name", "-"),
			json_str_opt(app, l->full ? "image_id" : "image", "-"), i ? "" : word,
			i ? "" : created, i ? "" : started,
			i ? "" : json_str_opt(pod, "networks", "")};
		table_row(t, row);
		table_colour_word(t, 3, i ? "" : word);
	}
}

static void print(const struct list *l)
{
	if (l->json) {
		_cleanup_json_ json_t *o = json_make("{s:O}", "pods", l->pods);
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	const char *const columns[] = {"UUID", "APP", l->full ? "IMAGE ID" : "IMAGE", "STATE",
		"CREATED", "STARTED", "NETWORKS", NULL};
	struct table *t = table_new(columns, !l->no_legend);
	size_t i;
	json_t *pod;
	json_array_foreach (l->pods, i, pod)
		add_rows(l, t, pod);
	table_print(t);
}

static int list(struct list *l, struct err *err)
{
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	if (datadir_open(l->dir, false, &d, err) < 0)
		return -1;
	for (int place = 0; place < POD_PLACE_MAX_; place++)
		if (pod_each(&d, (enum pod_place)place, collect, l, err) < 0)
			return -1;
	pods_order(l->pods);
	print(l);
	return 0;
}

static int parse(int argc, char **argv, struct list *l, struct err *err)
{
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, err)) > OPTION_END) {
		if (id == 'h')
			return 'h';
		if (id == OPT_DIR)
			l->dir = optarg;
		l->json |= id == OPT_JSON;
		l->no_legend |= id == OPT_NO_LEGEND;
		l->full |= id == OPT_FULL;
	}
	if (id == OPTION_END && optind < argc)
		return err_set(err, ERR_INVALID, "list takes no \"%s\"", argv[optind]);
	return id == OPTION_END ? 0 : -1;
}

int cmd_list(int argc, char **argv)
{
	struct err err = {0};
	struct list l = {.dir = DATADIR_DEFAULT, .pods = json_array()};
	int status = 0;
	int r = parse(argc, argv, &l, &err);
	if (r == 'h')
		help();
	else if (r < 0 || list(&l, &err) < 0)
		status = verb_failed(&err);
	json_decref(l.pods);
	err_done(&err);
	return status;
}
