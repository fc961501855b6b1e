/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host network`: see network.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/commands.h"
#include "host/network.h"
#include "tools/options.h"

enum {
	OPT_BRIDGE = 256,
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
	     "                           [--persistent] [--json | --dry-run]\n"
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
	     "  --force          down although pods are on the bridge\n"
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
	json_t *steps = json_array();
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(
			steps, json_pack("{s:s,s:s,s:s,s:O}", "kind", p->steps[i].thing->kind,
				       "name", p->steps[i].name, "say", p->steps[i].say, "want",
				       p->steps[i].want));
	return print_json(json_pack("{s:O,s:o}", "options", p->options, "steps", steps));
}

static int run_up(struct network_ask *a, enum plan_how how, struct err *err)
{
	_cleanup_json_ json_t *record = NULL;
	_cleanup_(plan_done) struct plan p = empty();
	enum plan_state state;
	size_t changed;
	bool firewalld = false;
	if (host_need_root("network", how == PLAN_DO ? "up" : "plan", err) < 0 ||
		plan_look(a->h, &p, &state, &changed, &record, err) < 0 ||
		network_complete(a, record, err) < 0 ||
		network_plan(a, record, &p, &firewalld, err) < 0)
		return -1;
	if (how == PLAN_SHOW && a->json)
		return show_json(&p);
	if (plan_up(a->h, &p, how, err) < 0)
		return -1;
	if (firewalld)
		printf("to do       firewalld drops what is forwarded, and lets nobody else say "
		       "otherwise:\n"
		       "            firewall-cmd --permanent --zone=trusted --add-interface=%s && "
		       "firewall-cmd --reload\n",
			a->bridge);
	return 0;
}

static int verb_plan(struct network_ask *a, struct err *err)
{
	return run_up(a, PLAN_SHOW, err);
}

static int verb_up(struct network_ask *a, struct err *err)
{
	return run_up(a, a->dry_run ? PLAN_SHOW : PLAN_DO, err);
}

/* Pods whose bridge is taken away are cut off. */
static int check_ports(const json_t *record, struct err *err)
{
	const char *bridge = json_str_opt(json_object_get(record, "options"), "bridge", "");
	_cleanup_free_ char *port = xasprintf("%s-dummy", bridge);
	size_t n = 0;
	_cleanup_free_ char *ports = network_ports(bridge, port, &n);
	if (n == 0)
		return 0;
	return err_set(err, ERR_STATE,
		"%s has ports of others (%s): stop and remove those pods first, or use --force",
		bridge, ports);
}

static int verb_down(struct network_ask *a, struct err *err)
{
	_cleanup_json_ json_t *record = NULL;
	_cleanup_(plan_done) struct plan p = empty();
	enum plan_state state;
	size_t n;
	if (host_need_root("network", "down", err) < 0 ||
		plan_look(a->h, &p, &state, &n, &record, err) < 0)
		return -1;
	if (!a->force && check_ports(record, err) < 0)
		return -1;
	if (state == PLAN_NONE)
		puts("nothing is in force");
	return plan_down(a->h, &p, a->dry_run ? PLAN_SHOW : PLAN_DO, &n, err);
}

/* Has a step of plan_look() what was wanted? */
static bool is_so(const json_t *step)
{
	const json_t *now = json_object_get(step, "now");
	const json_t *want = json_object_get(step, "want");
	for (const struct thing *const *t = network_kinds; *t; t++)
		if (!strcmp((*t)->kind, json_str_opt(step, "kind", "")) && (*t)->same &&
			!json_is_null(now) && !json_is_null(want))
			return (*t)->same(now, want);
	return json_equal(now, want);
}

static int verb_status(struct network_ask *a, struct err *err)
{
	_cleanup_json_ json_t *record = NULL;
	_cleanup_(plan_done) struct plan p = empty();
	enum plan_state state;
	size_t changed;
	size_t i;
	json_t *step;
	if (plan_look(a->h, &p, &state, &changed, &record, err) < 0)
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
		printf("%-10s  %s\n", is_so(step) ? "is so" : "changed",
			json_str_opt(step, "say", ""));
	return rc;
}

/* ---- the command line -------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(struct network_ask *a, struct err *err);
	const char *takes; /* options, each between spaces */
} verbs[] = {
	{"plan", verb_plan, " bridge address out firewall port persistent json "},
	{"up", verb_up, " bridge address out firewall port persistent dry-run "},
	{"down", verb_down, " force dry-run "},
	{"status", verb_status, " json "},
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

static int set_option(struct network_ask *a, int id, struct err *err)
{
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

/* -1: with an error; else the verb's number. */
static int verb_of(const char *word, struct err *err)
{
	for (int i = 0; word && i < (int)ARRAY_SIZE(verbs); i++)
		if (!strcmp(word, verbs[i].name))
			return i;
	return err_set(err, ERR_INVALID, "network: %s%s%s: plan, up, down or status is wanted",
		word ? "there is no verb \"" : "a verb is missing", word ? word : "",
		word ? "\"" : "");
}

/* 0: go on, *ret_verb is set; 'h': help was printed. */
static int parse(int argc, char **argv, struct network_ask *a, int *ret_verb, struct err *err)
{
	bool given[ARRAY_SIZE(options)] = {false};
	const char *verb = argc > 1 && *argv[1] != '-' ? argv[1] : NULL;
	int id;
	optind = 0;
	while ((id = option_next(argc - !!verb, argv + !!verb, options, err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 'h';
		}
		if (set_option(a, id, err) < 0)
			return -1;
		given[id - OPT_BRIDGE] = true;
	}
	if (id != OPTION_END || (*ret_verb = verb_of(verb, err)) < 0)
		return -1;
	if (optind < argc - 1)
		return err_set(
			err, ERR_INVALID, "network %s takes no \"%s\"", verb, argv[optind + 1]);
	for (size_t i = 0; options[i].val != 'h'; i++) {
		_cleanup_free_ char *word = xasprintf(" %s ", options[i].name);
		if (given[i] && !strstr(verbs[*ret_verb].takes, word))
			return err_set(err, ERR_INVALID, "network %s takes no --%s", verb,
				options[i].name);
	}
	if (*a->h->root)
		return err_set(err, ERR_UNSUPPORTED,
			"network changes the kernel that runs: --root is nothing for it");
	return 0;
}

int host_network(const struct host *h, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct network_ask a = {.h = h, .firewall = -1, .persistent = -1, .port = -1};
	int verb = 0;
	int r = parse(argc, argv, &a, &verb, &err);
	if (r == 0)
		r = verbs[verb].run(&a, &err);
	else if (r > 0)
		r = 0;
	free(a.bridge);
	free(a.address);
	free(a.out);
	return r < 0 ? host_failed(&err) : r;
}
