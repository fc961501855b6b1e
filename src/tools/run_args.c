/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod run`'s options with getopt_long, group by group as rkt has them: IMAGE [OPTIONS] -- ARGS
 * --- IMAGE ... Values are checked here where that needs nothing but the text.
 */
#include "tools/run_args.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appc/acname.h"
#include "appc/app.h"
#include "appc/quantity.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/datadir.h"
#include "tools/options.h"

enum option_id {
	OPT_NAME = 256,
	OPT_SET_ENV,
	OPT_MEMORY,
	OPT_CPU,
	OPT_EXEC,
	OPT_USER,
	OPT_GROUP,
	OPT_WORKING_DIR,
	OPT_READONLY,
	OPT_POD_FIRST, /* from here on: of the pod, only before the first image */
	OPT_NET,
	OPT_DIR,
	OPT_STAGE1,
	OPT_UUID,
	OPT_UUID_FILE,
	OPT_NO_OVERLAY,
	OPT_HOSTNAME,
	OPT_LOCAL_CONFIG,
	OPT_TYPE,
	OPT_INTERACTIVE,
	OPT_DEBUG,
};

static const struct option options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"set-env", required_argument, NULL, OPT_SET_ENV},
	{"environment", required_argument, NULL,
		OPT_SET_ENV}, /* rkt's name for it after an image */
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"cpu", required_argument, NULL, OPT_CPU},
	{"exec", required_argument, NULL, OPT_EXEC},
	{"user", required_argument, NULL, OPT_USER},
	{"group", required_argument, NULL, OPT_GROUP},
	{"working-dir", required_argument, NULL, OPT_WORKING_DIR},
	{"readonly-rootfs", no_argument, NULL, OPT_READONLY},
	{"net", required_argument, NULL, OPT_NET},
	{"dir", required_argument, NULL, OPT_DIR},
	{"stage1-path", required_argument, NULL, OPT_STAGE1},
	{"uuid", required_argument, NULL, OPT_UUID},
	{"uuid-file-save", required_argument, NULL, OPT_UUID_FILE},
	{"no-overlay", no_argument, NULL, OPT_NO_OVERLAY},
	{"hostname", required_argument, NULL, OPT_HOSTNAME},
	{"local-config", required_argument, NULL, OPT_LOCAL_CONFIG},
	{"type", required_argument, NULL, OPT_TYPE},
	{"interactive", no_argument, NULL, OPT_INTERACTIVE},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, 'h'},
	{0},
};

void run_args_help(void)
{
	puts("Usage: xenpod run [OPTIONS] IMAGE [IMAGE...] [-- ARGS]\n"
	     "       xenpod run [OPTIONS] IMAGE [OPTIONS] [-- ARGS] --- IMAGE [OPTIONS] [-- ARGS]\n"
	     "Run images as the apps of one pod, in a Xen domain of its own, and stay until it "
	     "ends.\n"
	     "\n"
	     "IMAGE is an ACI (tar, also gzip, bzip2, xz, zstd) or an unpacked image directory "
	     "that\n"
	     "holds `manifest` and `rootfs/`. ARGS are added to the last image's command; `---`\n"
	     "separates images that have options or arguments of their own.\n"
	     "\n"
	     "Options of the pod, before the first image:\n"
	     "  --net=NAME            network: none (default); what else there is, the stage1 "
	     "knows\n"
	     "  --hostname=NAME       host name in the domain (default xenpod's choice)\n"
	     "  --type=auto|pv|pvh    kind of domain (default auto)\n"
	     "  --dir=DIR             where pods and unpacked images live (default " DATADIR_DEFAULT
	     ")\n"
	     "  --stage1-path=PATH    stage1 image: ACI or directory (default: the installed one)\n"
	     "  --local-config=DIR    network configurations (default /etc/rkt)\n"
	     "  --no-overlay          copy images instead of mounting overlays\n"
	     "  --uuid=UUID           the pod's UUID (default: a new one)\n"
	     "  --uuid-file-save=FILE write the UUID to FILE before the pod starts\n"
	     "  --interactive         connect the terminal to the app\n"
	     "  --debug               tell every step\n"
	     "  --set-env=NAME=VALUE  for every app; may be repeated\n"
	     "\n"
	     "Options of an app, after its image (before the first image they mean the first "
	     "app):\n"
	     "  --name=NAME           the app's name (default: last part of the image's name)\n"
	     "  --exec=PATH           run this instead of the image's command\n"
	     "  --set-env=NAME=VALUE  for this app; may be repeated\n"
	     "  --memory=SIZE         memory limit, as 256M or 1Gi\n"
	     "  --cpu=CORES           as 1 or 500m\n"
	     "  --user=U --group=G    name, number or /path whose owner is meant\n"
	     "  --working-dir=PATH    directory to start in\n"
	     "  --readonly-rootfs     mount the app's root read-only\n"
	     "\n"
	     "Exit status: that of the pod (the first app that failed, else 0); 254 when xenpod\n"
	     "itself fails. SIGTERM or SIGINT stops the pod gracefully, a second one by force.\n"
	     "\n"
	     "  xenpod run busybox.aci --exec=/bin/echo -- hello\n"
	     "  xenpod run web.aci --- worker.aci --set-env=QUEUE=fast -- --verbose");
}

struct parser {
	struct run_args *a;
	struct run_app early; /* options of apps that came before the first image */
	struct run_app *now;  /* the app that options mean: &early until there is one */
};

static void add_env(const char ***list, size_t *n, const char *kv)
{
	*list = xreallocarray(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = kv;
}

static int set_env(struct parser *p, const char *kv, struct err *err)
{
	const char *eq = strchr(kv, '=');
	_cleanup_free_ char *name = xstrndup(kv, eq ? (size_t)(eq - kv) : 0);
	if (!eq)
		return err_set(err, ERR_INVALID, "--set-env=%s: NAME=VALUE is wanted", kv);
	if (appc_env_name_check(name, err) < 0)
		return err_wrap(err, "--set-env=%s", kv);
	if (p->a->napps)
		add_env(&p->now->env, &p->now->nenv, kv);
	else
		add_env(&p->a->env, &p->a->nenv, kv);
	return 0;
}

static int check_memory(const char *text, struct err *err)
{
	int64_t bytes;
	if (quantity_value(text, &bytes, err) < 0)
		return err_wrap(err, "--memory=%s", text);
	/* rkt's own minimum (contract 8). */
	if (bytes < 4096)
		return err_set(
			err, ERR_INVALID, "--memory=%s: at least 4096 bytes are wanted", text);
	return 0;
}

static int check_cpu(const char *text, struct err *err)
{
	int64_t milli;
	if (quantity_milli(text, &milli, err) < 0)
		return err_wrap(err, "--cpu=%s", text);
	if (milli < 1)
		return err_set(err, ERR_INVALID, "--cpu=%s: more than nothing is wanted", text);
	return 0;
}

static int app_option(struct parser *p, int id, const char *value, struct err *err)
{
	struct run_app *app = p->now;
	switch (id) {
	case OPT_NAME:
		app->name = value;
		if (acname_valid(value))
			return 0;
		return err_set(err, ERR_INVALID,
			"--name=%s: an app's name is made of a-z, 0-9 and inner dashes", value);
	case OPT_SET_ENV:
		return set_env(p, value, err);
	case OPT_MEMORY:
		app->memory = value;
		return check_memory(value, err);
	case OPT_CPU:
		app->cpu = value;
		return check_cpu(value, err);
	case OPT_EXEC:
		app->exec = value;
		return *value ? 0 : err_set(err, ERR_INVALID, "--exec needs a program");
	case OPT_USER:
		app->user = value;
		return *value ? 0 : err_set(err, ERR_INVALID, "--user needs a name");
	case OPT_GROUP:
		app->group = value;
		return *value ? 0 : err_set(err, ERR_INVALID, "--group needs a name");
	case OPT_WORKING_DIR:
		app->cwd = value;
		if (*value == '/')
			return 0;
		return err_set(
			err, ERR_INVALID, "--working-dir=%s: an absolute path is wanted", value);
	default:
		app->read_only = true;
		return 0;
	}
}

static int check_type(const char *value, struct err *err)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "pv") != 0 && strcmp(value, "pvh") != 0)
		return err_set(err, ERR_INVALID, "--type=%s: auto, pv or pvh is wanted", value);
	return 0;
}

/* Options that are just a text, and where it goes. */
static const char **text_of(struct run_args *a, int id)
{
	switch (id) {
	case OPT_NET:
		return &a->net;
	case OPT_DIR:
		return &a->dir;
	case OPT_STAGE1:
		return &a->stage1;
	case OPT_UUID:
		return &a->uuid;
	case OPT_UUID_FILE:
		return &a->uuid_file;
	case OPT_HOSTNAME:
		return &a->hostname;
	case OPT_LOCAL_CONFIG:
		return &a->local_config;
	case OPT_TYPE:
		return &a->type;
	default:
		return NULL;
	}
}

static int pod_option(struct parser *p, int id, const char *value, struct err *err)
{
	struct run_args *a = p->a;
	const char **text = text_of(a, id);
	if (a->napps)
		return err_set(err, ERR_INVALID,
			"--%s is the pod's: it belongs before the first image",
			option_name(options, id));
	if (text && !*value)
		return err_set(err, ERR_INVALID, "--%s needs a value", option_name(options, id));
	if (text)
		*text = value;
	a->no_overlay |= id == OPT_NO_OVERLAY;
	a->interactive |= id == OPT_INTERACTIVE;
	a->debug |= id == OPT_DEBUG;
	return id == OPT_TYPE ? check_type(value, err) : 0;
}

static void add_image(struct parser *p, const char *image)
{
	struct run_args *a = p->a;
	a->apps = xreallocarray(a->apps, a->napps + 1, sizeof(*a->apps));
	p->now = &a->apps[a->napps];
	*p->now = a->napps ? (struct run_app){0} : p->early;
	p->now->image = image;
	a->napps++;
}

/* One group: v[0] stands where getopt expects the program's name. */
static int parse_group(struct parser *p, int n, char **v, struct err *err)
{
	size_t before = p->a->napps;
	int end = 1;
	while (end < n && strcmp(v[end], "--") != 0)
		end++;
	optind = 0; /* glibc: start anew, with "+": stop at the first image */
	for (;;) {
		int id = option_next(end, v, options, err);
		if (id < 0)
			return -1;
		if (id == 'h')
			p->a->help = true;
		if (id == 'h')
			return 0;
		int r = 0;
		if (id == OPTION_END && optind >= end)
			break;
		if (id == OPTION_END)
			add_image(p, v[optind++]);
		else
			r = id > OPT_POD_FIRST ? pod_option(p, id, optarg, err)
					       : app_option(p, id, optarg, err);
		if (r < 0)
			return -1;
	}
	if (p->a->napps == before)
		return err_set(err, ERR_INVALID, "no image is named%s (xenpod run --help)",
			before ? " after ---" : "");
	if (end < n) {
		p->now->args = v + end + 1;
		p->now->nargs = (size_t)(n - end - 1);
	}
	return 0;
}

static int check_whole(const struct run_args *a, struct err *err)
{
	if (a->interactive && a->napps > 1)
		return err_set(err, ERR_INVALID, "--interactive is for a pod of one app");
	char uuid[UUID_TEXT_SIZE];
	if (a->uuid && uuid_parse(a->uuid, uuid, err) < 0)
		return err_wrap(err, "--uuid=%s", a->uuid);
	return 0;
}

static bool text_is_utf8(const char *s)
{
	_cleanup_json_ json_t *j = json_string(s);
	return j != NULL;
}

int run_args_parse(int argc, char **argv, struct run_args *ret, struct err *err)
{
	*ret = (struct run_args){.dir = DATADIR_DEFAULT, .net = "none", .local_config = "/etc/rkt"};
	struct parser p = {.a = ret};
	p.now = &p.early;
	for (int i = 1; i < argc; i++)
		if (!text_is_utf8(argv[i]))
			return err_set(err, ERR_INVALID,
				"argument %d is not UTF-8: a manifest cannot hold it", i);
	for (int start = 0; start < argc && !ret->help;) {
		int end = start + 1;
		while (end < argc && strcmp(argv[end], "---") != 0)
			end++;
		if (parse_group(&p, end - start, argv + start, err) < 0)
			return -1;
		start = end;
	}
	return ret->help ? 0 : check_whole(ret, err);
}

void run_args_done(struct run_args *a)
{
	for (size_t i = 0; i < a->napps; i++)
		free(a->apps[i].env);
	free(a->apps);
	free(a->env);
	a->apps = NULL;
	a->env = NULL;
	a->napps = a->nenv = 0;
}
