/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod stop`: asks a pod to end through its stage1's stop entrypoint, as rkt stop does. */
#include <stdio.h>
#include <string.h>

#include "tools/pod_verb.h"
#include "tools/stage1.h"
#include "tools/verbs.h"

static void help(void)
{
	puts("Usage: xenpod stop [--dir=DIR] [--force] UUID...\n"
	     "Stop pods: the apps get SIGTERM, and SIGKILL when their grace is over. Returns when\n"
	     "the stop is on its way; each UUID is printed then.\n"
	     "\n"
	     "  --force    destroy the domain at once\n"
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
		printf("pod \"%s\" is already stopped\n", p->uuid);
		return 0;
	}
	if (p->place != POD_RUN)
		return err_set(err, ERR_STATE, "pod %s is not running", p->uuid);
	char uuid[UUID_TEXT_SIZE];
	memcpy(uuid, p->uuid, sizeof(uuid));
	char flag[] = "--force";
	char *forced[] = {flag, uuid, NULL};
	int status;
	if (stage1_call(d, p, "stop", force ? forced : forced + 1, false, &status, err) < 0)
		return -1;
	if (status)
		return err_set(err, ERR_SYSTEM, "pod %s was not stopped: its stop ended with %d",
			p->uuid, status);
	puts(p->uuid);
	return 0;
}

int cmd_stop(int argc, char **argv)
{
	static const struct pod_verb verb = {.name = "stop", .help = help, .each = stop_one};
	return pod_verb_run(&verb, argc, argv);
}
