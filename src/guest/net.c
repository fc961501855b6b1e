/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces: see net.h. */
#include "guest/net.h"

#include "net/apply.h"

/* xen-netfront makes its interface when Dom-0's end answers; under emulation that takes its time. */
#define INTERFACE_MS 60000

int net_up(const json_t *net, struct err *err)
{
	size_t i;
	const json_t *ifconf;
	if (apply_loopback(err) < 0)
		return -1;
	json_array_foreach (net, i, ifconf)
		if (apply_interface(ifconf, INTERFACE_MS, err) < 0)
			return -1;
	return 0;
}
