/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: the pod's namespace, ADD of each network in order, what came of it. Whatever an earlier
 * try has left is given back first, because a plugin refuses a second ADD (CNI spec 1.0.0, section 2).
 */
#include "act/network.h"

#include <stdlib.h>
#include <string.h>

#include "act/act.h"
#include "act/leftover.h"
#include "act/netplan.h"
#include "act/ports.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/log.h"
#include "cni/plugin.h"
#include "net/dump.h"
#include "net/links.h"
#include "net/netns.h"

/* Of one network; a plugin may say a megabyte, and all of them travel in one frame. */
#define RESULT_MAX ((size_t)16 * 1024)
#define CHECK_MS   10000 /* of a plugin; the domain waits for it */

/* ---- giving back ---- */

static void keep_first(struct err *first, struct err *next)
{
	if (!first->msg)
		err_move(first, next);
	else
		log_warning("%s", err_msg(next));
}

/* No address is given back that a domain can use. */
static int check_no_vif(const struct netplan *p, struct err *err)
{
	char vif[IF_NAMESIZE] = "";
	int fd = -1;
	_cleanup_err_ struct err none = {0};
	if (netns_open(p->netns, &fd, &none) < 0)
		return 0;
	int r = links_find(fd, "vif", vif, err);
	fd_close(&fd);
	if (r == 0 && *vif)
		return err_set(err, ERR_STATE, "the domain's %s is in %s still", vif, p->netns);
	return r;
}

/* A main plugin calls it, and fails for good when it is gone. */
static int find_ipam(const struct netplan *p, const struct cni_net *net, struct err *err)
{
	size_t i;
	const json_t *plugin;
	json_array_foreach (net->plugins, i, plugin) {
		_cleanup_free_ char *path = NULL;
		const char *type = json_str_opt(json_object_get(plugin, "ipam"), "type", NULL);
		if (type && *type && cni_plugin_find(p->dirs, type, &path, err) < 0)
			return -1;
	}
	return 0;
}

static int undo_net(
	const struct netplan *p, size_t i, const json_t *nets, bool has_netns, struct err *err)
{
	struct cni_attach at = netplan_attach(p, has_netns, i + 1);
	json_t *result = json_object_get(json_array_get(nets, i), "result");
	/* Whose interface is gone already, bridge and ptp forget the rules: also when it says done. */
	if (find_ipam(p, &p->net[i], err) == 0 && cni_net_del(&p->net[i], &at, result, err) == 0)
		return leftover_remove(&p->net[i], p->uuid, err);
	if (err->code != ERR_NOTFOUND)
		return -1;
	log_warning("%s; removing what it is known to leave", err_msg(err));
	err_done(err);
	return leftover_remove(&p->net[i], p->uuid, err);
}

static int undo_plan(const struct netplan *p, const json_t *nets, struct err *err)
{
	_cleanup_err_ struct err first = {0};
	bool has_netns = false;
	if (check_no_vif(p, err) < 0)
		return -1;
	if (netns_exists(p->netns, &has_netns, &first) < 0)
		log_warning("%s", err_msg(&first));
	for (size_t i = p->n; i > 0; i--) {
		_cleanup_err_ struct err e = {0};
		if (undo_net(p, i - 1, nets, has_netns, &e) < 0)
			keep_first(&first, &e);
		crash_point("network-given-back");
	}
	if (first.msg) { /* plugins need the namespace when they are called again */
		err_move(err, &first);
		return -1;
	}
	return netns_remove(p->netns, err);
}

int network_undo(const char *uuid, const json_t *network, const json_t *nets, struct err *err)
{
	_cleanup_netplan_ struct netplan p = {0};
	_cleanup_err_ struct err first = {0};
	_cleanup_err_ struct err e = {0};
	if (json_array_size(json_object_get(network, "ports")) && ports_close(uuid, &first) < 0)
		log_warning("%s", err_msg(&first));
	if (netplan_read(uuid, network, &p, &e) < 0 || undo_plan(&p, nets, &e) < 0)
		keep_first(&first, &e);
	if (!first.msg)
		return 0;
	err_move(err, &first);
	return -1;
}

/* ---- making ---- */

static void set_summary(json_t *to, const struct cni_result *r)
{
	const struct cni_ip *ip = cni_result_ip4(r);
	char mask[INET_ADDRSTRLEN];
	if (ip) {
		cni_ip_mask(ip, mask);
		json_object_set_new(to, "ip", json_string(ip->ip));
		json_object_set_new(to, "mask", json_string(mask));
	}
	if (r->dns)
		json_object_set(to, "dns", r->dns);
	/* Too long to be kept: plugins can do without it (CNI spec 1.0.0, section 2, DEL). */
	if (json_dumpb(r->raw, NULL, 0, JSON_COMPACT) <= RESULT_MAX)
		json_object_set(to, "result", r->raw);
}

