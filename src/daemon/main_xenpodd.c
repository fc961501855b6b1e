/* SPDX-License-Identifier: Apache-2.0 */
/* xenpodd's command line. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/self.h"
#include "daemon/daemon.h"
#include "proto/api.h"

#define SCRIPT_MAX (1024 * 1024)

static const char help[] =
	"Usage: xenpodd [OPTION...]\n"
	"The supervisor: runs container pods as Xen domains, keeps their state, serves the hooks.\n"
	"\n"
	"      --config=FILE      instead of " CONFIG_FILE "; with drop-ins FILE.d/*.conf\n"
	"      --check-config     print the configuration that counts, or what is wrong with it\n"
	"      --state-dir=DIR    the store (default " API_STATE_DIR ")\n"
	"      --run-dir=DIR      sockets, exports, helper locks (default " API_RUN_DIR ")\n"
	"      --libexec-dir=DIR  where xenpod-watch and xenpod-act are (default: beside this\n"
	"                         program, or in ../lib/xenpod)\n"
	"      --cgroup-root=DIR  parent of the pods' cgroups, \"\" for none\n"
	"                         (default: our own when delegated, else xenpod.slice)\n"
	"      --console-dir=DIR  where xenconsoled logs guests, \"\" for nowhere\n"
	"                         (ConsoleDirectory=; with --world=sim: nowhere)\n"
	"      --world=xen|sim    the real Xen (default), or a simulated one for trying and "
	"testing\n"
	"      --sim-script=FILE  what happens in the simulated world (docs/HACKING.md)\n"
	"      --sim-seed=N       its random numbers\n"
	"      --max-starts=N     pods that may be starting at a time (MaxStarts=, 4)\n"
	"      --orphan-grace=S   how long a domain of ours that no pod accounts for is left\n"
	"                         alone before it is destroyed (OrphanGraceSec=, 60 seconds)\n"
	"      --xenpod=FILE      the program that starts a pod's next life (default: xenpod\n"
	"                         beside this one, or in ../bin)\n"
	"  -d, --debug            log every step\n"
	"  -h, --help             this text\n"
	"  -V, --version          the version\n"
	"\n"
	"What is given here stands above the configuration, which SIGHUP has read again.\n"
	"Logs to the journal, or to standard error when it is a terminal or there is no journal.\n"
	"Stopping xenpodd stops no pod: it takes them up again when it starts.\n"
	"Exit status: 0 stopped by a signal; 253 the database is damaged, and is replaced when it\n"
	"is started again; 254 it could not start, and says why.\n";

enum {
	OPT_STATE = 256,
	OPT_RUN,
	OPT_LIBEXEC,
	OPT_CGROUP,
	OPT_CONSOLE,
	OPT_WORLD,
	OPT_SCRIPT,
	OPT_SEED,
	OPT_STARTS,
	OPT_GRACE,
	OPT_XENPOD,
	OPT_CONFIG,
	OPT_CHECK
};

static const struct option options[] = {
	{"state-dir", required_argument, NULL, OPT_STATE},
	{"run-dir", required_argument, NULL, OPT_RUN},
	{"libexec-dir", required_argument, NULL, OPT_LIBEXEC},
	{"cgroup-root", required_argument, NULL, OPT_CGROUP},
	{"console-dir", required_argument, NULL, OPT_CONSOLE},
	{"world", required_argument, NULL, OPT_WORLD},
	{"sim-script", required_argument, NULL, OPT_SCRIPT},
	{"sim-seed", required_argument, NULL, OPT_SEED},
	{"max-starts", required_argument, NULL, OPT_STARTS},
	{"orphan-grace", required_argument, NULL, OPT_GRACE},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"xenpod", required_argument, NULL, OPT_XENPOD},
	{"debug", no_argument, NULL, 'd'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int fail(const struct err *err)
{
	log_err("%s", err_msg(err));
	return XENPOD_EXIT_FAILURE;
}

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "xenpodd: %s%s; see xenpodd --help\n", what, value);
	exit(XENPOD_EXIT_FAILURE);
}

static unsigned long number(const char *name, const char *text, unsigned long max)
{
	char *end = NULL;
	unsigned long n = strtoul(text, &end, 10);
	if (!*text || *end || n > max || *text == '-')
		usage(name, text);
	return n;
}

static void set_world(struct daemon_config *cfg, const char *name)
{
	if (strcmp(name, "xen") && strcmp(name, "sim"))
		usage("--world is xen or sim, not ", name);
	cfg->simulated = !strcmp(name, "sim");
}

struct command_line {
	struct daemon_config cfg;
	struct config given;
	const char *script;
	bool check;
};

static void set_option(struct command_line *l, int opt)
{
	struct daemon_config *cfg = &l->cfg;
	switch (opt) {
	case OPT_STATE:
		cfg->state_dir = optarg;
		break;
	case OPT_RUN:
		cfg->run_dir = optarg;
		break;
	case OPT_LIBEXEC:
		cfg->libexec_dir = optarg;
		break;
	case OPT_CGROUP:
		cfg->cgroup_root = optarg;
		break;
	case OPT_CONSOLE:
		l->given.ConsoleDirectory = optarg;
		break;
	case OPT_WORLD:
		set_world(cfg, optarg);
		break;
	case OPT_SCRIPT:
		l->script = optarg;
		break;
	case OPT_SEED:
		cfg->sim_seed = number("--sim-seed wants a number, not ", optarg, ~0UL);
		break;
	case OPT_STARTS:
		l->given.MaxStarts = (int64_t)number(
			"--max-starts wants a number up to 1000, not ", optarg, 1000);
		break;
	case OPT_GRACE:
		l->given.OrphanGraceSec = (int64_t)number(
			"--orphan-grace wants seconds, up to a day, not ", optarg, 86400);
		break;
	case OPT_XENPOD:
		cfg->xenpod = optarg;
		break;
	case OPT_CONFIG:
		cfg->config_file = optarg;
		break;
	case OPT_CHECK:
		l->check = true;
		break;
	case 'd':
		l->given.Debug = 1;
		break;
	case 'h':
		fputs(help, stdout);
		exit(0);
	case 'V':
		puts("xenpodd " XENPOD_VERSION);
		exit(0);
	default:
		break; /* parse() has told what is wrong */
	}
}

