/* SPDX-License-Identifier: Apache-2.0 */
/* RTM_GETLINK, RTM_NEWLINK: see link.h. */
#include "net/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* ---- asking ------------------------------------------------------------------------------------ */

static int read_link(struct nlmsghdr *h, struct link *ret, struct err *err)
{
	struct nlattr *a[IFLA_MAX + 1];
	struct ifinfomsg head;
	struct link l = {0};
	if (nlsock_parse(h, sizeof head, a, IFLA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof head);
	l.index = head.ifi_index;
	l.flags = head.ifi_flags;
	l.mtu = nlsock_u32(a[IFLA_MTU], 0);
	if (a[IFLA_IFNAME])
		nla_strlcpy(l.name, a[IFLA_IFNAME], sizeof l.name);
	l.ethernet = head.ifi_type == ARPHRD_ETHER && a[IFLA_ADDRESS] &&
		     nla_len(a[IFLA_ADDRESS]) == sizeof l.mac;
	if (l.ethernet)
		memcpy(l.mac, nla_data(a[IFLA_ADDRESS]), sizeof l.mac);
	*ret = l;
	return 0;
}

static int read_one(struct nlmsghdr *h, void *arg, struct err *err)
{
	return h->nlmsg_type == RTM_NEWLINK ? read_link(h, arg, err) : 0;
}

int link_get(struct nl_sock *s, const char *name, struct link *ret, struct err *err)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct link l = {0};
	_cleanup_err_ struct err why = {0};
	if (!ifconf_name_valid(name))
		return err_set(err, ERR_INVALID, "\"%s\" is no interface's name", name);
	struct nl_msg *msg = nlsock_msg(RTM_GETLINK, 0, &head, sizeof head);
	nlsock_put_text(msg, IFLA_IFNAME, name);
	if (nlsock_get(s, msg, read_one, &l, &why) < 0) {
		if (errno == ENODEV)
			return err_set(err, ERR_NOTFOUND, "there is no interface %s", name);
		err_move(err, &why);
		return err_wrap(err, "look for the interface %s", name);
	}
	*ret = l;
	return 0;
}

struct list {
	struct link *link;
	size_t n;
};

static int read_each(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct list *list = arg;
	if (!h) {
		list->n = 0;
		return 0;
	}
	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	list->link = xreallocarray(list->link, list->n + 1, sizeof *list->link);
	if (read_link(h, &list->link[list->n], err) < 0)
		return -1;
	list->n++;
	return 0;
}

int link_list(struct nl_sock *s, struct link **ret, size_t *ret_n, struct err *err)
{
	struct list list = {0};
	if (nlsock_dump(s, RTM_GETLINK, read_each, &list, err) < 0) {
		free(list.link);
		return err_wrap(err, "list the interfaces");
	}
	*ret = list.link;
	*ret_n = list.n;
	return 0;
}

/* ---- changing ---------------------------------------------------------------------------------- */

static struct nl_msg *change(const struct link *l, unsigned flags, unsigned mask)
{
	const struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = l->index,
		.ifi_flags = flags,
		.ifi_change = mask,
	};
	return nlsock_msg(RTM_NEWLINK, 0, &head, sizeof head);
}

int link_set_up(struct nl_sock *s, const struct link *l, bool up, struct err *err)
{
	if (nlsock_do(s, change(l, up ? IFF_UP : 0, IFF_UP), err) < 0)
		return err_wrap(err, "set the interface %s %s", l->name, up ? "up" : "down");
	return 0;
}

int link_set_name(struct nl_sock *s, const struct link *l, const char *name, struct err *err)
{
	struct nl_msg *msg = change(l, 0, 0);
	nlsock_put_text(msg, IFLA_IFNAME, name);
	if (nlsock_do(s, msg, err) < 0)
		return err_wrap(err, "rename the interface %s to %s", l->name, name);
	return 0;
}

int link_set_mtu(struct nl_sock *s, const struct link *l, unsigned mtu, struct err *err)
{
	struct nl_msg *msg = change(l, 0, 0);
	nlsock_put_u32(msg, IFLA_MTU, mtu);
	if (nlsock_do(s, msg, err) < 0)
		return err_wrap(err, "set the MTU of the interface %s to %u", l->name, mtu);
	return 0;
}

int link_set_netns(struct nl_sock *s, const struct link *l, int netns, struct err *err)
{
	struct nl_msg *msg = change(l, 0, 0);
	nlsock_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)netns);
	if (nlsock_do(s, msg, err) < 0)
		return err_wrap(err, "move the interface %s into the namespace", l->name);
	return 0;
}

int link_set_no_ipv6(struct nl_sock *s, const struct link *l, struct err *err)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	struct nl_msg *msg = change(l, 0, 0);
	struct nlattr *families = nlsock_nest(msg, IFLA_AF_SPEC);
	struct nlattr *inet6 = nlsock_nest(msg, AF_INET6);
	nlsock_put(msg, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
	nla_nest_end(msg, inet6);
	nla_nest_end(msg, families);
	/* A kernel without IPv6, or an interface whose MTU is too small for it, has no such mode. */
	if (nlsock_do(s, msg, err) == 0 || errno == EAFNOSUPPORT || errno == EOPNOTSUPP)
		return 0;
	return err_wrap(err, "keep IPv6 off the interface %s", l->name);
}
