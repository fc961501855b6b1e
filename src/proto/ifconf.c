/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and texts of an interface's configuration: see ifconf.h. */
#include "proto/ifconf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

/* ---- texts ------------------------------------------------------------------------------------- */

int ifconf_parse_addr(const char *text, struct ipaddr *ret)
{
	struct ipaddr a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	a.len = a.family == AF_INET ? 4 : 16;
	a.prefix = a.len * 8;
	if (inet_pton(a.family, text, a.bytes) != 1)
		return -1;
	*ret = a;
	return 0;
}

/* One to three digits, no sign, no blank, no leading zero. */
static int parse_length(const char *text, unsigned max, unsigned *ret)
{
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 3 || text[n] || (text[0] == '0' && n > 1))
		return -1;
	unsigned long v = strtoul(text, NULL, 10);
	if (v > max)
		return -1;
	*ret = (unsigned)v;
	return 0;
}

int ifconf_parse_prefix(const char *text, struct ipaddr *ret)
{
	char addr[IFCONF_ADDR_TEXT];
	struct ipaddr a;
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : sizeof addr;
	if (len >= sizeof addr)
		return -1;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (ifconf_parse_addr(addr, &a) < 0 || parse_length(slash + 1, a.len * 8, &a.prefix) < 0)
		return -1;
	*ret = a;
	return 0;
}

int ifconf_parse_mac(const char *text, uint8_t ret[IFCONF_MAC_LEN])
{
	uint8_t mac[IFCONF_MAC_LEN];
	if (strlen(text) != IFCONF_MAC_TEXT - 1)
		return -1;
	for (size_t i = 0; i < IFCONF_MAC_LEN; i++) {
		const char hex[] = {text[3 * i], text[3 * i + 1], '\0'};
		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]))
			return -1;
		if (text[3 * i + 2] != (i + 1 < IFCONF_MAC_LEN ? ':' : '\0'))
			return -1;
		mac[i] = (uint8_t)strtoul(hex, NULL, 16);
	}
	memcpy(ret, mac, sizeof mac);
	return 0;
}

int ifconf_parse_dst(const json_t *route, struct ipaddr *ret)
{
	struct ipaddr hint = {.family = AF_INET, .len = 4};
	const char *dst = json_str_opt(route, "dst", "");
	const char *like = json_str_opt(route, "src", json_str_opt(route, "via", NULL));
	if (strcmp(dst, "default") != 0)
		return ifconf_parse_prefix(dst, ret);
	if (like && ifconf_parse_addr(like, &hint) < 0)
		return -1;
	*ret = (struct ipaddr){.family = hint.family, .len = hint.len};
	return 0;
}

bool ifconf_name_valid(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len > IFCONF_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *p = name; *p; p++)
		if (!isgraph((unsigned char)*p) || strchr("/:%", *p))
			return false;
	return true;
}

void ifconf_addr_text(const struct ipaddr *a, char ret[IFCONF_ADDR_TEXT])
{
	if (!inet_ntop(a->family, a->bytes, ret, IFCONF_ADDR_TEXT))
		abort();
}

void ifconf_prefix_text(const struct ipaddr *a, char ret[IFCONF_ADDR_TEXT])
{
	ifconf_addr_text(a, ret);
	size_t len = strlen(ret);
	snprintf(ret + len, IFCONF_ADDR_TEXT - len, "/%u", a->prefix);
}

void ifconf_mac_text(const uint8_t mac[IFCONF_MAC_LEN], char ret[IFCONF_MAC_TEXT])
{
	snprintf(ret, IFCONF_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
}

struct ipaddr ifconf_link_local(const uint8_t mac[IFCONF_MAC_LEN])
{
	return (struct ipaddr){.family = AF_INET6,
		.len = 16,
		.prefix = 64,
		.bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe,
			mac[3], mac[4], mac[5]}};
}

/* ---- checks ------------------------------------------------------------------------------------ */

static int bad(struct err *err, const char *member, const char *want)
{
	return err_set(err, ERR_INVALID, "\"%s\" must be %s", member, want);
}

static int check_mac(const json_t *o, struct err *err)
{
	uint8_t mac[IFCONF_MAC_LEN];
	const char *text = NULL;
	if (json_get_str(o, "mac", &text, err) < 0)
		return -1;
	if (ifconf_parse_mac(text, mac) < 0 || mac[0] & 1)
		return bad(err, "mac", "the MAC address of one station");
	return 0;
}

/* An optional address; `family` 0: of either. */
static int check_addr_opt(const json_t *o, const char *member, int family, struct err *err)
{
	struct ipaddr a;
	const char *text = NULL;
	if (!json_object_get(o, member))
		return 0;
	if (json_get_str(o, member, &text, err) < 0)
		return -1;
	if (ifconf_parse_addr(text, &a) < 0 || (family && a.family != family))
		return bad(err, member, family ? "an address of the same family" : "an address");
	return 0;
}

