/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod`: a table of verbs and nothing else; cmd_<verb>.c does the work. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/progress.h"
#include "tools/nearest.h"
#include "tools/verbs.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *help;
} verbs[] = {
	{"run", cmd_run, "IMAGE... [-- ARGS]", "run images as the apps of a pod"},
	{"list", cmd_list, "", "list pods"},
	{"status", cmd_status, "[UUID]", "what the supervisor knows (as xenpod-status)"},
	{"inspect", cmd_inspect, "UUID", "all of one pod as JSON"},
	{"logs", cmd_logs, "UUID", "what its apps have said, from the journal"},
	{"events", cmd_events, "[UUID...]", "what has happened to pods, and what happens"},
	{"wait", cmd_wait, "UUID...", "until pods have ended"},
	{"enter", cmd_enter, "UUID [COMMAND...]", "run a command inside an app"},
	{"stop", cmd_stop, "UUID... | --all", "stop pods"},
	{"kill", cmd_kill, "UUID...", "destroy pods at once"},
	{"pause", cmd_pause, "UUID...", "stop the clock of pods"},
	{"resume", cmd_resume, "UUID...", "let paused pods go on"},
	{"start", cmd_start, "UUID... | --all", "start pods that wait for their next try"},
	{"rm", cmd_rm, "UUID...", "remove pods that have ended"},
	{"fsck", cmd_fsck, "", "look whether the supervisor's store is sound, repair it"},
	{"host", cmd_host, "COMMAND...", "look at the host, prepare it for pods"},
	{"gc", cmd_gc, "", "remove all that has ended and what is left over"},
};

static void help(void)
{
	puts("Usage: xenpod VERB [OPTIONS] [ARGS]\n"
	     "Container images as Xen domains, each pod in a domain of its own.\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-7s %-19s %s\n", verbs[i].name, verbs[i].args, verbs[i].help);
	puts("\n`xenpod VERB --help` tells more. A UUID may be cut to any part that is unique.\n"
	     "Exit status: 0, or 254 when xenpod fails; `run` and `enter` pass on that of the "
	     "app,\n`fsck`, `status`, `inspect`, `events`, `wait`, `logs` and `host` have their "
	     "own.\n"
	     "\n"
	     "  xenpod run busybox.aci --exec=/bin/echo -- hello");
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	const char *name = argc > 1 ? argv[1] : "";
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		help();
		return 0;
	}
	if (!strcmp(name, "--version")) {
		puts("xenpod " XENPOD_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(name, verbs[i].name) != 0)
			continue;
		int status = verbs[i].run(argc - 1, argv + 1);
		progress_end();
		return status;
	}
	struct err err = {0};
	struct nearest near = {.word = name};
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		nearest_offer(&near, verbs[i].name);
	if (argc < 2)
		err_set(&err, ERR_INVALID, "a verb is missing (xenpod --help shows them)");
	else
		err_set(&err, ERR_INVALID,
			"there is no verb \"%s\"%s%s%s (xenpod --help shows them)", name,
			near.found ? "; did you mean \"" : "", near.found ? near.found : "",
			near.found ? "\"?" : "");
	int status = verb_failed(&err);
	err_done(&err);
	return status;
}
