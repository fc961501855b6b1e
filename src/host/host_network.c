/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host network`: see network.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/commands.h"
#include "host/network.h"
#include "host/plan_step.h"
#include "host/verbs.h"
#include "tools/options.h"

enum {
	OPT_BRIDGE = HOST_OPT_FIRST,
	OPT_ADDRESS,
	OPT_OUT,
	OPT_FIREWALL,
	OPT_PORT,
	OPT_PERSISTENT,
	OPT_FORCE,
	OPT_DRY_RUN,
	OPT_JSON
};

static const struct option options[] = {
	{"bridge", required_argument, NULL, OPT_BRIDGE},
	{"address", required_argument, NULL, OPT_ADDRESS},
	{"out", required_argument, NULL, OPT_OUT},
	{"firewall", required_argument, NULL, OPT_FIREWALL},
	{"port", required_argument, NULL, OPT_PORT},
	{"persistent", no_argument, NULL, OPT_PERSISTENT},
	{"force", no_argument, NULL, OPT_FORCE},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod host network plan|up [--bridge=NAME] [--address=A/LEN] [--out=IFACE]\n"
	     "                           [--firewall=auto|nftables|iptables] [--port=dummy|none]\n"
	     "                           [--persistent] [--force] [--json | --dry-run]\n"
	     "       xenpod host network down [--force] [--dry-run]\n"
	     "       xenpod host network status [--json]\n"
	     "An internal bridge on which pods can be, and their way out of the host by NAT. With "
	     "it a\n"
	     "network of the bridge's name for pods, which may ask for an address in it.\n"
	     "\n"
	     "  plan    show what up would do\n"
	     "  up      do it; again: mend it, or change it to other options\n"
	     "  down    take it back: what was there before is there again\n"
	     "  status  what has been done, and whether it is so still\n"
	     "\n"
	     "  --bridge=NAME    the bridge's name (" NETWORK_BRIDGE ")\n"
	     "  --address=A/LEN  the host's address on it (" NETWORK_ADDRESS ")\n"
	     "  --out=IFACE      the way out (default: that of the default route)\n"
	     "  --firewall=...   who makes the rules (auto: iptables where it has rules, else "
	     "nftables)\n"
	     "  --port=none      no dummy interface as the bridge's first port\n"
	     "  --persistent     a unit that does it at each boot, too\n"
	     "  --force          down, or another bridge or address, although pods are on the "
	     "bridge\n"
	     "  --dry-run        change nothing, show what would be done\n"
	     "  --json           as JSON\n"
	     "  --help           show this\n"
	     "\n"
	     "Exit status:\n"
	     "  0    done, shown, or it is in force\n"
	     "  1    status: it is not in force, or not all of it\n"
	     "  254  wrong usage, or it could not be done");
}

/* ---- verbs ------------------------------------------------------------------------------------------------- */

static struct plan empty(void)
{
	return (struct plan){.of = "network", .kinds = network_kinds};
}

static int print_json(json_t *doc)
{
	char *text = json_dumps(doc, JSON_INDENT(2));
	puts(text ? text : "{}");
	free(text);
	json_decref(doc);
	return 0;
}

static int show_json(const struct plan *p)
{
	return print_json(json_pack("{s:O,s:o}", "options", p->options, "steps", plan_steps(p)));
}

static int check_here(const struct network_ask *a, struct err *err)
{
	if (!*a->h->root)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"network changes the kernel that runs: --root is nothing for it");
}

/* Pods whose bridge is taken away are cut off. */
static int check_bridge(const char *bridge, struct err *err)
{
	_cleanup_free_ char *port = xasprintf("%s-dummy", bridge);
	size_t n = 0;
	_cleanup_free_ char *ports = network_ports(bridge, port, &n);
	if (n == 0)
		return 0;
	return err_set(err, ERR_STATE,
		"%s has ports of others (%s): stop and remove those pods first, or use --force",
		bridge, ports);
}

/* Does the step of the record make a bridge, or an address of one? ret: the bridge's name; caller frees. */
static char *bridge_of(const json_t *step)
{
	const char *kind = json_str_opt(step, "kind", "");
	const char *name = json_str_opt(step, "name", "");
	const char *type = json_str_opt(json_object_get(step, "want"), "type", "");
	if (!strcmp(kind, thing_address.kind) ||
		(!strcmp(kind, thing_link.kind) && !strcmp(type, "bridge")))
		return xstrndup(name, strcspn(name, " "));
	return NULL;
}

/* Whatever of the record goes with `p`: a bridge, also one of a call that was interrupted, or its address. */
static int check_ports(
	const struct host *h, const json_t *record, const struct plan *p, struct err *err)
{
	size_t i;
	json_t *step;
	json_array_foreach (json_object_get(record, "steps"), i, step) {
		_cleanup_free_ char *bridge = bridge_of(step);
		const struct thing *thing = bridge ? step_kind(p, step, err) : NULL;
		if (thing && !step_is_gone(h, thing, step) && !step_planned(p, step) &&
			check_bridge(bridge, err) < 0)
			return -1;
	}
	return 0;
}

static int run_up(struct network_ask *a, enum plan_how how, struct err *err)
{
	_cleanup_json_ json_t *record = NULL;
	_cleanup_(plan_done) struct plan p = empty();
	enum plan_state state;
	size_t changed;
	bool firewalld = false;
	if (check_here(a, err) < 0 ||
		(how == PLAN_DO ? host_begin(a->h, "network", "up", err)
				: host_need_root("network", "plan", err)) < 0 ||
		plan_look(a->h, &p, &state, &changed, &record, err) < 0 ||
		network_complete(a, record, err) < 0 ||
		network_plan(a, record, &p, &firewalld, err) < 0 ||
		(!a->force && check_ports(a->h, record, &p, err) < 0))
		return -1;
	if (how == PLAN_SHOW && a->json)
		return show_json(&p);
	if (plan_up(a->h, &p, how, err) < 0)
		return -1;
	if (how == PLAN_DO && a->persistent)
		network_unit_changed();
	if (firewalld)
		printf("to do       firewalld drops what is forwarded, and lets nobody else say "
		       "otherwise:\n"
		       "            firewall-cmd --permanent --zone=trusted --add-interface=%s && "
		       "firewall-cmd --reload\n",
			a->bridge);
	return 0;
}

static int verb_plan(void *ask, struct err *err)
{
	struct network_ask *a = ask;
	return run_up(a, PLAN_SHOW, err);
}

static int verb_up(void *ask, struct err *err)
{
	struct network_ask *a = ask;
	return run_up(a, a->dry_run ? PLAN_SHOW : PLAN_DO, err);
}

static int verb_down(void *ask, struct err *err)
{
	struct network_ask *a = ask;
	_cleanup_json_ json_t *record = NULL;
	_cleanup_(plan_done) struct plan p = empty();
	enum plan_state state;
	size_t n;
	if (check_here(a, err) < 0 ||
		(a->dry_run ? host_need_root("network", "down", err)
			    : host_begin(a->h, "network", "down", err)) < 0 ||
		plan_look(a->h, &p, &state, &n, &record, err) < 0)
		return -1;
	if (!a->force && check_ports(a->h, record, &p, err) < 0)
		return -1;
	if (state == PLAN_NONE)
		puts("nothing is in force");
	bool unit = !a->dry_run &&
		    json_bool_opt(json_object_get(record, "options"), "persistent", false);
	if (unit)
		network_unit_stop();
	if (plan_down(a->h, &p, a->dry_run ? PLAN_SHOW : PLAN_DO, &n, err) < 0)
		return -1;
	if (unit)
		network_unit_changed();
	return 0;
}

static int verb_status(void *ask, struct err *err)
{
	struct network_ask *a = ask;
	_cleanup_json_ json_t *record = NULL;
	_cleanup_(plan_done) struct plan p = empty();
	enum plan_state state;
	size_t changed;
	size_t i;
	json_t *step;
	if (check_here(a, err) < 0 || plan_look(a->h, &p, &state, &changed, &record, err) < 0)
		return -1;
	const json_t *o = json_object_get(record, "options");
	int rc = state == PLAN_UP ? 0 : HOST_EXIT_NOT_SO;
	if (a->json) {
		print_json(json_pack("{s:s,s:i,s:O*,s:O*}", "state", plan_state_name(state),
			"changed", (int)changed, "options", o, "steps",
			json_object_get(record, "steps")));
		return rc;
	}
	printf("network: %s\n", plan_state_name(state));
	if (o)
		printf("bridge %s, %s, out of %s\n", json_str_opt(o, "bridge", ""),
			json_str_opt(o, "address", ""), json_str_opt(o, "chosen_out", ""));
	json_array_foreach (json_object_get(record, "steps"), i, step)
		printf("%-10s  %s\n", json_bool_opt(step, "so", false) ? "is so" : "changed",
			json_str_opt(step, "say", ""));
	return rc;
}

/* ---- the command line -------------------------------------------------------------------------------------- */

static const struct host_verb verbs[] = {
	{"plan", verb_plan, " bridge address out firewall port persistent force json "},
	{"up", verb_up, " bridge address out firewall port persistent force dry-run "},
	{"down", verb_down, " force dry-run "},
	{"status", verb_status, " json "},
	{0},
};

static int set_text(char **to)
{
	free(*to);
	*to = xstrdup(optarg);
	return 0;
}

static int set_word(int *to, const char *name, const char *const *words, struct err *err)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(optarg, words[i])) {
			*to = i;
			return 0;
		}
	return err_set(err, ERR_INVALID, "--%s=%s: %s%s%s%s%s is wanted", name, optarg, words[0],
		words[2] ? ", " : " or ", words[1], words[2] ? " or " : "",
		words[2] ? words[2] : "");
}

static int set_option(void *ask, int id, struct err *err)
{
	struct network_ask *a = ask;
	static const char *const firewalls[] = {"auto", "nftables", "iptables", NULL};
	static const char *const ports[] = {"none", "dummy", NULL};
	switch (id) {
	case OPT_BRIDGE:
		return set_text(&a->bridge);
	case OPT_ADDRESS:
		return set_text(&a->address);
	case OPT_OUT:
		return set_text(&a->out);
	case OPT_FIREWALL:
		return set_word(&a->firewall, "firewall", firewalls, err);
	case OPT_PORT:
		return set_word(&a->port, "port", ports, err);
	case OPT_PERSISTENT:
		a->persistent = true;
		return 0;
	case OPT_FORCE:
		a->force = true;
		return 0;
	case OPT_DRY_RUN:
		a->dry_run = true;
		return 0;
	default:
		a->json = true;
		return 0;
	}
}

int host_network(const struct host *h, int argc, char **argv)
{
	static const struct host_verbs c = {"network", options, verbs, help, set_option};
	struct network_ask a = {.h = h, .firewall = -1, .persistent = -1, .port = -1};
	int status = host_verbs_run(&c, argc, argv, &a);
	free(a.bridge);
	free(a.address);
	free(a.out);
	return status;
}
