/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod rm`: removes pods that have ended, now. */
#include <stdio.h>

#include "base/progress.h"
#include "tools/pod_remove.h"
#include "tools/pod_verb.h"
#include "tools/verbs.h"

static void help(void)
{
	puts("Usage: xenpod rm [--dir=DIR] [--force] UUID...\n"
	     "Remove pods that have ended: network, mounts, files. Each UUID is printed when "
	     "done.\n"
	     "\n"
	     "  --force    remove the files even when the stage1's own clean-up fails\n"
	     "  --uuid-file=FILE\n"
	     "             the pod whose UUID is in FILE, as xenpod run has saved it\n"
	     "  --dir=DIR  the data directory (default " DATADIR_DEFAULT ")\n"
	     "\n"
	     "Exit status: 0; 254 when one was not removed: a pod that runs has to be stopped "
	     "first.");
}

static int rm_one(const struct datadir *d, struct pod *p, bool force, struct err *err)
{
	bool held;
	if (pod_held(p, &held, err) < 0)
		return -1;
	if (held && p->place == POD_RUN)
		return err_set(
			err, ERR_STATE, "pod %s runs (xenpod stop %.8s first)", p->uuid, p->uuid);
	if (pod_retire(d, p, err) < 0 || pod_remove(d, p, force, err) < 0)
		return -1;
	progress_pause();
	puts(p->uuid);
	return 0;
}

int cmd_rm(int argc, char **argv)
{
	static const struct pod_verb verb = {
		.name = "rm", .doing = "removing", .help = help, .each = rm_one};
	return pod_verb_run(&verb, argc, argv);
}
