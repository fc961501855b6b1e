/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of `xenpod run`, one by one. Values are checked here where that needs nothing but the
 * text; what is more than a text is read by values.h, isolators.h and run_dns.h.
 */
#include "tools/run_options.h"

#include <assert.h>
#include <string.h>

#include "appc/acname.h"
#include "appc/app.h"
#include "appc/restart.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/values.h"

enum option_id {
	OPT_NAME = 256,
	OPT_EXEC,
	OPT_USER,
	OPT_GROUP,
	OPT_WORKING_DIR,
	OPT_READONLY,
	OPT_GIDS,
	OPT_USER_ANNOTATION,
	OPT_USER_LABEL,
	OPT_ISOLATOR, /* and those of enum isolator behind it */
	OPT_ANYWHERE = OPT_ISOLATOR + ISOLATOR_MAX_,
	OPT_SET_ENV = OPT_ANYWHERE, /* of the pod or of an app, by where they stand */
	OPT_MOUNT,
	OPT_VOLUME,
	OPT_POD_FIRST, /* from here on: of the pod, only before the first image */
	OPT_ENV_FILE = OPT_POD_FIRST,
	OPT_INHERIT_ENV,
	OPT_PORT,
	OPT_ANTI_SPOOFING,
	OPT_RESTART,
	OPT_TYPE, /* up to here: what a --pod-manifest has the say on */
	OPT_NET,
	OPT_DIR,
	OPT_STAGE1,
	OPT_UUID,
	OPT_UUID_FILE,
	OPT_HOSTNAME,
	OPT_LOCAL_CONFIG,
	OPT_POD_MANIFEST,
	OPT_DNS,
	OPT_DNS_SEARCH,
	OPT_DNS_OPT,
	OPT_DNS_DOMAIN,
	OPT_HOSTS_ENTRY,
	OPT_INSECURE,
	OPT_NO_OVERLAY,
	OPT_INTERACTIVE,
	OPT_DEBUG,
};

