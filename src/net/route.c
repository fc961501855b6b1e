/* SPDX-License-Identifier: Apache-2.0 */
/* Where the kernel sends something: see route.h. */
#include "net/route.h"

#include <linux/rtnetlink.h>

#include "net/netns.h"
#include "net/nlsock.h"
#include "proto/ifconf.h"

static int read_route(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct nlattr *a[RTA_MAX + 1];
	if (nlsock_parse(h, sizeof(struct rtmsg), a, RTA_MAX, err) < 0)
		return -1;
	*(unsigned *)arg = nlsock_u32(a[RTA_OIF], 0);
	return 0;
}

int route_interface(const char *ip, char ret_name[IF_NAMESIZE], struct err *err)
{
	struct ipaddr addr;
	unsigned index = 0;
	if (ifconf_parse_addr(ip, &addr) < 0)
		return err_set(err, ERR_INVALID, "\"%s\" is not an IP address", ip);
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	if (!s)
		return -1;
	struct rtmsg head = {.rtm_family = (unsigned char)addr.family,
		.rtm_dst_len = (unsigned char)(addr.len * 8)};
	struct nl_msg *msg = nlsock_msg(RTM_GETROUTE, 0, &head, sizeof head);
	nlsock_put(msg, RTA_DST, addr.bytes, addr.len);
	if (nlsock_get(s, msg, read_route, &index, err) < 0)
		return err_wrap(err, "the route to %s", ip);
	if (!if_indextoname(index, ret_name))
		return err_sys(err, "the interface of the route to %s", ip);
	return 0;
}
