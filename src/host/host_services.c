/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod host services`: Xen's services in Dom-0 under runit or systemd, and the supervisor's. See services.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "host/commands.h"
#include "host/services.h"
#include "host/verbs.h"
#include "tools/options.h"

#define TIMEOUT_S 180

enum {
	OPT_RUNIT = HOST_OPT_FIRST,
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

static const struct host_verb verbs[] = {
	{"plan", services_plan, " runit systemd prefix xenpodd json "},
	{"setup", services_setup, " runit systemd prefix xenpodd timeout dry-run "},
	{"teardown", services_teardown, " force dry-run "},
	{"status", services_status, " json "},
	{0},
};

static int set_dir(char **to, const char *name, struct err *err)
{
	const char *path;
	if (host_path_option(name, &path, err) < 0)
		return -1;
	free(*to);
	*to = xstrdup(path);
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

static int set_option(void *ask, int id, struct err *err)
{
	struct services_ask *a = ask;
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

int host_services(const struct host *h, int argc, char **argv)
{
	static const struct host_verbs c = {"services", options, verbs, help, set_option};
	struct services_ask a = {.h = h, .timeout = TIMEOUT_S};
	int status = host_verbs_run(&c, argc, argv, &a);
	services_done(&a.s);
	return status;
}
