/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a request's networks: see netplan.h. */
#include "act/netplan.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "cni/plugin.h"
#include "net/netns.h"

/*
 * The supervisor's deadline for networking and releasing is 240 s (fsm/pod.h): whoever is late says so
 * himself, and a network that hangs leaves time for the others.
 */
#define PLAN_MS    110000 /* twice, when an earlier try has to be given back first */
#define NETWORK_MS 90000
#define LATER_MS   5000 /* kept for each network that comes later */

static int read_dirs(const json_t *network, struct netplan *p, struct err *err)
{
	json_t *path = NULL;
	if (json_get_array(network, "path", &path, err) < 0)
		return -1;
	if (json_array_size(path) > SPEC_MAX_DIRS)
		return err_set(
			err, ERR_INVALID, "\"path\" has more than %d directories", SPEC_MAX_DIRS);
	for (size_t i = 0; i < json_array_size(path); i++) {
		p->dirs[i] = json_string_value(json_array_get(path, i));
		if (!p->dirs[i])
			return err_set(err, ERR_INVALID, "\"path\" must be texts");
	}
	return 0;
}

static int read_nets(const json_t *network, struct netplan *p, struct err *err)
{
	json_t *nets = NULL;
	if (json_get_array(network, "nets", &nets, err) < 0)
		return -1;
	if (json_array_size(nets) > SPEC_MAX_NETS)
		return err_set(err, ERR_INVALID, "\"nets\" has more than %d", SPEC_MAX_NETS);
	for (; p->n < json_array_size(nets); p->n++)
		if (cni_net_from_json(json_array_get(nets, p->n), &p->net[p->n], err) < 0)
			return -1;
	return 0;
}

int netplan_read(const char *uuid, const json_t *network, struct netplan *ret, struct err *err)
{
	*ret = (struct netplan){.uuid = uuid, .until = clock_ms() + PLAN_MS};
	snprintf(ret->netns, sizeof ret->netns, NETPLAN_NETNS, uuid);
	snprintf(ret->path, sizeof ret->path, NETNS_DIR "/%s", ret->netns);
	if (read_dirs(network, ret, err) == 0 && read_nets(network, ret, err) == 0)
		return 0;
	netplan_done(ret);
	return -1;
}

void netplan_restart(struct netplan *p)
{
	p->until = clock_ms() + PLAN_MS;
}

void netplan_done(struct netplan *p)
{
	for (size_t i = 0; i < p->n; i++)
		cni_net_done(&p->net[i]);
	p->n = 0;
}

struct cni_attach netplan_attach(const struct netplan *p, bool has_netns, size_t rest)
{
	int64_t left = p->until - clock_ms() - (int64_t)(rest - 1) * LATER_MS;
	int64_t ms = left < NETWORK_MS ? left : NETWORK_MS;
	return (struct cni_attach){
		.container = p->uuid,
		.netns = has_netns ? p->path : NULL,
		.dirs = p->dirs,
		.timeout_ms = ms > 1000 ? (int)ms : 1000,
	};
}
