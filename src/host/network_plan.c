/* SPDX-License-Identifier: Apache-2.0 */
/* What `xenpod host network up` does: see network.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/exec.h"
#include "host/files.h"
#include "host/network.h"

const struct thing *const network_kinds[] = {&thing_link, &thing_address, &thing_forwarding,
	&thing_nft_table, &thing_nft_rule, &thing_iptables_table, &thing_iptables, &thing_dir,
	&thing_file, &thing_symlink, &thing_networkd, NULL};

/* ---- what is asked for ------------------------------------------------------------------------------------- */

static void take(char **to, const json_t *options, const char *key, const char *dflt)
{
	const char *text = json_str_opt(options, key, dflt);
	if (!*to && text)
		*to = xstrdup(text);
}

static int check_name(const char *bridge, bool port, struct err *err)
{
	size_t max = port ? IFCONF_NAME_MAX - strlen("-dummy") : IFCONF_NAME_MAX;
	if (!ifconf_name_valid(bridge) || strchr(bridge, '"') || *bridge == '-')
		return err_set(
			err, ERR_INVALID, "--bridge=%s: it is no name of an interface", bridge);
	if (strlen(bridge) > max)
		return err_set(
			err, ERR_INVALID, "--bridge=%s: %zu characters at most", bridge, max);
	return 0;
}

/* Of a host: neither the network's own number nor that of all in it. */
static int check_address(const char *text, struct ipaddr *ret, struct err *err)
{
	uint32_t ip;
	if (ifconf_parse_prefix(text, ret) < 0 || ret->family != AF_INET || ret->prefix < 8 ||
		ret->prefix > 30)
		return err_set(err, ERR_INVALID,
			"--address=%s: an IPv4 address with /8 to /30 is wanted, "
			"as " NETWORK_ADDRESS,
			text);
	memcpy(&ip, ret->bytes, sizeof(ip));
	uint32_t host = ntohl(ip) & (0xffffffffU >> ret->prefix);
	if (host == 0 || host == 0xffffffffU >> ret->prefix || ret->bytes[0] == 127 ||
		ret->bytes[0] == 0 || ret->bytes[0] >= 224)
		return err_set(
			err, ERR_INVALID, "--address=%s: no host can have that address", text);
	return 0;
}

int network_complete(struct network_ask *a, const json_t *record, struct err *err)
{
	const json_t *o = json_object_get(record, "options");
	struct ipaddr addr;
	take(&a->bridge, o, "bridge", NETWORK_BRIDGE);
	take(&a->address, o, "address", NETWORK_ADDRESS);
	take(&a->out, o, "out", NULL);
	if (a->firewall < 0)
		a->firewall = (int)json_int_opt(o, "firewall", NET_AUTO);
	if (a->persistent < 0)
		a->persistent = json_bool_opt(o, "persistent", false);
	if (a->port < 0)
		a->port = json_bool_opt(o, "port", true);
	if (a->firewall > NET_IPTABLES)
		return err_set(err, ERR_UNSUPPORTED, "the record is of a newer xenpod");
	if (check_name(a->bridge, a->port, err) < 0)
		return -1;
	return check_address(a->address, &addr, err);
}

/* ---- what is chosen ---------------------------------------------------------------------------------------- */

struct choice {
	char out[IF_NAMESIZE];
	enum net_firewall firewall;
	struct ipaddr addr;
	char net[IFCONF_ADDR_TEXT];  /* "10.1.1.0/24" */
	char host[IFCONF_ADDR_TEXT]; /* "10.1.1.1" */
	char **drops;                /* chains of nftables that drop what is forwarded */
	bool iptables_drop;
};

static const json_t *step_of(const json_t *record, const char *kind, const char *name)
{
	size_t i;
	const json_t *step;
	json_array_foreach (json_object_get(record, "steps"), i, step)
		if (!strcmp(json_str_opt(step, "kind", ""), kind) &&
			!strcmp(json_str_opt(step, "name", ""), name))
			return step;
	return NULL;
}

