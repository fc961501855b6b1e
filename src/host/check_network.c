/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks that this host has for pods (/etc/rkt/net.d): whether their files can be read, their plugins
 * are there, and what they expect of the host but do not make themselves: bridges and forwarding.
 */
#include <dirent.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cni/conf.h"
#include "cni/plugin.h"
#include "host/check.h"
#include "host/check_parse.h"

#define NETS_DIR "/etc/rkt/net.d"
/* What the stage1 image's own networks call (dist/nets). */
static const char *const own_types[] = {"ptp", "host-local"};

/* ---- their files --------------------------------------------------------------------------------------- */

static bool is_conf(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && (!strcmp(dot, ".conf") || !strcmp(dot, ".conflist"));
}

static int take_file(struct doctor *d, const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(NETS_DIR "/%s", name);
	_cleanup_free_ char *text = doctor_read(d, path);
	struct cni_net net = {0};
	if (!text)
		return err_set(err, ERR_INVALID, "%s: it cannot be read", path);
	if (cni_net_parse(path, text, strlen(text), &net, err) < 0)
		return -1;
	d->net = xreallocarray(d->net, d->nets + 1, sizeof(*d->net));
	d->net[d->nets++] = net;
	return 0;
}

void check_networks(struct doctor *d, struct finding *f)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *path = host_path(d->host, NETS_DIR);
	struct dirent **list = NULL;
	int n = scandir(path, &list, NULL, alphasort);
	int r = 0;
	for (int i = 0; i < n; i++) {
		if (r == 0 && is_conf(list[i]->d_name))
			r = take_file(d, list[i]->d_name, &err);
		free(list[i]);
	}
	free(list);
	if (r < 0) {
		finding_bad(f, FINDING_FAIL, "%s", err_msg(&err));
		finding_todo(f, "put that file right, or move it out of " NETS_DIR);
	} else {
		finding_ok(f, "%zu of this host, and those of the stage1 image", d->nets);
	}
}

/* ---- their plugins --------------------------------------------------------------------------------------- */

static bool plugin_is_there(const struct doctor *d, const char *type)
{
	static const char *const dirs[] = {NETS_DIR, "/usr/lib/rkt/plugins/net", "/opt/cni/bin",
		"/usr/libexec/cni", "/usr/lib/cni"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_free_ char *at = xasprintf("%s/%s", dirs[i], type);
		if (doctor_has(d, at))
			return true;
	}
	return false;
}

/* A plugin of the network that is missing; NULL: none. Borrowed. */
static const char *missing_of(const struct doctor *d, const struct cni_net *net)
{
	size_t i;
	json_t *plugin;
	json_array_foreach (net->plugins, i, plugin) {
		const char *type = json_str_opt(plugin, "type", "");
		const char *ipam = json_str_opt(json_object_get(plugin, "ipam"), "type", NULL);
		if (!plugin_is_there(d, type))
			return type;
		if (ipam && !plugin_is_there(d, ipam))
			return ipam;
	}
	return NULL;
}

static void plugin_missing(
	const struct doctor *d, struct finding *f, const char *net, const char *type, bool own)
{
	_cleanup_free_ char *install =
		doctor_install_of(d, "containernetworking-plugins", "containernetworking-plugins");
	finding_bad(f, own ? FINDING_WARN : FINDING_FAIL,
		"network \"%s\": there is no plugin \"%s\"", net, type);
	finding_todo(f, "%s, or copy it to /opt/cni/bin", install);
}

void check_cni_plugins(struct doctor *d, struct finding *f)
{
	for (size_t i = 0; i < d->nets; i++) {
		const char *type = missing_of(d, &d->net[i]);
		if (!type)
			continue;
		plugin_missing(d, f, d->net[i].name, type, false);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(own_types); i++) {
		if (plugin_is_there(d, own_types[i]))
			continue;
		plugin_missing(d, f, "default", own_types[i], true);
		return;
	}
	finding_ok(f, "all that networks call");
}

/* ---- what they expect of the host --------------------------------------------------------------------- */

/*
 * A bridge that the plugin only joins pods to: with isGateway it gives the bridge its address and turns on
 * forwarding itself (CNI plugins, main/bridge). NULL: it is none.
 */
static const char *bridge_of(const json_t *plugin)
{
	if (strcmp(json_str_opt(plugin, "type", ""), "bridge") != 0 ||
		json_bool_opt(plugin, "isGateway", false) ||
		json_bool_opt(plugin, "isDefaultGateway", false))
		return NULL;
	return json_str_opt(plugin, "bridge", "cni0");
}

