/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins of a network one after another: see chain.h. */
#include "cni/chain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "cni/plugin.h"

/* ---- what cannot be carried into a domain ------------------------------------------------------- */

static int judge_ipvlan(json_t *conf, struct err *err)
{
	const char *mode = json_str_opt(conf, "mode", "");
	if (strcmp(mode, "l3") != 0 && strcmp(mode, "l3s") != 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"mode %s has no Ethernet, and a domain's interface is Ethernet: use mode l2, or "
		"ptp",
		mode);
}

static int judge_tuning(json_t *conf, struct err *err)
{
	json_t *sysctl = json_object_get(conf, "sysctl");
	const char *key = json_object_iter_key(json_object_iter(sysctl));
	if (!key)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"sysctl (\"%.64s\") of the pod's namespace has no effect in a domain, which has "
		"its own kernel: remove it; mac, mtu, promisc and allmulti are fine",
		key);
}

static int judge_no_effect(json_t *conf, struct err *err)
{
	(void)conf;
	return err_set(err, ERR_UNSUPPORTED,
		"routing tables beside the main one stay in the host's kernel, and a domain has "
		"its own: remove it from the network");
}

static int judge_loopback(json_t *conf, struct err *err)
{
	(void)conf;
	return err_set(err, ERR_UNSUPPORTED,
		"it makes no interface for a domain, which has its own loopback: use --net=none");
}

static const struct {
	const char *type;
	int (*judge)(json_t *conf, struct err *err);
} judges[] = {{"ipvlan", judge_ipvlan}, {"tuning", judge_tuning}, {"sbr", judge_no_effect},
	{"vrf", judge_no_effect}, {"loopback", judge_loopback}};

static const char *type_of(json_t *conf)
{
	return json_str_opt(conf, "type", "");
}

static int wrap(const struct cni_net *net, json_t *conf, struct err *err)
{
	return err_wrap(err, "network \"%s\": plugin \"%s\"", net->name, type_of(conf));
}

int cni_net_judge(const struct cni_net *net, struct err *err)
{
	size_t i;
	json_t *conf;
	json_array_foreach (net->plugins, i, conf)
		for (size_t k = 0; k < ARRAY_SIZE(judges); k++)
			if (!strcmp(judges[k].type, type_of(conf)) &&
				judges[k].judge(conf, err) < 0)
				return wrap(net, conf, err);
	return 0;
}

int cni_net_find(const struct cni_net *net, const char *const *dirs, struct err *err)
{
	size_t i;
	json_t *conf;
	json_array_foreach (net->plugins, i, conf) {
		_cleanup_free_ char *path = NULL;
		if (cni_plugin_find(dirs, type_of(conf), &path, err) < 0)
			return err_wrap(err, "network \"%s\"", net->name);
	}
	return 0;
}

/* ---- one plugin --------------------------------------------------------------------------------- */

/* What all plugins of one call share. */
struct chain {
	const struct cni_net *net;
	const struct cni_attach *at;
	const char *command;
	int64_t deadline;
};

static struct chain chain_of(
	const struct cni_net *net, const struct cni_attach *at, const char *command)
{
	return (struct chain){
		.net = net, .at = at, .command = command, .deadline = clock_ms() + at->timeout_ms};
}

/* runtimeConfig: of what the caller offers, what the plugin declares (CONVENTIONS.md). */
static json_t *runtime_config(json_t *conf, const json_t *offered)
{
	const char *key;
	json_t *on;
	json_t *config = json_object();
	json_object_foreach (json_object_get(conf, "capabilities"), key, on) {
		json_t *value = json_object_get(offered, key);
		if (json_is_true(on) && value)
			json_object_set(config, key, value);
	}
	return config;
}

/* The execution configuration, spec 1.0.0 section 4: capabilities are the runtime's alone. */
static json_t *execution_conf(json_t *conf, const json_t *offered, json_t *prev)
{
	json_t *made = json_copy(conf);
	_cleanup_json_ json_t *config = runtime_config(conf, offered);
	json_object_del(made, "capabilities");
	if (json_object_size(config))
		json_object_set(made, "runtimeConfig", config);
	if (prev)
		json_object_set(made, "prevResult", prev);
	return made;
}