static const char *env_or(const char *name, const char *dflt)
{
	const char *v = getenv(name);
	return v && *v ? v : dflt;
}

static void parse(int argc, char **argv, struct command_line *l)
{
	int opt;
	l->cfg = (struct daemon_config){
		.state_dir = env_or(API_ENV_STATE_DIR, API_STATE_DIR),
		.run_dir = env_or(API_ENV_RUN_DIR, API_RUN_DIR),
		.libexec_dir = self_libdir("xenpod-act"),
	};
	config_none(&l->given);
	opterr = 0;
	for (int at = 1; (opt = getopt_long(argc, argv, ":dhV", options, NULL)) != -1;
		at = optind) {
		if (opt == '?')
			usage("there is no option ", argv[at]);
		if (opt == ':')
			usage(argv[at], " needs a value");
		set_option(l, opt);
	}
	if (optind < argc)
		usage("unexpected argument ", argv[optind]);
}

/*
 * The host's configuration is the real supervisor's; one that tries things out has what it is given.
 */
static int configure(struct command_line *l, struct config *ret, struct err *err)
{
	static char nowhere[1] = "";
	bool sim = l->cfg.simulated;
	const char *vendor = l->cfg.config_file ? "/nonexistent" : CONFIG_VENDOR_DIR;
	if (!l->cfg.config_file)
		l->cfg.config_file = sim ? "/nonexistent/xenpod.conf" : CONFIG_FILE;
	l->cfg.vendor_dir = vendor;
	if (sim && !l->given.ConsoleDirectory)
		l->given.ConsoleDirectory = nowhere;
	if (config_read(l->cfg.config_file, vendor, ret, err) < 0)
		return -1;
	config_override(ret, &l->given);
	l->cfg.config = ret;
	l->cfg.given = &l->given;
	if (ret->Debug)
		log_set_max(LOG_LVL_DEBUG);
	return 0;
}

static int supervise(struct command_line *l, struct err *err)
{
	_cleanup_free_ char *script_text = NULL;
	struct daemon *d = NULL;
	if (geteuid() != 0 && !l->cfg.simulated)
		return err_set(err, ERR_DENIED,
			"only root can run pods: start it with systemctl, or sudo");
	if (l->script && file_read_at(AT_FDCWD, l->script, SCRIPT_MAX, &script_text, NULL, err) < 0)
		return -1;
	l->cfg.sim_script = script_text;
	if (daemon_new(&l->cfg, &d, err) < 0)
		return -1;
	int status = daemon_run(d);
	daemon_free(d);
	return status;
}

int main(int argc, char **argv)
{
	struct command_line line = {0};
	struct config config = {0};
	_cleanup_err_ struct err err = {0};
	log_set_prefix("xenpodd");
	parse(argc, argv, &line);
	if (!line.check && !isatty(STDERR_FILENO) && getenv("INVOCATION_ID"))
		(void)journal_open("xenpodd");
	signal(SIGPIPE, SIG_IGN);
	int status = configure(&line, &config, &err);
	if (status == 0 && line.check)
		config_print(stdout, &config);
	else if (status == 0)
		status = supervise(&line, &err);
	if (status < 0)
		status = fail(&err);
	config_done(&config);
	return status;
}