const struct option run_options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"exec", required_argument, NULL, OPT_EXEC},
	{"user", required_argument, NULL, OPT_USER},
	{"group", required_argument, NULL, OPT_GROUP},
	{"supplementary-gids", required_argument, NULL, OPT_GIDS},
	{"working-dir", required_argument, NULL, OPT_WORKING_DIR},
	{"readonly-rootfs", optional_argument, NULL, OPT_READONLY},
	{"user-annotation", required_argument, NULL, OPT_USER_ANNOTATION},
	{"user-label", required_argument, NULL, OPT_USER_LABEL},
	{"memory", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_MEMORY},
	{"cpu", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_CPU},
	{"cpu-shares", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_CPU_SHARES},
	{"oom-score-adj", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_OOM_SCORE_ADJ},
	{"caps-retain", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_CAPS_RETAIN},
	{"caps-remove", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_CAPS_REMOVE},
	{"seccomp", required_argument, NULL, OPT_ISOLATOR + ISOLATOR_SECCOMP},
	{"set-env", required_argument, NULL, OPT_SET_ENV},
	{"environment", required_argument, NULL,
		OPT_SET_ENV}, /* rkt's name for it after an image */
	{"mount", required_argument, NULL, OPT_MOUNT},
	{"volume", required_argument, NULL, OPT_VOLUME},
	{"set-env-file", required_argument, NULL, OPT_ENV_FILE},
	{"inherit-env", optional_argument, NULL, OPT_INHERIT_ENV},
	{"net", optional_argument, NULL, OPT_NET},
	{"port", required_argument, NULL, OPT_PORT},
	{"anti-spoofing", optional_argument, NULL, OPT_ANTI_SPOOFING},
	{"dir", required_argument, NULL, OPT_DIR},
	{"stage1-path", required_argument, NULL, OPT_STAGE1},
	{"uuid", required_argument, NULL, OPT_UUID},
	{"uuid-file-save", required_argument, NULL, OPT_UUID_FILE},
	{"pod-manifest", required_argument, NULL, OPT_POD_MANIFEST},
	{"hostname", required_argument, NULL, OPT_HOSTNAME},
	{"dns", required_argument, NULL, OPT_DNS},
	{"dns-search", required_argument, NULL, OPT_DNS_SEARCH},
	{"dns-opt", required_argument, NULL, OPT_DNS_OPT},
	{"dns-domain", required_argument, NULL, OPT_DNS_DOMAIN},
	{"hosts-entry", required_argument, NULL, OPT_HOSTS_ENTRY},
	{"insecure-options", required_argument, NULL, OPT_INSECURE},
	{"local-config", required_argument, NULL, OPT_LOCAL_CONFIG},
	{"type", required_argument, NULL, OPT_TYPE},
	{"restart", required_argument, NULL, OPT_RESTART},
	{"no-overlay", optional_argument, NULL, OPT_NO_OVERLAY},
	{"interactive", optional_argument, NULL, OPT_INTERACTIVE},
	{"debug", optional_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void append(json_t **array, json_t *o)
{
	if (!*array)
		*array = json_array();
	json_array_append_new(*array, o);
}

/* ---- options of an app --------------------------------------------------------------------------
 */

static const char **app_text(struct run_app *app, int id)
{
	switch (id) {
	case OPT_NAME:
		return &app->name;
	case OPT_EXEC:
		return &app->exec;
	case OPT_USER:
		return &app->user;
	case OPT_GROUP:
		return &app->group;
	case OPT_WORKING_DIR:
		return &app->cwd;
	default:
		return NULL;
	}
}

static int check_app_text(int id, const char *value, struct err *err)
{
	if (id == OPT_NAME && !acname_valid(value))
		return err_set(err, ERR_INVALID,
			"--name=%s: an app's name is made of a-z, 0-9 and inner dashes", value);
	if (id == OPT_WORKING_DIR && *value != '/')
		return err_set(
			err, ERR_INVALID, "--working-dir=%s: an absolute path is wanted", value);
	if (!*value)
		return err_set(
			err, ERR_INVALID, "--%s needs a value", option_name(run_options, id));
	return 0;
}

/* Said again, the last one counts. */
static void replace(json_t **slot, json_t *value)
{
	json_decref(*slot);
	*slot = value;
}

static int app_option(struct run_parser *p, int id, const char *value, struct err *err)
{
	struct run_app *app = p->now;
	json_t *json;
	assert(app);
	const char **text = app_text(app, id);
	if (text) {
		*text = value;
		return check_app_text(id, value, err);
	}
	switch (id) {
	case OPT_READONLY:
		return value_bool("readonly-rootfs", value, &app->read_only, err);
	case OPT_USER_ANNOTATION:
		return value_pair("user-annotation", value, &app->user_annotations, err);
	case OPT_USER_LABEL:
		return value_pair("user-label", value, &app->user_labels, err);
	case OPT_GIDS:
		if (value_gids(value, &json, err) < 0)
			return -1;
		replace(&app->gids, json);
		return 0;
	default:
		id -= OPT_ISOLATOR;
		if (isolator_parse((enum isolator)id, value, &json, err) < 0)
			return -1;
		replace(&app->isolators[id], json);
		return 0;
	}
}

/* ---- options of either --------------------------------------------------------------------------
 */

static int set_env(struct run_parser *p, const char *kv, struct err *err)
{
	const char *eq = strchr(kv, '=');
	_cleanup_free_ char *name = xstrndup(kv, eq ? (size_t)(eq - kv) : 0);
	if (!eq)
		return err_set(err, ERR_INVALID, "--set-env=%s: NAME=VALUE is wanted", kv);
	if (appc_env_name_check(name, err) < 0)
		return err_wrap(err, "--set-env=%s", kv);
	words_add(p->a->napps ? &p->now->env : &p->a->env, kv);
	return 0;
}

bool run_volume_named(const struct run_args *a, const char *name)
{
	size_t i;
	json_t *v;
	json_array_foreach (a->volumes, i, v) {
		if (!strcmp(json_str_opt(v, "name", ""), name))
			return true;
	}
	return false;
}

static int add_volume(struct run_parser *p, const char *value, struct err *err)
{
	_cleanup_json_ json_t *v = NULL;
	if (value_volume(value, &v, err) < 0)
		return -1;
	if (run_volume_named(p->a, json_str_opt(v, "name", "")))
		return err_set(
			err, ERR_INVALID, "--volume=%s: there is a volume of this name", value);
	append(&p->a->volumes, TAKE_PTR(v));
	return 0;
}

static int anywhere_option(struct run_parser *p, int id, const char *value, struct err *err)
{
	json_t *mount;
	switch (id) {
	case OPT_SET_ENV:
		return set_env(p, value, err);
	case OPT_VOLUME:
		return add_volume(p, value, err);
	default:
		if (value_mount(value, &mount, err) < 0)
			return -1;
		append(p->a->napps ? &p->now->mounts : &p->a->mounts, mount);
		return 0;
	}
}

/* ---- options of the pod -------------------------------------------------------------------------
 */

static int check_type(const char *value, struct err *err)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "pv") != 0 && strcmp(value, "pvh") != 0)
		return err_set(err, ERR_INVALID, "--type=%s: auto, pv or pvh is wanted", value);
	return 0;
}