/* A link is ours when we have recorded it and it has our MAC. */
static int check_link(
	const struct network_ask *a, const json_t *record, const char *name, struct err *err)
{
	uint8_t mac[IFCONF_MAC_LEN];
	char text[IFCONF_MAC_TEXT];
	_cleanup_json_ json_t *now = NULL;
	network_mac(name, mac);
	ifconf_mac_text(mac, text);
	if (thing_link.get(a->h, name, &now, err) < 0)
		return -1;
	if (!now || (step_of(record, "link", name) && !strcmp(json_str_opt(now, "mac", ""), text)))
		return 0;
	return err_set(err, ERR_EXISTS,
		"there is an interface %s already, and it is not of \"xenpod host network\": "
		"remove "
		"it, or choose another name with --bridge",
		name);
}

static int choose_out(const struct network_ask *a, const struct net_seen *seen,
	const json_t *record, struct choice *c, struct err *err)
{
	/* At a boot the interface or the route may come later than we do: then that of the last time counts. */
	const char *last = json_str_opt(json_object_get(record, "options"), "chosen_out", NULL);
	const char *out = a->out;
	if (!out)
		out = network_default(seen);
	if (!out)
		out = last;
	if (!out)
		return err_set(err, ERR_NOTFOUND,
			"there is no default route that tells the way out: name the interface with "
			"--out=IFACE");
	if (!ifconf_name_valid(out) || strchr(out, '"') ||
		(!if_nametoindex(out) && (!last || strcmp(out, last) != 0)))
		return err_set(err, ERR_NOTFOUND, "--out=%s: there is no such interface", out);
	if (!strcmp(out, a->bridge) || !strcmp(out, "lo"))
		return err_set(err, ERR_INVALID, "--out=%s: that is no way out", out);
	snprintf(c->out, sizeof(c->out), "%s", out);
	return 0;
}

/* What the record's own bridges have now goes when this is done. */
static void forget_ours(const struct network_ask *a, const json_t *record, struct net_seen *seen)
{
	size_t n = 0;
	for (size_t i = 0; i < seen->n; i++) {
		const struct net_route *r = &seen->route[i];
		bool ours = step_of(record, "link", r->link) &&
			    check_link(a, record, r->link, NULL) == 0;
		if (!ours)
			seen->route[n++] = *r;
	}
	seen->n = n;
}

static int choose_net(
	const struct network_ask *a, const struct net_seen *seen, struct choice *c, struct err *err)
{
	uint32_t ip;
	char dst[INET_ADDRSTRLEN];
	if (check_address(a->address, &c->addr, err) < 0)
		return -1;
	struct ipaddr net = c->addr;
	memcpy(&ip, net.bytes, sizeof(ip));
	inet_ntop(AF_INET, &ip, c->host, sizeof(c->host));
	ip &= htonl(~(0xffffffffU >> net.prefix));
	memcpy(net.bytes, &ip, sizeof(ip));
	ifconf_prefix_text(&net, c->net);
	const struct net_route *other = network_overlap(seen, &net, a->bridge);
	if (!other)
		return 0;
	inet_ntop(AF_INET, other->dst, dst, sizeof(dst));
	return err_set(err, ERR_EXISTS,
		"%s overlaps with %s/%u of %s, which is there already: choose another with "
		"--address=A/LEN",
		c->net, dst, other->prefix, *other->link ? other->link : "a route");
}

/* Who made rules goes on making them with the same program; and once chosen it stays. */
static int choose_firewall(const struct network_ask *a, const json_t *record, struct choice *c,
	bool *ret_firewalld, struct err *err)
{
	const json_t *o = json_object_get(record, "options");
	_cleanup_free_ char *saved = NULL;
	_cleanup_free_ char *chains = NULL;
	bool chosen = json_int_opt(o, "firewall", NET_AUTO) == a->firewall;
	c->firewall = (enum net_firewall)a->firewall;
	if (c->firewall == NET_AUTO && chosen)
		c->firewall = (enum net_firewall)json_int_opt(o, "chosen_firewall", NET_AUTO);
	if (exec_exists("iptables-save") &&
		exec_run(&(struct exec){.argv = (const char *[]){"iptables-save", NULL}}, &saved,
			NULL, err) < 0)
		return -1;
	if (c->firewall == NET_AUTO)
		c->firewall = saved && network_iptables_used(saved) ? NET_IPTABLES : NET_NFTABLES;
	if (c->firewall == NET_IPTABLES && !saved)
		return err_set(err, ERR_NOTFOUND,
			"iptables is not installed: install it, or use --firewall=nftables");
	c->iptables_drop = saved && strstr(saved, ":FORWARD DROP ") != NULL;
	if (network_nft("list chains", &chains, err) < 0)
		return c->firewall == NET_IPTABLES ? (err_done(err), 0) : -1;
	c->drops = network_drop_chains(chains, ret_firewalld);
	return 0;
}

