/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod pause`, `resume`, `kill`: one call of the supervisor for each pod, whoever has started it. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "proto/api.h"
#include "tools/options.h"
#include "tools/status.h"
#include "tools/supervisor.h"
#include "tools/verbs.h"

static const struct option options[] = {
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct call {
	const char *verb;
	const char *help;
	const char *method;
	bool force;
};

static int call_one(
	const struct call *c, struct status_source *s, const char *given, struct err *err)
{
	char uuid[UUID_TEXT_SIZE];
	_cleanup_json_ json_t *reply = NULL;
	if (status_whole_uuid(s, given, uuid, err) < 0)
		return -1;
	json_t *params = json_make("{s:s}", "uuid", uuid);
	if (c->force)
		json_object_set_new(params, "force", json_true());
	if (supervisor_call(c->method, params, &reply, err) < 0)
		return -1;
	puts(uuid);
	return 0;
}

static int call_all(const struct call *c, char **uuids, struct err *err)
{
	_cleanup_free_ char *notice = NULL;
	struct status_source *s = NULL;
	int status = 0;
	if (status_open(&s, &notice, err) < 0)
		return verb_failed(err);
	for (; *uuids; uuids++)
		if (call_one(c, s, *uuids, err) < 0)
			status = verb_failed(err);
	status_close(s);
	return status;
}

static int run(const struct call *c, int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		puts(c->help);
		return 0;
	}
	if (id == OPTION_END && optind >= argc)
		err_set(&err, ERR_INVALID, "%s needs the UUID of a pod (xenpod-status shows them)",
			c->verb);
	if (err.msg || verb_need_root(c->verb, &err) < 0)
		return verb_failed(&err);
	return call_all(c, argv + optind, &err);
}

int cmd_pause(int argc, char **argv)
{
	static const struct call call = {"pause",
		"Usage: xenpod pause UUID...\n"
		"Stop the clock of pods: their domains keep their memory and get no CPU until "
		"xenpod\n"
		"resume. Connections of theirs may be given up by others meanwhile.\n"
		"\n"
		"Exit status: 0; 254 when one was not paused: it does not run.",
		API_PAUSE, false};
	return run(&call, argc, argv);
}

int cmd_resume(int argc, char **argv)
{
	static const struct call call = {"resume",
		"Usage: xenpod resume UUID...\n"
		"Let paused pods go on.\n"
		"\n"
		"Exit status: 0; 254 when one was not resumed: it is not paused.",
		API_RESUME, false};
	return run(&call, argc, argv);
}

int cmd_kill(int argc, char **argv)
{
	static const struct call call = {"kill",
		"Usage: xenpod kill UUID...\n"
		"Destroy the domains of pods at once, also of those that rkt has started; their "
		"apps\n"
		"are not asked. xenpod stop asks them first.\n"
		"\n"
		"Exit status: 0, also for pods that have ended already; 254 when one was not "
		"killed.",
		API_STOP, true};
	return run(&call, argc, argv);
}
