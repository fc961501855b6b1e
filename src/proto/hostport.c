/* SPDX-License-Identifier: Apache-2.0 */
/* When two forwarded ports are the same: see hostport.h. */
#include "proto/hostport.h"

#include <string.h>

#include "base/json.h"

bool hostport_is_any(const char *ip)
{
	return !strcmp(ip, "0.0.0.0") || !strcmp(ip, "::");
}

bool hostport_meet(const json_t *a, const json_t *b)
{
	const char *ip_a = json_str_opt(a, "host_ip", "");
	const char *ip_b = json_str_opt(b, "host_ip", "");
	return json_int_opt(a, "host_port", 0) == json_int_opt(b, "host_port", -1) &&
	       !strcmp(json_str_opt(a, "protocol", ""), json_str_opt(b, "protocol", "")) &&
	       (hostport_is_any(ip_a) || hostport_is_any(ip_b) || !strcmp(ip_a, ip_b));
}
