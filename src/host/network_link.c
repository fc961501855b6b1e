/* SPDX-License-Identifier: Apache-2.0 */
/* Links and addresses as things, by rtnetlink(7): see network.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/files.h"
#include "host/network.h"
#include "net/netns.h"
#include "net/nlsock.h"

/* FNV-1a: it shall be the same again, nothing more. */
void network_mac(const char *link, uint8_t ret[IFCONF_MAC_LEN])
{
	uint32_t sum = 2166136261U;
	for (const char *c = link; *c; c++)
		sum = (sum ^ (uint8_t)*c) * 16777619U;
	ret[0] = 0x02;
	ret[1] = 0x16;
	memcpy(ret + 2, &sum, sizeof(sum));
}

/* ---- a link -------------------------------------------------------------------------------------------- */

static json_t *describe(const struct ifinfomsg *head, struct nlattr **a)
{
	struct nlattr *info[IFLA_INFO_MAX + 1] = {NULL};
	char type[32] = "other";
	char mac[IFCONF_MAC_TEXT] = "";
	char master[IF_NAMESIZE] = "";
	if (a[IFLA_LINKINFO] &&
		nla_parse_nested(info, IFLA_INFO_MAX, a[IFLA_LINKINFO], NULL) == 0 &&
		info[IFLA_INFO_KIND])
		nla_strlcpy(type, info[IFLA_INFO_KIND], sizeof(type));
	if (a[IFLA_ADDRESS] && nla_len(a[IFLA_ADDRESS]) == IFCONF_MAC_LEN)
		ifconf_mac_text(nla_data(a[IFLA_ADDRESS]), mac);
	json_t *j = json_make(
		"{s:s,s:s,s:b}", "type", type, "mac", mac, "up", (head->ifi_flags & IFF_UP) != 0);
	if (a[IFLA_MASTER] && if_indextoname(nla_get_u32(a[IFLA_MASTER]), master))
		json_object_set_new(j, "master", json_string(master));
	return j;
}

static int read_link(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct nlattr *a[IFLA_MAX + 1];
	struct ifinfomsg head;
	json_t **ret = arg;
	if (h->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (nlsock_parse(h, sizeof(head), a, IFLA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof(head));
	json_decref(*ret);
	*ret = describe(&head, a);
	return 0;
}

static int link_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	_cleanup_err_ struct err why = {0};
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	(void)h;
	if (!s)
		return -1;
	struct nl_msg *msg = nlsock_msg(RTM_GETLINK, 0, &head, sizeof(head));
	nlsock_put_text(msg, IFLA_IFNAME, name);
	if (nlsock_get(s, msg, read_link, ret, &why) == 0 || errno == ENODEV)
		return 0;
	err_move(err, &why);
	return -1;
}

/* One message makes it as a whole: type, MAC, bridge that it is a port of, and up. */
static struct nl_msg *link_msg(const char *name, const json_t *value, int flags)
{
	const bool up = json_bool_opt(value, "up", false);
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC,
		.ifi_index = flags ? 0 : (int)if_nametoindex(name),
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = IFF_UP};
	const char *master = json_str_opt(value, "master", NULL);
	uint8_t mac[IFCONF_MAC_LEN];
	struct nl_msg *msg = nlsock_msg(RTM_NEWLINK, flags, &head, sizeof(head));
	if (ifconf_parse_mac(json_str_opt(value, "mac", ""), mac) == 0)
		nlsock_put(msg, IFLA_ADDRESS, mac, sizeof(mac));
	nlsock_put_u32(msg, IFLA_MASTER, master ? if_nametoindex(master) : 0);
	if (!flags)
		return msg;
	nlsock_put_text(msg, IFLA_IFNAME, name);
	struct nlattr *info = nlsock_nest(msg, IFLA_LINKINFO);
	nlsock_put_text(msg, IFLA_INFO_KIND, json_str_opt(value, "type", ""));
	nla_nest_end(msg, info);
	return msg;
}

static int link_make(struct nl_sock *s, const char *name, const json_t *value, struct err *err)
{
	const char *type = json_str_opt(value, "type", "");
	bool there = if_nametoindex(name) != 0;
	if (nlsock_do(s, link_msg(name, value, there ? 0 : NLM_F_CREATE | NLM_F_EXCL), err) == 0)
		return 0;
	if (!there && errno == EOPNOTSUPP)
		return err_set(err, ERR_UNSUPPORTED,
			"this kernel makes no link of type %s: modprobe %s%s", type, type,
			!strcmp(type, "dummy") ? ", or use --port=none" : "");
	return -1;
}

static int link_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	const struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)};
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	(void)h;
	if (!s)
		return -1;
	if (!json_is_null(value))
		return link_make(s, name, value, err);
	if (!head.ifi_index)
		return 0;
	return nlsock_do(s, nlsock_msg(RTM_DELLINK, 0, &head, sizeof(head)), err);
}

const struct thing thing_link = {
	.kind = "link", .get = link_get, .set = link_set, .only_new = true, .till_boot = true};

/* ---- an address ---------------------------------------------------------------------------------------- */

struct wanted {
	unsigned index;
	struct ipaddr addr;
	bool found;
};

