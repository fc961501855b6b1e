/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of the simulated Dom-0: each pod's interfaces, with addresses that no two pods share. */
#include "base/alloc.h"
#include "sim/sim_int.h"

/* 10.<net>.<pod>, with domid and pid as unlikely to come again as in the real world. */
static json_t *make_net(const json_t *net, size_t i, uint64_t pod)
{
	_cleanup_free_ char *ip =
		xasprintf("10.%zu.%u.%u", i + 88, (unsigned)(pod >> 8) & 255, (unsigned)pod & 255);
	_cleanup_free_ char *local = xasprintf("%s/16", ip);
	_cleanup_free_ char *mac = xasprintf(
		"02:00:00:%02zx:%02x:%02x", i, (unsigned)(pod >> 8) & 255, (unsigned)pod & 255);
	const char *ifname = json_str_opt(net, "ifname", "");
	json_t *ifconf = json_make("{s:s, s:s, s:i, s:[{s:s, s:s}], s:[], s:[]}", "ifname", ifname,
		"mac", mac, "mtu", 1500, "addresses", "local", local, "scope", "global", "routes",
		"neighbours");
	return json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name",
		json_str_opt(net, "name", ""), "ifname", ifname, "file",
		json_str_opt(net, "file", ""), "plugin", "/usr/lib/cni/sim", "ip", ip, "mask",
		"255.255.0.0", "ifconf", ifconf);
}

int network_make(struct sim *sim, struct helper *h, json_t *done, struct err *err)
{
	json_t *network;
	json_t *nets;
	if (json_get_obj(h->request, "network", &network, err) < 0 ||
		json_get_array(network, "nets", &nets, err) < 0)
		return -1;
	struct host *host = host_get(sim, h->uuid);
	/* A namespace is seen, and what it had given back; an address without one is host-local's. */
	if (host->leases && !host->netns && !json_bool_opt(h->request, "again", false))
		return err_set(err, ERR_EXISTS, "duplicate allocation is not allowed");
	json_t *list = json_array();
	size_t i;
	const json_t *net;
	uint64_t pod = ++sim->next_address;
	json_array_foreach (nets, i, net)
		json_array_append_new(list, make_net(net, i, pod));
	host->netns = host->leases = true;
	host->ports = json_array_size(json_object_get(network, "ports")) > 0;
	json_object_set_new(done, "nets", list);
	return 0;
}

void network_clear(struct host *host, const json_t *request)
{
	host->ports = false;
	if (json_bool_opt(request, "undo", false))
		network_release(host);
}

void network_release(struct host *host)
{
	host->netns = host->leases = host->ports = false;
}
