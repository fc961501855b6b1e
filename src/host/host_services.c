/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host services`: Xen's services in Dom-0 under runit or systemd, and the supervisor's. See services.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/commands.h"
#include "host/services.h"
#include "tools/options.h"

#define TIMEOUT_S 180

enum {
	OPT_RUNIT = 256,
	OPT_SYSTEMD,
	OPT_PREFIX,
	OPT_XENPODD,
	OPT_TIMEOUT,
	OPT_FORCE,
	OPT_DRY_RUN,
	OPT_JSON
};

static const struct option options[] = {
	{"runit", optional_argument, NULL, OPT_RUNIT},
	{"systemd", no_argument, NULL, OPT_SYSTEMD},
	{"prefix", required_argument, NULL, OPT_PREFIX},
	{"xenpodd", no_argument, NULL, OPT_XENPODD},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"force", no_argument, NULL, OPT_FORCE},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod host services plan [--runit[=DIR] | --systemd] [--prefix=DIR] "
	     "[--xenpodd] [--json]\n"
	     "       xenpod host services setup [--runit[=DIR] | --systemd] [--prefix=DIR] "
	     "[--xenpodd]\n"
	     "                                  [--timeout=SECONDS] [--dry-run]\n"
	     "       xenpod host services teardown [--force] [--dry-run]\n"
	     "       xenpod host services status [--json]\n"
	     "The services that Xen has in Dom-0: xenstored, xen-init-dom0, xenconsoled and the "
	     "disk\n"
	     "backend's QEMU, for a host that does not start them by itself. They start in that "
	     "order,\n"
	     "each when what it needs answers, and are stopped in the other one.\n"
	     "\n"
	     "  plan      show what setup would do\n"
	     "  setup     make them, and wait until they are up\n"
	     "  teardown  stop them, and take away what setup has made\n"
	     "  status    a line for each: is it up, who starts it, does it answer\n"
	     "\n"
	     "  --runit[=DIR]      as directories for runit, linked into DIR (default: the one "
	     "that\n"
	     "                     is there, /etc/service mostly)\n"
	     "  --systemd          as units (default where systemd runs); where the "
	     "distribution\n"
	     "                     ships some, those of Xen are left to it\n"
	     "  --prefix=DIR       where Xen's programs are (default: where they usually are)\n"
	     "  --xenpodd          the supervisor, too\n"
	     "  --timeout=SECONDS  how long setup waits for each (default 180; 0: not at all)\n"
	     "  --force            although domains run: xenstored cannot be started again "
	     "before\n"
	     "                     the host's next boot\n"
	     "  --dry-run          change nothing, show what would be done\n"
	     "  --json             as JSON\n"
	     "  --help             show this\n"
	     "\n"
	     "Exit status:\n"
	     "  0    done, shown, or all of them are up\n"
	     "  1    status: one is not up\n"
	     "  254  wrong usage, or it could not be done");
}

/* ---- the command line ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(struct services_ask *a, struct err *err);
	const char *takes; /* options, each between spaces */
} verbs[] = {
	{"plan", services_plan, " runit systemd prefix xenpodd json "},
	{"setup", services_setup, " runit systemd prefix xenpodd timeout dry-run "},
	{"teardown", services_teardown, " force dry-run "},
	{"status", services_status, " json "},
};

static int set_dir(char **to, const char *name, struct err *err)
{
	size_t n = strlen(optarg);
	if (*optarg != '/')
		return err_set(err, ERR_INVALID, "--%s=%s: a path that begins with / is wanted",
			name, optarg);
	while (n > 1 && optarg[n - 1] == '/')
		n--;
	free(*to);
	*to = xstrndup(optarg, n);
	return 0;
}

static int set_by(struct services_ask *a, enum sv_by by, struct err *err)
{
	if (a->s.by != SV_BY_NOBODY && a->s.by != by)
		return err_set(err, ERR_INVALID, "--runit and --systemd exclude each other");
	a->s.by = by;
	return by == SV_BY_RUNIT && optarg ? set_dir(&a->s.scan, "runit", err) : 0;
}

static int set_timeout(struct services_ask *a, struct err *err)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);
	if (!*optarg || *end || *optarg == '-' || n > 3600)
		return err_set(
			err, ERR_INVALID, "--timeout=%s: seconds are wanted, 3600 at most", optarg);
	a->timeout = (int)n;
	return 0;
}

static int set_option(struct services_ask *a, int id, struct err *err)
{
	switch (id) {
	case OPT_RUNIT:
		return set_by(a, SV_BY_RUNIT, err);
	case OPT_SYSTEMD:
		return set_by(a, SV_BY_SYSTEMD, err);
	case OPT_PREFIX:
		return set_dir(&a->s.prefix, "prefix", err);
	case OPT_TIMEOUT:
		return set_timeout(a, err);
	case OPT_XENPODD:
		a->s.xenpodd = true;
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

/* 0: go on, *ret_verb is set; 'h': help was printed. */
static int parse(int argc, char **argv, struct services_ask *a, size_t *ret_verb, struct err *err)
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
		given[id - OPT_RUNIT] = true;
	}
	if (id != OPTION_END)
		return -1;
	for (*ret_verb = 0; verb && *ret_verb < ARRAY_SIZE(verbs); ++*ret_verb)
		if (!strcmp(verb, verbs[*ret_verb].name))
			break;
	if (!verb || *ret_verb == ARRAY_SIZE(verbs))
		return err_set(err, ERR_INVALID,
			"services: %s%s%s: plan, setup, teardown or status is wanted",
			verb ? "there is no verb \"" : "a verb is missing", verb ? verb : "",
			verb ? "\"" : "");
	if (optind < argc - 1)
		return err_set(
			err, ERR_INVALID, "services %s takes no \"%s\"", verb, argv[optind + 1]);
	for (size_t i = 0; options[i].val != 'h'; i++) {
		_cleanup_free_ char *word = xasprintf(" %s ", options[i].name);
		if (given[i] && !strstr(verbs[*ret_verb].takes, word))
			return err_set(err, ERR_INVALID, "services %s takes no --%s", verb,
				options[i].name);
	}
	return 0;
}

int host_services(const struct host *h, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct services_ask a = {.h = h, .timeout = TIMEOUT_S};
	size_t verb = 0;
	int r = parse(argc, argv, &a, &verb, &err);
	if (r == 0)
		r = verbs[verb].run(&a, &err);
	else if (r > 0)
		r = 0;
	services_done(&a.s);
	return r < 0 ? host_failed(&err) : r;
}