/* "xenbr0 10.1.1.1/24"; an index of 0: there is no such link. */
static struct wanted parse(const char *name)
{
	struct wanted w = {0};
	_cleanup_free_ char *link = xstrndup(name, strcspn(name, " "));
	(void)ifconf_parse_prefix(name + strcspn(name, " ") + 1, &w.addr);
	w.index = if_nametoindex(link);
	return w;
}

static int read_addr(struct nlmsghdr *h, void *arg, struct err *err)
{
	struct wanted *w = arg;
	struct nlattr *a[IFA_MAX + 1];
	struct ifaddrmsg head;
	if (!h || h->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (nlsock_parse(h, sizeof(head), a, IFA_MAX, err) < 0)
		return -1;
	memcpy(&head, nlmsg_data(h), sizeof(head));
	if (head.ifa_family == AF_INET && head.ifa_index == w->index &&
		head.ifa_prefixlen == w->addr.prefix && a[IFA_LOCAL] &&
		!memcmp(nla_data(a[IFA_LOCAL]), w->addr.bytes, 4))
		w->found = true;
	return 0;
}

static int address_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	struct wanted w = parse(name);
	(void)h;
	if (!w.index)
		return 0;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	if (!s || nlsock_dump(s, RTM_GETADDR, read_addr, &w, err) < 0)
		return -1;
	*ret = w.found ? json_true() : NULL;
	return 0;
}

static int address_set(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	const bool add = !json_is_null(value);
	struct wanted w = parse(name);
	(void)h;
	if (!w.index)
		return add ? err_set(err, ERR_NOTFOUND, "the link is not there") : 0;
	_cleanup_nlsock_ struct nl_sock *s = nlsock_open(NETNS_OWN, err);
	if (!s)
		return -1;
	const struct ifaddrmsg head = {.ifa_family = AF_INET,
		.ifa_prefixlen = (uint8_t)w.addr.prefix,
		.ifa_index = w.index};
	struct nl_msg *msg = nlsock_msg(add ? RTM_NEWADDR : RTM_DELADDR,
		add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof(head));
	uint8_t broadcast[4];
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = w.addr.prefix < 8 * i ? 0 : w.addr.prefix - 8 * i;
		broadcast[i] = (uint8_t)(w.addr.bytes[i] | (bits >= 8 ? 0 : 0xff >> bits));
	}
	nlsock_put(msg, IFA_LOCAL, w.addr.bytes, 4);
	nlsock_put(msg, IFA_ADDRESS, w.addr.bytes, 4);
	if (add)
		nlsock_put(msg, IFA_BROADCAST, broadcast, sizeof(broadcast));
	return nlsock_do(s, msg, err);
}

const struct thing thing_address = {
	.kind = "address", .get = address_get, .set = address_set, .till_boot = true};

/* ---- forwarding from a link ------------------------------------------------------------------------------ */

static char *forwarding(const char *link)
{
	return xasprintf("net/ipv4/conf/%s/forwarding", link);
}

static int sysctl_of(const struct host *h, const char *link, char **ret, struct err *err)
{
	_cleanup_free_ char *at = forwarding(link);
	_cleanup_json_ json_t *value = NULL;
	if (thing_sysctl.get(h, at, &value, err) < 0)
		return -1;
	*ret = xstrdup(json_string_value(value));
	return 0;
}

static int forwarding_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	_cleanup_free_ char *is = NULL;
	_cleanup_free_ char *all = NULL;
	if (!if_nametoindex(name))
		return 0;
	if (sysctl_of(h, name, &is, err) < 0 || sysctl_of(h, "all", &all, err) < 0)
		return -1;
	*ret = json_make("{s:s,s:s}", "is", is, "all", all);
	return 0;
}

/* Older records have the text alone. */
static const char *is_of(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : json_str_opt(value, "is", "");
}

static bool forwarding_same(const json_t *now, const json_t *want)
{
	return !strcmp(is_of(now), is_of(want));
}

/* Who has switched it on for all links since relies on each of them. */
static int refuse_all(const struct host *h, const json_t *value, struct err *err)
{
	_cleanup_free_ char *all = NULL;
	if (strcmp(is_of(value), "0") != 0 || !strcmp(json_str_opt(value, "all", "0"), "1"))
		return 0;
	if (sysctl_of(h, "all", &all, err) < 0)
		return -1;
	return strcmp(all, "1") != 0
		       ? 0
		       : err_set(err, ERR_STATE, "net.ipv4.ip_forward was switched on since");
}

static int forwarding_set(
	const struct host *h, const char *name, const json_t *value, struct err *err)
{
	_cleanup_free_ char *at = forwarding(name);
	if (json_is_null(value))
		return 0;
	if (!if_nametoindex(name))
		return err_set(err, ERR_NOTFOUND, "the link is not there");
	if (refuse_all(h, value, err) < 0)
		return -1;
	if (!*is_of(value))
		return err_set(err, ERR_INVALID, "its record has no text where one is wanted");
	_cleanup_json_ json_t *is = json_string(is_of(value));
	return thing_sysctl.set(h, at, is, err);
}

static int forwarding_try_back(const struct host *h, const char *name, const json_t *was,
	const json_t *gone, struct err *err)
{
	(void)name;
	(void)gone;
	return json_is_null(was) ? 0 : refuse_all(h, was, err);
}

const struct thing thing_forwarding = {.kind = "forwarding",
	.get = forwarding_get,
	.set = forwarding_set,
	.same = forwarding_same,
	.try_back = forwarding_try_back,
	.till_boot = true};
