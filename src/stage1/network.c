/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's networks: see network.h. */
#include "stage1/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "cni/chain.h"
#include "cni/select.h"
#include "proto/spec.h"
#include "stage1/ports.h"

#define LOCAL_CONFIG "/etc/rkt" /* stage0 leaves it out when it is this (contract 1.2) */
#define BUILTIN_NETS PODDIR_S1 "/etc/rkt/net.d"

/* Contract 5.2, and after those where distributions put plugins. All are looked at, in this order. */
static json_t *plugin_path(const struct run_options *o, const char *dir)
{
	const char *local = o->local_config ? o->local_config : LOCAL_CONFIG;
	_cleanup_free_ char *own = xasprintf("%s/net.d", local);
	_cleanup_free_ char *s1 = xasprintf("%s/" PODDIR_S1 "/usr/lib/rkt/plugins/net", dir);
	return json_make("[s, s, s, s, s, s]", own, "/usr/lib/rkt/plugins/net", s1, "/opt/cni/bin",
		"/usr/libexec/cni", "/usr/lib/cni");
}

static int select_nets(const struct run_options *o, struct cni_nets *ret, struct err *err)
{
	const char *local = o->local_config ? o->local_config : LOCAL_CONFIG;
	_cleanup_cni_flag_ struct cni_flag flag = {0};
	_cleanup_free_ char *user = xasprintf("%s/net.d", local);
	if (cni_flag_parse(o->net, &flag, err) < 0 ||
		cni_select(&flag, BUILTIN_NETS, user, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->n_notes; i++)
		log_warning("%s", ret->notes[i]);
	return 0;
}

static int judge(const struct cni_nets *nets, const json_t *path, struct err *err)
{
	const char *dirs[SPEC_MAX_DIRS + 1] = {NULL};
	for (size_t i = 0; i < json_array_size(path); i++)
		dirs[i] = json_string_value(json_array_get(path, i));
	for (size_t i = 0; i < nets->n; i++)
		if (cni_net_judge(&nets->net[i], err) < 0 ||
			cni_net_find(&nets->net[i], dirs, err) < 0)
			return -1;
	return 0;
}

/* Where forwarded ports lead: the first that masquerades, else the last (contract 5.5). */
static size_t target_of(const struct cni_nets *nets)
{
	for (size_t i = 0; i < nets->n; i++)
		if (nets->net[i].ip_masq)
			return i;
	return nets->n - 1;
}

static int set_ports(
	const struct poddir *d, const struct cni_nets *nets, json_t *network, struct err *err)
{
	json_t *ports = NULL;
	if (ports_plan(d, &ports, err) < 0)
		return -1;
	if (!ports)
		return 0;
	if (!nets->n) {
		json_decref(ports);
		return err_set(err, ERR_INVALID,
			"a pod without a network cannot have forwarded ports; run it with "
			"--net=default, or without --port");
	}
	json_object_set_new(network, "ports", ports);
	json_object_set_new(network, "target", json_integer((json_int_t)target_of(nets)));
	return 0;
}

static int set_guard(const struct poddir *d, json_t *network, struct err *err)
{
	const char *text = appc_pod_annotation(&d->pod, APPC_ANNOTATION_GUARD);
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(err, ERR_INVALID,
			"annotation " APPC_ANNOTATION_GUARD ": \"%s\" is neither true nor false",
			text);
	json_object_set_new(network, "guard", json_boolean(text && *text == 't'));
	return 0;
}

static char *names_of(const struct cni_nets *nets)
{
	char *all = xstrdup("");
	for (size_t i = 0; i < nets->n; i++) {
		char *more = xasprintf("%s%s%s", all, i ? ", " : "", nets->net[i].name);
		free(all);
		all = more;
	}
	return all;
}

static void describe(const struct cni_nets *nets, json_t *network, json_t *request)
{
	json_t *list = json_array();
	for (size_t i = 0; i < nets->n; i++)
		json_array_append_new(list, cni_net_json(&nets->net[i]));
	json_object_set_new(network, "nets", list);
	_cleanup_free_ char *names = names_of(nets);
	json_object_set_new(request, "net", json_string(names));
	json_object_set(request, "network", network);
}

int network_plan(const struct poddir *d, const struct run_options *o, const char *dir,
	json_t *request, struct err *err)
{
	_cleanup_cni_nets_ struct cni_nets nets = {0};
	_cleanup_json_ json_t *network = json_make("{s:o, s:b}", "path", plugin_path(o, dir),
		"resolv", (int)(o->dns.resolv == DNS_DEFAULT));
	if (select_nets(o, &nets, err) < 0 || set_guard(d, network, err) < 0 ||
		set_ports(d, &nets, network, err) < 0)
		return -1;
	if (nets.n > SPEC_MAX_NETS)
		return err_set(err, ERR_UNSUPPORTED, "%zu networks, at most %d are possible",
			nets.n, SPEC_MAX_NETS);
	if (!nets.n)
		return 0;
	if (judge(&nets, json_object_get(network, "path"), err) < 0)
		return -1;
	describe(&nets, network, request);
	return 0;
}
