/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-host`: a table of commands and nothing else. `xenpod host` becomes it. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "host/commands.h"
#include "host/verbs.h"
#include "tools/nearest.h"
#include "tools/options.h"

static const struct host_command commands[] = {
	{"check", "", "see whether pods can run on it", host_check},
	{"efi", "plan|install|confirm|remove|status", "Xen in the firmware's boot menu", host_efi},
	{"network", "plan|up|down|status", "an internal bridge for pods, and the way out",
		host_network},
	{"services", "plan|setup|teardown|status", "the services that Xen has in Dom-0",
		host_services},
	{0},
};

enum { OPT_ROOT = 256, OPT_STATE, OPT_VERSION };

static const struct option options[] = {
	{"root", required_argument, NULL, OPT_ROOT},
	{"state-dir", required_argument, NULL, OPT_STATE},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod host [--root=DIR] [--state-dir=DIR] COMMAND [VERB] [OPTIONS]\n"
	     "Look at a host, and make it one on which pods can run. What is changed is recorded "
	     "first, and\n"
	     "each command can take back what it has done.\n");
	for (const struct host_command *c = commands; c->name; c++)
		printf("  %-9s %-34s %s\n", c->name, c->args, c->help);
	puts("\n"
	     "  --root=DIR       the host's files are below DIR\n"
	     "  --state-dir=DIR  records are there (" HOST_STATE ")\n"
	     "  --version        show the version\n"
	     "  --help           show this; `xenpod host COMMAND --help` tells more\n"
	     "\n"
	     "Exit status:\n"
	     "  0    it is so, or it was done\n"
	     "  1    check: something must be mended; status: it is not in force, or not all of "
	     "it\n"
	     "  254  wrong usage, or xenpod host itself failed");
}

static int unknown(const char *name)
{
	_cleanup_err_ struct err err = {0};
	struct nearest near = {.word = name};
	for (const struct host_command *c = commands; c->name; c++)
		nearest_offer(&near, c->name);
	if (near.found)
		err_set(&err, ERR_INVALID,
			"there is no command \"%s\"; did you mean \"%s\"? (xenpod host --help "
			"shows them)",
			name, near.found);
	else
		err_set(&err, ERR_INVALID,
			"there is no command \"%s\" (xenpod host --help shows them)", name);
	return host_failed(&err);
}

static int run(const struct host *h, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	if (argc < 1) {
		err_set(&err, ERR_INVALID, "a command is missing (xenpod host --help shows them)");
		return host_failed(&err);
	}
	for (const struct host_command *c = commands; c->name; c++)
		if (!strcmp(argv[0], c->name))
			return c->run(h, argc, argv);
	return unknown(argv[0]);
}

/* All of it may have to be recorded, and that is JSON. */
static int check_words(int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		_cleanup_json_ json_t *word = json_string(argv[i]);
		if (!word)
			return err_set(err, ERR_INVALID, "argument %d is not UTF-8", i);
	}
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct host h = {.root = "", .state = HOST_STATE};
	setlocale(LC_ALL, "");
	if (check_words(argc, argv, &err) < 0)
		return host_failed(&err);
	optind = 0;
	for (;;) {
		int id = option_next(argc, argv, options, &err);
		if (id == OPTION_END)
			return run(&h, argc - optind, argv + optind);
		if (id < 0)
			return host_failed(&err);
		if (id == 'h') {
			help();
			return 0;
		}
		if (id == OPT_VERSION) {
			puts("xenpod-host " XENPOD_VERSION);
			return 0;
		}
		if (host_path_option(option_name(options, id), id == OPT_ROOT ? &h.root : &h.state,
			    &err) < 0)
			return host_failed(&err);
	}
}