/* ---- the steps --------------------------------------------------------------------------------------------- */

static void add_links(const struct network_ask *a, struct plan *p)
{
	_cleanup_free_ char *port = xasprintf("%s-dummy", a->bridge);
	_cleanup_free_ char *address = xasprintf("%s %s", a->bridge, a->address);
	uint8_t mac[IFCONF_MAC_LEN];
	char text[IFCONF_MAC_TEXT];
	network_mac(a->bridge, mac);
	ifconf_mac_text(mac, text);
	plan_add(p, &thing_link, a->bridge,
		json_make("{s:s,s:s,s:b}", "type", "bridge", "mac", text, "up", 1), "bridge %s",
		a->bridge);
	network_mac(port, mac);
	ifconf_mac_text(mac, text);
	if (a->port)
		plan_add(p, &thing_link, port,
			json_make("{s:s,s:s,s:b,s:s}", "type", "dummy", "mac", text, "up", 1,
				"master", a->bridge),
			"its port %s, a dummy", port);
	plan_add(
		p, &thing_address, address, json_true(), "address %s of %s", a->address, a->bridge);
	plan_add(p, &thing_forwarding, a->bridge, json_make("{s:s}", "is", "1"),
		"forwarding from %s", a->bridge);
}

/* ---- the firewall ------------------------------------------------------------------------------------------ */

/* Back only what belongs to a connection of a pod, or to a port that leads to one (act/ports.h). */
static const struct {
	const char *word;
	bool back;
	const char *nft;
	const char *iptables;
} accepts[] = {
	{"out", false, "", ""},
	{"back", true, " ct state established,related",
		" -m conntrack --ctstate RELATED,ESTABLISHED"},
	{"ports", true, " ct status dnat", " -m conntrack --ctstate DNAT"},
};

static void add_nft_accepts(const struct network_ask *a, const struct choice *c, struct plan *p)
{
	for (char **chain = c->drops; chain && *chain; chain++)
		for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
			const bool back = accepts[i].back;
			_cleanup_free_ char *name = xasprintf(
				"%s %s %s %s", *chain, accepts[i].word, a->bridge, c->out);
			_cleanup_free_ char *rule = xasprintf(
				"iifname \"%s\" oifname \"%s\"%s accept", back ? c->out : a->bridge,
				back ? a->bridge : c->out, accepts[i].nft);
			if (c->iptables_drop && !strcmp(*chain, "ip filter FORWARD"))
				continue; /* by iptables, below */
			plan_add(p, &thing_nft_rule, name, json_string(rule),
				"accept in chain \"%s\": %s", *chain, rule);
		}
}

static void add_iptables_accepts(
	const struct network_ask *a, const struct choice *c, struct plan *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		const bool back = accepts[i].back;
		_cleanup_free_ char *rule = xasprintf("filter FORWARD -i %s -o %s%s -j ACCEPT",
			back ? c->out : a->bridge, back ? a->bridge : c->out, accepts[i].iptables);
		plan_add(p, &thing_iptables, rule, json_true(), "iptables: %s", rule);
	}
}

