/* SPDX-License-Identifier: Apache-2.0 */
/* Results of CNI plugins, of every version: see result.h. */
#include "cni/result.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"

/* ---- addresses -------------------------------------------------------------------------------- */

static int take_prefix(const char *text, struct cni_ip *ip)
{
	char *end;
	unsigned long bits = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 999;
	if (bits > (ip->v6 ? 128UL : 32UL) || *end)
		return -1;
	ip->prefix = (unsigned)bits;
	return 0;
}

/* Written again from its bytes: nothing but digits and separators goes on from here. */
static int take_ip(const char *text, bool v6, char ret[INET6_ADDRSTRLEN])
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int family = v6 ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, bytes) != 1)
		return -1;
	return inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN) ? 0 : -1;
}

/* "A/len"; a plugin that leaves "/len" out means the one address. */
static int take_address(const char *text, struct cni_ip *ip)
{
	char plain[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	if (len >= sizeof plain)
		return -1;
	memcpy(plain, text, len);
	plain[len] = '\0';
	ip->v6 = strchr(plain, ':') != NULL;
	ip->prefix = ip->v6 ? 128 : 32;
	if (take_ip(plain, ip->v6, ip->ip) < 0)
		return -1;
	if (text[len] && take_prefix(text + len + 1, ip) < 0)
		return -1;
	snprintf(ip->address, sizeof ip->address, "%s/%u", ip->ip, ip->prefix);
	return 0;
}

/* An address with its gateway; `key` is its name, "address" or (before 0.3.0) "ip". */
static int add_ip(const json_t *o, const char *key, struct cni_result *r, struct err *err)
{
	const char *text;
	struct cni_ip ip = {0};
	if (json_get_str(o, key, &text, err) < 0)
		return -1;
	if (take_address(text, &ip) < 0)
		return err_set(err, ERR_INVALID, "\"%s\" is no address with a prefix", key);
	if (cni_member(o, "gateway")) {
		if (json_get_str(o, "gateway", &text, err) < 0)
			return -1;
		if (*text && take_ip(text, ip.v6, ip.gateway) < 0)
			return err_set(
				err, ERR_INVALID, "\"gateway\" is no IPv%d address", ip.v6 ? 6 : 4);
	}
	r->ips = xreallocarray(r->ips, r->n_ips + 1, sizeof *r->ips);
	r->ips[r->n_ips++] = ip;
	return 0;
}

/* ---- the shape of 0.1.0 and 0.2.0 --------------------------------------------------------------- */

static int take_old(const json_t *o, struct cni_result *r, struct err *err)
{
	static const char *const keys[] = {"ip4", "ip6"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *ip = cni_member(o, keys[i]);
		if (!ip)
			continue;
		if (!json_is_object(ip))
			return err_set(err, ERR_INVALID, "\"%s\" must be an object", keys[i]);
		if (add_ip(ip, "ip", r, err) < 0)
			return err_wrap(err, "%s", keys[i]);
		if (r->ips[r->n_ips - 1].v6 != (i == 1))
			return err_set(err, ERR_INVALID, "\"%s\" is of the other family", keys[i]);
	}
	return 0;
}

/* ---- the shape since 0.3.0 ---------------------------------------------------------------------- */

/* An optional array of objects, bounded. *ret is NULL when it is absent. */
static int get_list(const json_t *o, const char *key, size_t max, json_t **ret, struct err *err)
{
	size_t i;
	json_t *v;
	*ret = cni_member(o, key);
	if (!*ret)
		return 0;
	if (!json_is_array(*ret))
		return err_set(err, ERR_INVALID, "\"%s\" must be an array", key);
	if (json_array_size(*ret) > max)
		return err_set(err, ERR_FULL, "\"%s\" has %zu entries, at most %zu are taken", key,
			json_array_size(*ret), max);
	json_array_foreach (*ret, i, v)
		if (!json_is_object(v))
			return err_set(err, ERR_INVALID, "\"%s\" must hold objects", key);
	return 0;
}

/*
 * Spec 0.3.0 "Result": the pod's interface has CNI_IFNAME's name and tells its sandbox; a plugin that
 * forgets the sandbox is understood. NULL when the pod's is not among them.
 */
static const json_t *pods_interface(const json_t *list, const char *ifname)
{
	size_t i;
	json_t *v;
	const json_t *named = NULL;
	json_array_foreach (list, i, v) {
		if (strcmp(json_str_opt(v, "name", ""), ifname) != 0)
			continue;
		if (*json_str_opt(v, "sandbox", ""))
			return v;
		if (!named)
			named = v;
	}
	return named;
}

static int take_mac(const char *text, char ret[18])
{
	static const char digits[] = "0123456789abcdefABCDEF";
	if (strlen(text) != 17)
		return -1;
	for (int i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !strchr(digits, text[i]))
			return -1;
	memcpy(ret, text, 18);
	return 0;
}

/* Addresses without an interface are the pod's (IPAM results, and 0.3.0 calls it optional). */
static int is_ours(const json_t *ip, const json_t *ifaces, const json_t *pods, struct err *err)
{
	int64_t index;
	if (!cni_member(ip, "interface"))
		return 1;
	if (json_get_int(ip, "interface", &index, err) < 0)
		return -1;
	const json_t *iface = index < 0 ? NULL : json_array_get(ifaces, (size_t)index);
	if (!iface)
		return err_set(err, ERR_INVALID, "\"interface\" is none of \"interfaces\"");
	return iface == pods;
}

static int take_new(const json_t *o, const char *ifname, struct cni_result *r, struct err *err)
{
	size_t i;
	json_t *v;
	json_t *ifaces;
	json_t *ips;
	json_t *routes;
	if (get_list(o, "interfaces", CNI_IFACES_MAX, &ifaces, err) < 0 ||
		get_list(o, "ips", CNI_IPS_MAX, &ips, err) < 0 ||
		get_list(o, "routes", CNI_ROUTES_MAX, &routes, err) < 0)
		return -1;
	const json_t *pods = pods_interface(ifaces, ifname);
	const char *mac = json_str_opt(pods, "mac", "");
	if (*mac && take_mac(mac, r->mac) < 0)
		return err_set(err, ERR_INVALID, "\"mac\" of %s is no Ethernet address", ifname);
	json_array_foreach (ips, i, v) {
		int ours = is_ours(v, ifaces, pods, err);
		if (ours < 0 || (ours && add_ip(v, "address", r, err) < 0))
			return err_wrap(err, "ips");
	}
	return 0;
}

/* ---- DNS ------------------------------------------------------------------------------------- */

/* A word of resolv.conf(5): no blanks, nothing that ends its line. */
static bool is_word(const char *s)
{
	if (!*s || strlen(s) > CNI_DNS_TEXT)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* An address; a link-local one may have its "%eth0". */
static bool is_nameserver(const char *s)
{
	char ip[INET6_ADDRSTRLEN];
	char ret[INET6_ADDRSTRLEN];
	size_t len = strcspn(s, "%");
	if (!is_word(s) || len >= sizeof ip)
		return false;
	memcpy(ip, s, len);
	ip[len] = '\0';
	return take_ip(ip, false, ret) == 0 || take_ip(ip, true, ret) == 0;
}

static int take_words(const json_t *o, const char *key, bool (*is_fine)(const char *), json_t *dns,
	struct err *err)
{
	size_t i;
	json_t *v;
	json_t *list = cni_member(o, key);
	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > CNI_DNS_MAX)
		return err_set(err, ERR_INVALID, "\"%s\" must be an array of at most %d words", key,
			CNI_DNS_MAX);
	json_array_foreach (list, i, v)
		if (!json_is_string(v) || !is_fine(json_string_value(v)))
			return err_set(
				err, ERR_INVALID, "\"%s\": entry %zu cannot be used", key, i + 1);
	if (json_array_size(list))
		json_object_set(dns, key, list);
	return 0;
}

static int take_dns(const json_t *o, struct cni_result *r, struct err *err)
{
	json_t *from = cni_member(o, "dns");
	if (!from)
		return 0;
	if (!json_is_object(from))
		return err_set(err, ERR_INVALID, "\"dns\" must be an object");
	_cleanup_json_ json_t *dns = json_object();
	json_t *domain = cni_member(from, "domain");
	const char *text = json_string_value(domain);
	if (domain && (!text || (*text && !is_word(text))))
		return err_set(err, ERR_INVALID, "\"domain\" must be a word");
	if (take_words(from, "nameservers", is_nameserver, dns, err) < 0 ||
		take_words(from, "search", is_word, dns, err) < 0 ||
		take_words(from, "options", is_word, dns, err) < 0)
		return -1;
	if (text && *text)
		json_object_set(dns, "domain", domain);
	if (json_object_size(dns))
		r->dns = TAKE_PTR(dns);
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static int take_all(const json_t *o, const char *ifname, struct cni_result *r, struct err *err)
{
	if (!json_is_object(o))
		return err_set(err, ERR_INVALID, "it must be a JSON object");
	if (cni_version_read(o, &r->version, err) < 0)
		return -1;
	r->raw = json_deep_copy(o);
	json_object_set_new(r->raw, "cniVersion", json_string(cni_version_text(r->version)));
	if (r->version < CNI_0_3_0 ? take_old(o, r, err) < 0 : take_new(o, ifname, r, err) < 0)
		return -1;
	return take_dns(o, r, err) < 0 ? err_wrap(err, "dns") : 0;
}

int cni_result_read(const json_t *j, enum cni_version version, const char *ifname,
	struct cni_result *ret, struct err *err)
{
	_cleanup_cni_result_ struct cni_result r = {.version = version};
	*ret = (struct cni_result){0};
	if (take_all(j, ifname, &r, err) < 0)
		return err_wrap(err, "result");
	*ret = r;
	r = (struct cni_result){0};
	return 0;
}

int cni_result_parse(const char *text, enum cni_version version, const char *ifname,
	struct cni_result *ret, struct err *err)
{
	size_t len = strlen(text);
	*ret = (struct cni_result){0};
	_cleanup_json_ json_t *j = json_parse(text, len, "", NULL);
	/* Not what the parser says of it: that quotes bytes of the plugin's. */
	if (!j)
		return err_set(err, ERR_INVALID,
			len ? "the %zu bytes it printed are garbage, no CNI result"
			    : "it printed nothing (%zu bytes) where a CNI result is due",
			len);
	return cni_result_read(j, version, ifname, ret, err);
}

const struct cni_ip *cni_result_ip4(const struct cni_result *r)
{
	for (size_t i = 0; i < r->n_ips; i++)
		if (!r->ips[i].v6)
			return &r->ips[i];
	return NULL;
}

void cni_ip_mask(const struct cni_ip *ip, char ret[INET_ADDRSTRLEN])
{
	struct in_addr a = {.s_addr = htonl(ip->prefix ? ~0U << (32 - ip->prefix) : 0)};
	inet_ntop(AF_INET, &a, ret, INET_ADDRSTRLEN);
}

static json_t *addresses(const struct cni_result *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_ips; i++) {
		const char *gw = r->ips[i].gateway;
		json_array_append_new(list, json_make("{s:s,s:s*}", "address", r->ips[i].address,
						    "gateway", *gw ? gw : NULL));
	}
	return list;
}

json_t *cni_result_summary(const struct cni_result *r)
{
	char mask[INET_ADDRSTRLEN] = "";
	const struct cni_ip *ip4 = cni_result_ip4(r);
	if (ip4)
		cni_ip_mask(ip4, mask);
	return json_make("{s:o,s:s*,s:O*,s:s,s:s}", "addresses", addresses(r), "mac",
		*r->mac ? r->mac : NULL, "dns", r->dns, "ip", ip4 ? ip4->ip : "", "mask", mask);
}

json_t *cni_result_current(const struct cni_result *r, const char *ifname, const char *netns)
{
	size_t i;
	json_t *ip;
	json_t *ips = addresses(r);
	json_array_foreach (ips, i, ip)
		json_object_set_new(ip, "interface", json_integer(0));
	return json_make("{s:s,s:[{s:s,s:s*,s:s}],s:o,s:O*}", "cniVersion",
		cni_version_text(CNI_1_0_0), "interfaces", "name", ifname, "mac",
		*r->mac ? r->mac : NULL, "sandbox", netns, "ips", ips, "dns", r->dns);
}

void cni_result_done(struct cni_result *r)
{
	json_decref(r->raw);
	json_decref(r->dns);
	free(r->ips);
	*r = (struct cni_result){0};
}
