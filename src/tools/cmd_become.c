/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that become another program: `status`, `wait` and `inspect` xenpod-status, which alone links the
 * store, and `host` xenpod-host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/self.h"
#include "tools/verbs.h"
#include "tools/words.h"

int verb_become(const char *name, const char *const *words)
{
	_cleanup_free_ char *beside = self_beside(name);
	size_t n = 0;
	while (words[n])
		n++;
	char **args = xcalloc(n + 2, sizeof *args);
	args[0] = xstrdup(name);
	for (size_t i = 0; i < n; i++)
		args[i + 1] = xstrdup(words[i]);
	if (beside)
		execv(beside, args);
	execvp(name, args);
	struct err err = {0};
	err_sys(&err, "%s beside xenpod or in $PATH", name);
	int status = verb_failed(&err);
	err_done(&err);
	for (size_t i = 0; i <= n; i++)
		free(args[i]);
	free(args);
	return status;
}

/* With `option` before all others, NULL: without. */
static int become_status(const char *option, int argc, char **argv)
{
	struct words w = {0};
	if (option)
		words_add(&w, option);
	for (int i = 1; i < argc; i++)
		words_add(&w, argv[i]);
	words_add(&w, NULL);
	int status = verb_become("xenpod-status", w.v);
	words_done(&w);
	return status;
}

int cmd_status(int argc, char **argv)
{
	return become_status(NULL, argc, argv);
}

static bool wants_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

int cmd_wait(int argc, char **argv)
{
	if (!wants_help(argc, argv))
		return become_status("--wait", argc, argv);
	puts("Usage: xenpod wait [--timeout=SECONDS] [--json] UUID...\n"
	     "Wait until all pods named have ended. xenpod-status can also wait for a state.\n"
	     "\n"
	     "  --timeout=SECONDS  but not longer\n"
	     "  --json             and show the pods then\n"
	     "\n"
	     "Exit status: 0; 1 no such pod; 4 the supervisor does not answer; 6 the time is "
	     "over;\n"
	     "254 wrong usage.");
	return 0;
}

int cmd_inspect(int argc, char **argv)
{
	struct err err = {0};
	if (!wants_help(argc, argv) && argc == 2)
		return become_status("--json", argc, argv);
	if (!wants_help(argc, argv)) {
		err_set(&err, ERR_INVALID,
			"inspect needs the UUID of one pod (xenpod-status shows them)");
		int status = verb_failed(&err);
		err_done(&err);
		return status;
	}
	puts("Usage: xenpod inspect UUID\n"
	     "Show all that is known of a pod as JSON, as xenpod-status does. Its schema is in\n"
	     "docs/schema.\n"
	     "\n"
	     "Exit status: 0; 1 no such pod; 3 what is desired, stored, seen by Xen and locked "
	     "does\n"
	     "not fit; 4 the supervisor does not answer and its store cannot be read; 254 wrong\n"
	     "usage.");
	return 0;
}

int cmd_host(int argc, char **argv)
{
	struct words w = {0};
	for (int i = 1; i < argc; i++)
		words_add(&w, argv[i]);
	words_add(&w, NULL);
	int status = verb_become("xenpod-host", w.v);
	words_done(&w);
	return status;
}