/* Has "xenpod host network" made it? Then ret_out (may be NULL, caller frees): the way out of it. */
static bool is_ours(const struct doctor *d, const char *bridge, char **ret_out)
{
	_cleanup_free_ char *at = xasprintf("%s/network.json", d->host->state);
	_cleanup_json_ json_t *record = json_load_file(at, 0, NULL);
	const json_t *o = json_object_get(record, "options");
	if (strcmp(json_str_opt(o, "bridge", ""), bridge) != 0)
		return false;
	if (ret_out)
		*ret_out = xstrdup(json_str_opt(o, "chosen_out", ""));
	return true;
}

static bool bridge_is_there(const struct doctor *d, struct finding *f, const struct cni_net *net)
{
	const char *bridge = bridge_of(json_array_get(net->plugins, 0));
	_cleanup_free_ char *at = xasprintf("/sys/class/net/%s/bridge", bridge ? bridge : "");
	if (!bridge || doctor_has(d, at))
		return true;
	finding_bad(f, FINDING_FAIL, "network \"%s\": there is no bridge %s", net->name, bridge);
	if (is_ours(d, bridge, NULL))
		finding_todo(f, "xenpod host network up");
	else
		finding_todo(f,
			"ip link add %s type bridge; ip link set %s up, and give it an address or "
			"a port",
			bridge, bridge);
	return false;
}

void check_bridges(struct doctor *d, struct finding *f)
{
	for (size_t i = 0; i < d->nets; i++)
		if (!bridge_is_there(d, f, &d->net[i]))
			return;
	finding_ok(f, "those that networks name");
}

/* The gateway of host-local: said, or the first address. NULL: it has none. Caller frees. */
static char *gateway_of(const json_t *plugin)
{
	const json_t *ipam = json_object_get(plugin, "ipam");
	const json_t *ranges = json_object_get(ipam, "ranges");
	const json_t *range = ranges ? json_array_get(json_array_get(ranges, 0), 0) : ipam;
	const char *said = json_str_opt(range, "gateway", NULL);
	return said ? xstrdup(said) : subnet_first(json_str_opt(range, "subnet", ""));
}

/* This host is the way out of that network. */
static bool wants_forwarding(const struct doctor *d, const struct cni_net *net)
{
	const json_t *plugin = json_array_get(net->plugins, 0);
	_cleanup_free_ char *gateway = bridge_of(plugin) ? gateway_of(plugin) : NULL;
	_cleanup_free_ char *trie = doctor_read(d, "/proc/net/fib_trie");
	return gateway && trie && fib_is_local(trie, gateway);
}

static bool link_forwards(const struct doctor *d, const char *link)
{
	_cleanup_free_ char *at = xasprintf("/proc/sys/net/ipv4/conf/%s/forwarding", link);
	_cleanup_free_ char *value = doctor_read(d, at);
	return value && *value == '1';
}

/* `xenpod host network` turns it on for the bridge and for the way out alone; answers come in by that one. */
static bool net_forwards(const struct doctor *d, struct finding *f, const struct cni_net *net)
{
	const char *bridge = bridge_of(json_array_get(net->plugins, 0));
	_cleanup_free_ char *out = NULL;
	const bool ours = is_ours(d, bridge, &out);
	if (!link_forwards(d, bridge))
		finding_bad(f, FINDING_FAIL, "off, but this host is the gateway of network \"%s\"",
			net->name);
	else if (out && *out && !link_forwards(d, out))
		finding_bad(f, FINDING_FAIL, "off for %s, the way out of network \"%s\"", out,
			net->name);
	else
		return true;
	if (ours)
		finding_todo(f, "xenpod host network up");
	else
		finding_todo(f, "sysctl -w net.ipv4.ip_forward=1; the same line in "
				"/etc/sysctl.d for each boot");
	return false;
}

void check_forwarding(struct doctor *d, struct finding *f)
{
	_cleanup_free_ char *value = doctor_read(d, "/proc/sys/net/ipv4/ip_forward");
	bool all = value && *value == '1';
	bool some = false;
	for (size_t i = 0; i < d->nets && !all; i++) {
		if (!wants_forwarding(d, &d->net[i]))
			continue;
		if (!net_forwards(d, f, &d->net[i]))
			return;
		some = true;
	}
	finding_ok(f, all    ? "on"
		      : some ? "on for the bridges that need it"
			     : "off; plugins turn it on when they need it");
}