/* *ret_out is what it printed. */
static int run_one(
	const struct chain *c, json_t *conf, json_t *prev, char **ret_out, struct err *err)
{
	int64_t left = c->deadline - clock_ms();
	struct cni_call call = {
		.command = c->command,
		.container = c->at->container,
		.netns = c->at->netns,
		.ifname = c->net->ifname,
		.args = c->net->args,
		.dirs = c->at->dirs,
		.version = c->net->version,
		.timeout_ms = (int)left,
	};
	_cleanup_free_ char *path = NULL;
	if (left <= 0)
		return err_set(err, ERR_TIMEOUT,
			"network \"%s\": no time left for plugin \"%s\": %d ms are over",
			c->net->name, type_of(conf), c->at->timeout_ms);
	if (cni_plugin_find(c->at->dirs, type_of(conf), &path, err) < 0)
		return err_wrap(err, "network \"%s\"", c->net->name);
	_cleanup_json_ json_t *input = execution_conf(conf, c->at->capabilities, prev);
	if (cni_plugin_run(path, input, &call, ret_out, err) < 0)
		return wrap(c->net, conf, err);
	return 0;
}

/* ---- ADD ---------------------------------------------------------------------------------------- */

static int add_one(const struct chain *c, json_t *conf, struct cni_result *last, struct err *err)
{
	struct cni_result result;
	_cleanup_free_ char *out = NULL;
	json_t *prev = last->raw ? last->raw : c->at->prev;
	if (c->net->version < CNI_0_3_0)
		prev = NULL;
	if (run_one(c, conf, prev, &out, err) < 0)
		return -1;
	if (cni_result_parse(out, c->net->version, c->net->ifname, &result, err) < 0)
		return wrap(c->net, conf, err);
	cni_result_done(last);
	*last = result;
	return 0;
}

/* DEL of everything, whatever it says: the first error is the one that is told. */
static void undo(const struct cni_net *net, const struct cni_attach *at, json_t *result)
{
	struct chain c = chain_of(net, at, "DEL");
	for (size_t i = json_array_size(net->plugins); i-- > 0;) {
		_cleanup_free_ char *out = NULL;
		json_t *prev = net->version >= CNI_0_4_0 ? result : NULL;
		(void)run_one(&c, json_array_get(net->plugins, i), prev, &out, NULL);
	}
}

int cni_net_add(const struct cni_net *net, const struct cni_attach *at, struct cni_result *ret,
	struct err *err)
{
	size_t i;
	json_t *conf;
	struct chain c = chain_of(net, at, "ADD");
	_cleanup_cni_result_ struct cni_result last = {0};
	*ret = (struct cni_result){0};
	if (cni_net_find(net, at->dirs, err) < 0)
		return -1;
	json_array_foreach (net->plugins, i, conf)
		if (add_one(&c, conf, &last, err) < 0) {
			undo(net, at, last.raw);
			return -1;
		}
	*ret = last;
	last = (struct cni_result){0};
	return 0;
}

/* ---- CHECK, DEL --------------------------------------------------------------------------------- */

int cni_net_check(
	const struct cni_net *net, const struct cni_attach *at, json_t *result, struct err *err)
{
	size_t i;
	json_t *conf;
	struct chain c = chain_of(net, at, "CHECK");
	if (net->version < CNI_0_4_0 || net->disable_check || !result)
		return 0;
	json_array_foreach (net->plugins, i, conf) {
		_cleanup_free_ char *out = NULL;
		if (run_one(&c, conf, result, &out, err) < 0)
			return -1;
	}
	return 0;
}

int cni_net_del(
	const struct cni_net *net, const struct cni_attach *at, json_t *result, struct err *err)
{
	struct chain c = chain_of(net, at, "DEL");
	_cleanup_err_ struct err missing = {0};
	json_t *prev = net->version >= CNI_0_4_0 ? result : NULL;
	for (size_t i = json_array_size(net->plugins); i-- > 0;) {
		struct err one = {0};
		_cleanup_free_ char *out = NULL;
		if (run_one(&c, json_array_get(net->plugins, i), prev, &out, &one) == 0)
			continue;
		bool is_missing = one.code == ERR_NOTFOUND;
		err_move(is_missing ? &missing : err, &one);
		if (!is_missing)
			return -1;
	}
	if (!missing.msg)
		return 0;
	err_move(err, &missing);
	return -1;
}
