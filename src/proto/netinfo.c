/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's networks for others: see netinfo.h. */
#include "proto/netinfo.h"

#include "base/cleanup.h"
#include "base/json.h"

static json_t *addresses_of(const json_t *net)
{
	json_t *list = json_array();
	size_t i;
	const json_t *a;
	json_array_foreach (json_object_get(json_object_get(net, "ifconf"), "addresses"), i, a)
		json_array_append(list, json_object_get(a, "local"));
	return list;
}

json_t *netinfo_of(const json_t *nets)
{
	static const char *const copied[] = {
		"name", "ifname", "file", "plugin", "args", "ip", "mask", "dns"};
	json_t *list = json_array();
	size_t i;
	const json_t *net;
	json_array_foreach (nets, i, net) {
		json_t *to = json_make("{s:o}", "addresses", addresses_of(net));
		for (size_t k = 0; k < ARRAY_SIZE(copied); k++)
			if (json_object_get(net, copied[k]))
				json_object_set(to, copied[k], json_object_get(net, copied[k]));
		json_array_append_new(list, to);
	}
	return list;
}