static void add_firewall(const struct network_ask *a, const struct choice *c, struct plan *p)
{
	if (c->firewall == NET_IPTABLES) {
		_cleanup_free_ char *nat =
			xasprintf("nat POSTROUTING -s %s ! -d %s -o %s -j MASQUERADE", c->net,
				c->net, c->out);
		plan_add(p, &thing_iptables_table, "filter", json_true(), "iptables: table filter");
		plan_add(p, &thing_iptables_table, "nat", json_true(), "iptables: table nat");
		plan_add(p, &thing_iptables, nat, json_true(), "iptables: %s", nat);
	} else {
		_cleanup_free_ char *text = xasprintf(
			"table ip xenpod_host {\n\tchain postrouting {\n"
			"\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
			"\t\tip saddr %s ip daddr != %s oifname \"%s\" masquerade @\n\t}\n}\n",
			c->net, c->net, c->out);
		plan_add(p, &thing_nft_table, "ip xenpod_host", network_nft_table(text),
			"nftables: table xenpod_host, NAT of %s out of %s", c->net, c->out);
	}
	add_nft_accepts(a, c, p);
	if (c->firewall == NET_IPTABLES || c->iptables_drop)
		add_iptables_accepts(a, c, p);
}

/* ---- files --------------------------------------------------------------------------------------------------- */

/* Where xenpod looks for networks (docs/NETWORK.md). The host's side is ours, so not the plugin's. */
static void add_cni(const struct network_ask *a, const struct choice *c, struct plan *p)
{
	_cleanup_free_ char *at = xasprintf("/etc/rkt/net.d/10-%s.conf", a->bridge);
	_cleanup_free_ char *text = xasprintf(
		"{\n\t\"cniVersion\": \"0.4.0\",\n\t\"name\": \"%s\",\n\t\"type\": \"bridge\",\n"
		"\t\"bridge\": \"%s\",\n\t\"isGateway\": false,\n\t\"ipMasq\": false,\n"
		"\t\"ipam\": {\n\t\t\"type\": \"host-local\",\n\t\t\"subnet\": \"%s\",\n"
		"\t\t\"gateway\": \"%s\",\n\t\t\"routes\": [{\"dst\": \"0.0.0.0/0\"}]\n\t}\n}\n",
		a->bridge, a->bridge, c->net, c->host);
	plan_add(p, &thing_dir, "/etc/rkt", json_make("{s:i}", "mode", 0755), "directory /etc/rkt");
	plan_add(p, &thing_dir, "/etc/rkt/net.d", json_make("{s:i}", "mode", 0755),
		"directory /etc/rkt/net.d");
	plan_add(p, &thing_file, at, thing_text(text, 0644), "network %s for pods: %s", a->bridge,
		at);
}

/* ---- all of it ----------------------------------------------------------------------------------------------- */

static int look(const struct network_ask *a, const json_t *record, struct choice *c,
	bool *ret_firewalld, struct err *err)
{
	_cleanup_(network_seen_done) struct net_seen seen = {0};
	_cleanup_free_ char *port = xasprintf("%s-dummy", a->bridge);
	if (check_link(a, record, a->bridge, err) < 0 ||
		(a->port && check_link(a, record, port, err) < 0) || network_see(&seen, err) < 0)
		return -1;
	forget_ours(a, record, &seen);
	if (choose_net(a, &seen, c, err) < 0 || choose_out(a, &seen, record, c, err) < 0)
		return -1;
	return choose_firewall(a, record, c, ret_firewalld, err);
}

int network_plan(const struct network_ask *a, const json_t *record, struct plan *p,
	bool *ret_firewalld, struct err *err)
{
	struct choice c = {0};
	int r = look(a, record, &c, ret_firewalld, err);
	if (r == 0) {
		p->options = json_make("{s:s,s:s,s:i,s:b,s:b,s:s,s:i}", "bridge", a->bridge,
			"address", a->address, "firewall", a->firewall, "persistent", a->persistent,
			"port", a->port, "chosen_out", c.out, "chosen_firewall", c.firewall);
		if (a->out)
			json_object_set_new(p->options, "out", json_string(a->out));
		p->may_change = true;
		network_add_networkd(a, p);
		add_links(a, p);
		add_firewall(a, &c, p);
		add_cni(a, &c, p);
		if (a->persistent)
			r = network_add_unit(a, p, err);
		/* Last: when that interface is not there yet, all but this has been done. */
		plan_add(p, &thing_forwarding, c.out, json_make("{s:s}", "is", "1"),
			"forwarding from %s", c.out);
	}
	for (char **chain = c.drops; chain && *chain; chain++)
		free(*chain);
	free(c.drops);
	return r;
}