static int check_restart(const char *value, struct err *err)
{
	struct appc_restart r;
	return appc_restart_parse(value, &r, err) < 0 ? err_wrap(err, "--restart") : 0;
}

/* Options that are just a text, and where it goes. */
static const char **text_of(struct run_args *a, int id)
{
	switch (id) {
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
	case OPT_RESTART:
		return &a->restart;
	case OPT_POD_MANIFEST:
		return &a->pod_manifest;
	case OPT_DNS_DOMAIN:
		return &a->dns.domain;
	default:
		return NULL;
	}
}

static struct words *words_of(struct run_args *a, int id)
{
	switch (id) {
	case OPT_ENV_FILE:
		return &a->env_files;
	case OPT_NET:
		return &a->net.nets;
	case OPT_DNS:
		return &a->dns.dns;
	case OPT_DNS_SEARCH:
		return &a->dns.search;
	case OPT_DNS_OPT:
		return &a->dns.opts;
	case OPT_HOSTS_ENTRY:
		return &a->dns.hosts;
	default:
		return NULL;
	}
}

static bool *flag_of(struct run_args *a, int id)
{
	switch (id) {
	case OPT_NO_OVERLAY:
		return &a->no_overlay;
	case OPT_INTERACTIVE:
		return &a->interactive;
	case OPT_INHERIT_ENV:
		return &a->inherit_env;
	case OPT_ANTI_SPOOFING:
		return &a->net.guard;
	case OPT_DEBUG:
		return &a->debug;
	default:
		return NULL;
	}
}

static int pod_option(struct run_parser *p, int id, const char *value, struct err *err)
{
	struct run_args *a = p->a;
	const char *name = option_name(run_options, id);
	const char **text = text_of(a, id);
	struct words *words = words_of(a, id);
	bool *flag = flag_of(a, id);
	if (a->napps)
		return err_set(err, ERR_INVALID,
			"--%s is the pod's: it belongs before the first image", name);
	if (flag)
		return value_bool(name, value, flag, err);
	if (id == OPT_NET && !value)
		value = "default"; /* as rkt's */
	if (!*value)
		return err_set(err, ERR_INVALID, "--%s needs a value", name);
	if (id == OPT_PORT)
		return run_net_port(&a->net, value, err);
	if (text)
		*text = value;
	if (words)
		words_add(words, value);
	if (id == OPT_INSECURE)
		return value_insecure(value, &a->insecure, err);
	if (id == OPT_HOSTNAME)
		return value_hostname(value, err);
	if (id == OPT_RESTART)
		return check_restart(value, err);
	return id == OPT_TYPE ? check_type(value, err) : 0;
}

/* -------------------------------------------------------------------------------------------------
 */

int run_option_take(struct run_parser *p, int id, const char *value, struct err *err)
{
	if (id <= OPT_TYPE && !p->app_option)
		p->app_option = id;
	if (id >= OPT_POD_FIRST)
		return pod_option(p, id, value, err);
	if (id >= OPT_ANYWHERE)
		return anywhere_option(p, id, value, err);
	return app_option(p, id, value, err);
}