static int check_int_opt(
	const json_t *o, const char *member, int64_t min, int64_t max, struct err *err)
{
	int64_t v = min;
	if (json_object_get(o, member) && json_get_int(o, member, &v, err) < 0)
		return -1;
	if (v < min || v > max)
		return err_set(err, ERR_INVALID, "\"%s\" must be %lld to %lld", member,
			(long long)min, (long long)max);
	return 0;
}

static int check_scope(const json_t *o, struct err *err)
{
	const char *scope = NULL;
	if (json_get_str(o, "scope", &scope, err) < 0)
		return -1;
	if (strcmp(scope, "global") != 0 && strcmp(scope, "link") != 0 &&
		strcmp(scope, "host") != 0)
		return bad(err, "scope", "\"global\", \"link\" or \"host\"");
	return 0;
}

static int check_address(const json_t *o, struct err *err)
{
	struct ipaddr a;
	const char *local = NULL;
	if (json_get_str(o, "local", &local, err) < 0)
		return -1;
	if (ifconf_parse_prefix(local, &a) < 0)
		return bad(err, "local", "an address with its prefix length");
	if (check_addr_opt(o, "peer", a.family, err) < 0 ||
		check_addr_opt(o, "broadcast", AF_INET, err) < 0)
		return -1;
	if (a.family != AF_INET && json_object_get(o, "broadcast"))
		return err_set(err, ERR_INVALID, "\"broadcast\" is for IPv4 only");
	return check_scope(o, err);
}

/* Beyond the prefix there is nothing: the kernel refuses such a destination. */
static bool is_network(const struct ipaddr *a)
{
	for (unsigned bit = a->prefix; bit < a->len * 8; bit++)
		if (a->bytes[bit / 8] & (0x80U >> bit % 8))
			return false;
	return true;
}

static int check_route(const json_t *o, struct err *err)
{
	struct ipaddr dst;
	const char *text = NULL;
	if (json_get_str(o, "dst", &text, err) < 0 || check_addr_opt(o, "via", 0, err) < 0 ||
		check_addr_opt(o, "src", 0, err) < 0)
		return -1;
	if (ifconf_parse_dst(o, &dst) < 0 || !is_network(&dst))
		return bad(err, "dst", "\"default\" or a network with its prefix length");
	/* IPv4 by an IPv6 gateway is RFC 5549; the other way round there is nothing. */
	if (check_addr_opt(o, "src", dst.family, err) < 0 ||
		(dst.family == AF_INET6 && check_addr_opt(o, "via", AF_INET6, err) < 0))
		return -1;
	if (json_object_get(o, "onlink") && !json_is_boolean(json_object_get(o, "onlink")))
		return bad(err, "onlink", "true or false");
	if (strcmp(json_str_opt(o, "table", "main"), "main") != 0)
		return bad(err, "table", "\"main\"");
	if (check_int_opt(o, "metric", 0, UINT32_MAX, err) < 0 ||
		check_int_opt(o, "mtu", 0, IFCONF_MTU_MAX, err) < 0)
		return -1;
	return check_scope(o, err);
}

static int check_neighbour(const json_t *o, struct err *err)
{
	const char *ip = NULL;
	if (json_get_str(o, "ip", &ip, err) < 0 || check_addr_opt(o, "ip", 0, err) < 0)
		return -1;
	return check_mac(o, err);
}

static int check_each(const json_t *ifconf, const char *member, size_t max,
	int (*check)(const json_t *o, struct err *err), struct err *err)
{
	json_t *a = NULL;
	size_t i = 0;
	json_t *o = NULL;
	if (json_get_array(ifconf, member, &a, err) < 0)
		return -1;
	if (json_array_size(a) > max)
		return err_set(err, ERR_INVALID,
			"\"%s\" has %zu elements, at most %zu can be there", member,
			json_array_size(a), max);
	json_array_foreach (a, i, o) {
		if (!json_is_object(o))
			return bad(err, member, "an array of objects");
		if (check(o, err) < 0)
			return err_wrap(err, "\"%s\", element %zu", member, i + 1);
	}
	return 0;
}

static int check_members(const json_t *ifconf, struct err *err)
{
	int64_t mtu = 0;
	if (check_mac(ifconf, err) < 0 || json_get_int(ifconf, "mtu", &mtu, err) < 0 ||
		check_int_opt(ifconf, "mtu", IFCONF_MTU_MIN, IFCONF_MTU_MAX, err) < 0 ||
		check_each(ifconf, "addresses", IFCONF_MAX_ADDRESSES, check_address, err) < 0 ||
		check_each(ifconf, "routes", IFCONF_MAX_ROUTES, check_route, err) < 0)
		return -1;
	return check_each(ifconf, "neighbours", IFCONF_MAX_NEIGHBOURS, check_neighbour, err);
}

int ifconf_check(const json_t *ifconf, struct err *err)
{
	const char *name = NULL;
	if (!json_is_object(ifconf))
		return err_set(err, ERR_INVALID, "an interface's configuration must be an object");
	if (json_get_str(ifconf, "ifname", &name, err) < 0)
		return -1;
	if (!ifconf_name_valid(name))
		return bad(err, "ifname", "an interface's name");
	return check_members(ifconf, err) < 0 ? err_wrap(err, "interface \"%s\"", name) : 0;
}
