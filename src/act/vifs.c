/* SPDX-License-Identifier: Apache-2.0 */
/* vifs of a domain: see vifs.h. */
#include "act/vifs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/netplan.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/self.h"
#include "cni/resolv.h"
#include "net/links.h"
#include "net/netns.h"
#include "net/tie.h"
#include "proto/ifconf.h"
#include "proto/spec.h"

/* libxl has waited for the back end already; udev may be slow to let go of the name. */
#define VIF_MS 10000

#define RESOLV_CONF "/etc/resolv.conf"

/* ---- configuration ---- */

static int set_nic(const json_t *net, int devid, libxl_device_nic *nic, struct err *err)
{
	json_t *ifconf = NULL;
	if (json_get_obj(net, "ifconf", &ifconf, err) < 0 || ifconf_check(ifconf, err) < 0)
		return -1;
	nic->devid = devid;
	nic->nictype = LIBXL_NIC_TYPE_VIF;
	nic->mtu = (int)json_int_opt(ifconf, "mtu", 0);
	nic->script = self_lib("xenpod-vif");
	return ifconf_parse_mac(json_str_opt(ifconf, "mac", ""), nic->mac);
}

int vifs_configure(const json_t *nets, libxl_domain_config *config, struct err *err)
{
	size_t n = json_array_size(nets);
	if (!n)
		return 0;
	config->nics = xcalloc(n, sizeof *config->nics);
	for (size_t i = 0; i < n; i++) {
		libxl_device_nic_init(&config->nics[i]);
		config->num_nics++;
		if (set_nic(json_array_get(nets, i), (int)i, &config->nics[i], err) < 0)
			return err_wrap(err, "network %zu", i);
	}
	return 0;
}

/* ---- ties ---- */

/* As libxl and the back end call it. */
static void vif_name(uint32_t domid, size_t i, char ret[IF_NAMESIZE])
{
	snprintf(ret, IF_NAMESIZE, "vif%u.%u", domid & 0xffff, (unsigned)i & 0xff);
}

static int tie_one(int netns, const json_t *net, const char *vif, bool guard, struct err *err)
{
	const json_t *ifconf = json_object_get(net, "ifconf");
	const struct tie t = {
		.vif = vif,
		.cni = json_str_opt(net, "ifname", ""),
		.dhcp = json_bool_opt(net, "dhcp", false),
		.guard = guard ? ifconf : NULL,
	};
	const char *const names[] = {vif};
	if (links_wait(NETNS_OWN, names, 1, VIF_MS, err) < 0 ||
		tie_move(vif, netns, vif, err) < 0 || tie_make(netns, &t, err) < 0)
		return err_wrap(err, "network \"%s\"", json_str_opt(net, "name", ""));
	return 0;
}

int vifs_tie(const struct act *a, uint32_t domid, struct err *err)
{
	const json_t *nets = json_object_get(a->request, "nets");
	bool guard = json_bool_opt(a->request, "guard", false);
	_cleanup_fd_ int netns = -1;
	_cleanup_free_ char *name = xasprintf(NETPLAN_NETNS, a->id.uuid);
	if (!json_array_size(nets))
		return 0;
	if (netns_open(name, &netns, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(nets); i++) {
		char vif[IF_NAMESIZE];
		vif_name(domid, i, vif);
		if (tie_one(netns, json_array_get(nets, i), vif, guard, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the guest's part ---- */

static const json_t *first_dns(const json_t *nets)
{
	size_t i;
	const json_t *net;
	json_array_foreach (nets, i, net) {
		const json_t *dns = json_object_get(net, "dns");
		if (json_array_size(json_object_get(dns, "nameservers")))
			return dns;
	}
	return NULL;
}

static bool has_file(const json_t *app, const char *path)
{
	size_t i;
	const json_t *file;
	json_array_foreach (json_object_get(app, "files"), i, file)
		if (!strcmp(json_str_opt(file, "path", ""), path))
			return true;
	return false;
}

static void add_resolv_conf(json_t *spec, const json_t *dns)
{
	_cleanup_free_ char *text = cni_resolv_conf(dns);
	size_t i;
	json_t *app;
	json_array_foreach (json_object_get(spec, "apps"), i, app) {
		if (has_file(app, RESOLV_CONF))
			continue;
		if (!json_object_get(app, "files"))
			json_object_set_new(app, "files", json_array());
		json_array_append_new(json_object_get(app, "files"),
			json_make("{s:s, s:s}", "path", RESOLV_CONF, "text", text));
	}
}

int vifs_describe(const json_t *request, json_t *spec, struct err *err)
{
	const json_t *nets = json_object_get(request, "nets");
	const json_t *dns = json_bool_opt(request, "resolv", false) ? first_dns(nets) : NULL;
	json_t *list = json_array();
	size_t i;
	const json_t *net;
	if (!json_array_size(nets)) {
		json_decref(list);
		return 0;
	}
	json_array_foreach (nets, i, net)
		json_array_append(list, json_object_get(net, "ifconf"));
	json_object_set_new(spec, "net", list);
	if (dns)
		add_resolv_conf(spec, dns);
	return spec_check_guest(spec, err);
}
