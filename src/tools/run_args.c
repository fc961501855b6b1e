/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod run`'s command line with getopt_long, group by group as rkt has it: IMAGE [OPTIONS] --
 * ARGS --- IMAGE ... Here are the groups and what must fit together in the whole; the options are
 * in run_options.c.
 */
#include "tools/run_args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"
#include "tools/datadir.h"
#include "tools/options.h"
#include "tools/run_options.h"

static void add_image(struct run_parser *p, const char *image)
{
	struct run_args *a = p->a;
	a->apps = xreallocarray(a->apps, a->napps + 1, sizeof(*a->apps));
	p->now = &a->apps[a->napps];
	*p->now = p->early; /* empty when it is not the first image */
	p->early = (struct run_app){0};
	p->now->image = image;
	a->napps++;
}

/* One group: v[0] stands where getopt expects the program's name. */
static int parse_group(struct run_parser *p, int n, char **v, struct err *err)
{
	size_t before = p->a->napps;
	int end = 1;
	while (end < n && strcmp(v[end], "--") != 0)
		end++;
	optind = 0; /* glibc: start anew, with "+": stop at the first image */
	for (;;) {
		int id = option_next(end, v, run_options, err);
		if (id < 0)
			return -1;
		if (id == 'h')
			p->a->help = true;
		if (id == 'h')
			return 0;
		if (id == OPTION_END && optind >= end)
			break;
		if (id == OPTION_END)
			add_image(p, v[optind++]);
		else if (run_option_take(p, id, optarg, err) < 0)
			return -1;
	}
	if (p->a->napps == before && (before || end < n || !p->a->pod_manifest))
		return err_set(err, ERR_INVALID, "no image is named%s (xenpod run --help)",
			before ? " after ---" : "");
	if (end < n) {
		p->now->args = v + end + 1;
		p->now->nargs = (size_t)(n - end - 1);
	}
	return 0;
}

/* rkt's rule: the manifest has the say on all that is in it. */
static int check_pod_manifest(const struct run_parser *p, struct err *err)
{
	if (p->app_option)
		return err_set(err, ERR_INVALID,
			"--%s cannot be given with --pod-manifest: write it into the manifest",
			option_name(run_options, p->app_option));
	for (size_t i = 0; i < p->a->napps; i++)
		if (p->a->apps[i].nargs)
			return err_set(err, ERR_INVALID,
				"arguments cannot be given with --pod-manifest: write them into "
				"the manifest");
	return 0;
}

static int check_mounts(const struct run_args *a, const json_t *mounts, struct err *err)
{
	size_t i;
	json_t *m;
	json_array_foreach (mounts, i, m) {
		const char *name = json_str_opt(m, "volume", "");
		if (!run_volume_named(a, name))
			return err_set(err, ERR_INVALID,
				"--mount=volume=%s,target=%s: no --volume has this name", name,
				json_str_opt(m, "path", ""));
	}
	return 0;
}

static int check_app(const struct run_args *a, const struct run_app *app, struct err *err)
{
	if (app->isolators[ISOLATOR_CAPS_RETAIN] && app->isolators[ISOLATOR_CAPS_REMOVE])
		return err_set(err, ERR_INVALID,
			"image %s: --caps-retain and --caps-remove cannot stand together",
			app->image);
	return check_mounts(a, app->mounts, err);
}

static int check_whole(struct run_parser *p, struct err *err)
{
	struct run_args *a = p->a;
	if (a->pod_manifest && check_pod_manifest(p, err) < 0)
		return -1;
	if (a->interactive && !a->pod_manifest && a->napps > 1)
		return err_set(err, ERR_INVALID, "--interactive is for a pod of one app");
	if (a->interactive && a->restart && strcmp(a->restart, "never") != 0)
		return err_set(err, ERR_INVALID,
			"--interactive cannot be given with --restart: a pod that is started again "
			"has no terminal");
	char uuid[UUID_TEXT_SIZE];
	if (a->uuid && uuid_parse(a->uuid, uuid, err) < 0)
		return err_wrap(err, "--uuid=%s", a->uuid);
	if (run_dns_settle(&a->dns, err) < 0 || check_mounts(a, a->mounts, err) < 0)
		return -1;
	for (size_t i = 0; i < a->napps; i++)
		if (check_app(a, &a->apps[i], err) < 0)
			return -1;
	return 0;
}

static bool text_is_utf8(const char *s)
{
	_cleanup_json_ json_t *j = json_string(s);
	return j != NULL;
}

static int parse_all(struct run_parser *p, int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc; i++)
		if (!text_is_utf8(argv[i]))
			return err_set(err, ERR_INVALID,
				"argument %d is not UTF-8: a manifest cannot hold it", i);
	for (int start = 0; start < argc && !p->a->help;) {
		int end = start + 1;
		while (end < argc && strcmp(argv[end], "---") != 0)
			end++;
		if (parse_group(p, end - start, argv + start, err) < 0)
			return -1;
		start = end;
	}
	return p->a->help ? 0 : check_whole(p, err);
}

static void app_done(struct run_app *app)
{
	words_done(&app->env);
	json_decref(app->gids);
	json_decref(app->mounts);
	for (size_t i = 0; i < ISOLATOR_MAX_; i++)
		json_decref(app->isolators[i]);
	json_decref(app->user_annotations);
	json_decref(app->user_labels);
}

int run_args_parse(int argc, char **argv, struct run_args *ret, struct err *err)
{
	*ret = (struct run_args){.dir = DATADIR_DEFAULT, .local_config = "/etc/rkt"};
	struct run_parser p = {.a = ret};
	p.now = &p.early;
	int r = parse_all(&p, argc, argv, err);
	app_done(&p.early);
	return r;
}

void run_args_done(struct run_args *a)
{
	for (size_t i = 0; i < a->napps; i++)
		app_done(&a->apps[i]);
	free(a->apps);
	words_done(&a->env);
	words_done(&a->env_files);
	run_dns_done(&a->dns);
	run_net_done(&a->net);
	json_decref(a->volumes);
	json_decref(a->mounts);
	json_decref(a->file_env);
	json_decref(a->inherited);
	*a = (struct run_args){0};
}