/* A daemon on the host renews its lease (tie.h). */
static bool is_dhcp(const struct cni_net *net)
{
	size_t i;
	const json_t *plugin;
	json_array_foreach (net->plugins, i, plugin)
		if (!strcmp(json_str_opt(json_object_get(plugin, "ipam"), "type", ""), "dhcp"))
			return true;
	return false;
}

static json_t *describe(const struct netplan *p, const struct cni_net *net,
	const struct cni_result *r, json_t *ifconf)
{
	_cleanup_free_ char *plugin = NULL;
	_cleanup_err_ struct err err = {0};
	(void)cni_plugin_find(p->dirs, cni_net_type(net), &plugin, &err);
	json_t *to = json_make("{s:s, s:s, s:s, s:s, s:s?, s:O}", "name", net->name, "ifname",
		net->ifname, "file", net->file, "plugin", plugin ? plugin : "", "args", net->args,
		"ifconf", ifconf);
	if (is_dhcp(net))
		json_object_set_new(to, "dhcp", json_true());
	set_summary(to, r);
	return to;
}

static int make_net(const struct netplan *p, int netns, size_t i, json_t *nets, struct err *err)
{
	const struct cni_net *net = &p->net[i];
	_cleanup_cni_result_ struct cni_result result = {0};
	_cleanup_json_ json_t *ifconf = NULL;
	struct cni_attach at = netplan_attach(p, true, p->n - i);
	if (cni_net_add(net, &at, &result, err) < 0)
		return -1;
	crash_point("network-added");
	/* Also when it cannot be read: from here on it has to be given back with its result. */
	json_t *made = json_make("{s:O}", "result", result.raw);
	int r = dump_interface(netns, net->ifname, &ifconf, err);
	if (r == 0) {
		json_decref(made);
		made = describe(p, net, &result, ifconf);
	} else {
		err_wrap(err, "network \"%s\": interface %s", net->name, net->ifname);
	}
	json_array_append_new(nets, made);
	return r;
}

static int make_nets(const struct netplan *p, json_t *nets, struct err *err)
{
	int netns = -1;
	if (netns_open(p->netns, &netns, err) < 0)
		return -1;
	int r = 0;
	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = make_net(p, netns, i, nets, err);
	fd_close(&netns);
	return r;
}

/*
 * Once all are there: a later network's plugin may have spoilt an earlier one's. No more than a
 * warning: Debian's bridge is not content when udev has given its host's end another MAC meanwhile.
 */
static void check_nets(const struct netplan *p, const json_t *nets)
{
	for (size_t i = 0; i < p->n; i++) {
		_cleanup_err_ struct err err = {0};
		struct cni_attach at = netplan_attach(p, true, p->n - i);
		json_t *result = json_object_get(json_array_get(nets, i), "result");
		if (at.timeout_ms > CHECK_MS)
			at.timeout_ms = CHECK_MS;
		if (cni_net_check(&p->net[i], &at, result, &err) < 0)
			log_warning("CHECK: %s", err_msg(&err));
	}
}

static int open_ports(const char *uuid, const json_t *network, const json_t *nets, struct err *err)
{
	const json_t *ports = json_object_get(network, "ports");
	size_t target = (size_t)json_int_opt(network, "target", 0);
	if (!json_array_size(ports))
		return 0;
	return ports_open(uuid, ports, json_array_get(nets, target), err);
}

static int make_all(const struct netplan *p, const json_t *network, json_t *nets, struct err *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (cni_net_judge(&p->net[i], err) < 0)
			return -1;
	if (netns_make(p->netns, err) < 0)
		return -1;
	crash_point("netns-made");
	if (make_nets(p, nets, err) == 0 && open_ports(p->uuid, network, nets, err) == 0) {
		check_nets(p, nets);
		return 0;
	}
	_cleanup_err_ struct err left = {0};
	if (network_undo(p->uuid, network, nets, &left) < 0)
		log_warning("not all of it could be given back: %s", err_msg(&left));
	return -1;
}

/*
 * A namespace tells of an earlier try. Of an earlier life of the pod there may be none any more, after a
 * reboot, and yet addresses are allocated to it: plugins refuse to do that twice.
 */
static int undo_earlier(
	const struct act *a, const struct netplan *p, const json_t *network, struct err *err)
{
	bool there = false;
	if (netns_exists(p->netns, &there, err) < 0)
		return -1;
	bool again = json_bool_opt(a->request, "again", false);
	if ((there || again) &&
		network_undo(p->uuid, network, json_object_get(a->request, "nets"), err) < 0)
		return err_wrap(err, "give back what an earlier try has left");
	return 0;
}

int act_network(struct act *a, struct err *err)
{
	_cleanup_netplan_ struct netplan p = {0};
	json_t *network = NULL;
	if (json_get_obj(a->request, "network", &network, err) < 0 ||
		netplan_read(a->id.uuid, network, &p, err) < 0 ||
		undo_earlier(a, &p, network, err) < 0)
		return -1;
	netplan_restart(&p); /* giving back may have taken its time */
	json_t *nets = json_array();
	json_object_set_new(a->answer, "nets", nets);
	return make_all(&p, network, nets, err);
}
