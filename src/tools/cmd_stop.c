/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod stop`: asks a pod to end through its stage1's stop entrypoint, as rkt stop does. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/progress.h"
#include "tools/pod_verb.h"
#include "tools/stage1.h"
#include "tools/stop_all.h"
#include "tools/verbs.h"

static void help(void)
{
	puts("Usage: xenpod stop [--dir=DIR] [--force] UUID...\n"
	     "       xenpod stop --all [--force | --host-shutdown]\n"
	     "Stop pods: the apps get SIGTERM, and SIGKILL when their grace is over. Returns when\n"
	     "the stop is on its way; each UUID is printed then.\n"
	     "\n"
	     "  --force    destroy the domain at once\n"
	     "  --all      every pod that the supervisor has, rkt's too; returns when all have "
	     "ended\n"
	     "  --host-shutdown\n"
	     "             they are stopped because the host goes down: pods with a restart "
	     "policy\n"
	     "             start again with the next boot, and none is accepted until then "
	     "(xenpod\n"
	     "             start --all calls that off)\n"
	     "  --uuid-file=FILE\n"
	     "             the pod whose UUID is in FILE, as xenpod run has saved it\n"
	     "  --dir=DIR  the data directory (default " DATADIR_DEFAULT ")\n"
	     "\n"
	     "Exit status: 0, also for pods that have ended already; 254 when one was not "
	     "stopped.");
}

static int stop_one(const struct datadir *d, struct pod *p, bool force, struct err *err)
{
	bool held;
	if (pod_held(p, &held, err) < 0)
		return -1;
	if (p->place > POD_RUN || (p->place == POD_RUN && !held)) {
		progress_pause();
		printf("pod \"%s\" is already stopped\n", p->uuid);
		return 0;
	}
	if (p->place != POD_RUN)
		return err_set(err, ERR_STATE, "pod %s is not running", p->uuid);
	char uuid[UUID_TEXT_SIZE];
	memcpy(uuid, p->uuid, sizeof(uuid));
	char flag[] = "--force";
	char *forced[] = {flag, uuid, NULL};
	struct stage1_end end = {0};
	if (stage1_call(d, p, "stop", force ? forced : forced + 1, false, &end, err) < 0)
		return -1;
	if (end.status)
		return err_set(err, ERR_SYSTEM, "pod %s was not stopped: %s", p->uuid, end.why);
	progress_pause();
	puts(p->uuid);
	return 0;
}

/* Stands alone, and names no pod. 1: it is asked for; 0: it is not; -1: not like this. */
static int all_asked(int argc, char **argv, bool *ret_host, bool *ret_force, struct err *err)
{
	bool all = false;
	const char *other = NULL;
	for (int i = 1; i < argc; i++) {
		bool host = !strcmp(argv[i], "--host-shutdown");
		bool force = !strcmp(argv[i], "--force");
		if (!strcmp(argv[i], "--all"))
			all = true;
		else if (!host && !force)
			other = argv[i];
		*ret_host |= host;
		*ret_force |= force;
	}
	if (*ret_host && !all)
		return err_set(err, ERR_INVALID,
			"--host-shutdown is for all pods: it goes with --all (see --help)");
	if (all && (other || (*ret_host && *ret_force)))
		return err_set(err, ERR_INVALID, "%s cannot be given with --all%s",
			other ? other : "--force", other ? "" : " --host-shutdown");
	return all;
}

int cmd_stop(int argc, char **argv)
{
	static const struct pod_verb verb = {
		.name = "stop", .doing = "stopping", .help = help, .each = stop_one};
	_cleanup_err_ struct err err = {0};
	bool host = false;
	bool force = false;
	int all = all_asked(argc, argv, &host, &force, &err);
	if (all)
		return all < 0 ? verb_failed(&err) : stop_all(host, force);
	return pod_verb_run(&verb, argc, argv);
}
