/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage1's `enter` entrypoint (contract 1.5): runs a command in an app's root inside the domain,
 * with the app's environment. argv[0] is in the tree store, so the pod is the working directory.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appc/acname.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "stage1/flags.h"
#include "stage1/hook.h"
#include "stage1/poddir.h"
#include "stage1/visit.h"

#define ENV_MAX (256 * 1024)

struct enter_options {
	const char *pid; /* rkt's idea of the pod's process: of no use in a domain */
	const char *app; /* NULL: the root of xenpod-init */
	bool debug;
};

static int parse(int argc, char **argv, struct enter_options *o, int *ret_rest, struct err *err)
{
	const struct flag flags[] = {
		{"pid", FLAG_TEXT, &o->pid, "as in the pod's pid file"},
		{"appname", FLAG_TEXT, &o->app, "the app to enter"},
		{"app", FLAG_TEXT, &o->app, "the same"},
		{"debug", FLAG_BOOL, &o->debug, "say more"},
	};
	int r = flags_parse(flags, ARRAY_SIZE(flags), argc, argv, ret_rest, err);
	if (r == FLAGS_HELP) {
		puts("usage: enter --pid=N [--appname=NAME] [-- COMMAND [ARGS...]]\n"
		     "Runs a command (default /bin/bash) as root in an app of the pod whose "
		     "directory\n"
		     "is the working directory. Without --appname: in the root of xenpod-init.\n"
		     "Exit status: the command's; ends by the signal that killed it; 254 when "
		     "stage1\n"
		     "itself failed or the pod ended.\n");
		flags_print(flags, ARRAY_SIZE(flags));
	}
	if (r == 0 && o->app && !*o->app)
		o->app = NULL;
	return r;
}

/* The directory's name: it keeps that when the pod is moved from state to state. */
static int find_uuid(char ret[UUID_TEXT_SIZE], struct err *err)
{
	char dir[PATH_MAX];
	if (!getcwd(dir, sizeof dir))
		return err_sys(err, "working directory");
	const char *name = strrchr(dir, '/');
	if (!name || !uuid_valid(name + 1))
		return err_set(err, ERR_INVALID,
			"the working directory %s is not a pod directory: use rkt enter or "
			"xenpod enter",
			dir);
	return uuid_parse(name + 1, ret, err);
}

static int check_app(const char *app, const char *uuid, struct err *err)
{
	if (!acname_valid(app))
		return err_set(err, ERR_INVALID, "\"%s\" is not a valid app name", app);
	_cleanup_free_ char *dir = xasprintf(PODDIR_APP_FMT, app);
	if (access(dir, F_OK) < 0)
		return err_set(err, ERR_NOTFOUND, "pod %s has no app \"%s\"", uuid, app);
	return 0;
}

/* The lines that `run` wrote, and the terminal's type (contract 1.5). */
static int read_env(const char *app, json_t *env, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(PODDIR_ENV_FMT, app);
	_cleanup_free_ char *text = NULL;
	if (file_read_at(AT_FDCWD, path, ENV_MAX, &text, NULL, err) < 0)
		return -1;
	char *rest = text;
	char *line;
	while ((line = strsep(&rest, "\n")))
		if (strchr(line, '=') && strncmp(line, "TERM=", 5))
			json_array_append_new(env, json_string(line));
	return 0;
}

static void add_term(json_t *env)
{
	const char *term = getenv("TERM");
	_cleanup_free_ char *pair = xasprintf("TERM=%s", term && *term ? term : "vt100");
	json_t *text = json_string(pair);
	json_array_append_new(env, text ? text : json_string("TERM=vt100"));
}

static json_t *make_argv(char *const *command, struct err *err)
{
	json_t *argv = json_array();
	for (char *const *arg = command; *arg; arg++) {
		json_t *text = json_string(*arg);
		if (!text) {
			json_decref(argv);
			err_set(err, ERR_INVALID,
				"argument %d of the command is not valid UTF-8: only such text can "
				"be passed",
				(int)(arg - command));
			return NULL;
		}
		json_array_append_new(argv, text);
	}
	return argv;
}

static int enter(const struct enter_options *o, char **command, int *ret_status, int *ret_signo,
	struct err *err)
{
	static char bash[] = "/bin/bash";
	char *fallback[] = {bash, NULL};
	char uuid[UUID_TEXT_SIZE];
	_cleanup_json_ json_t *env = json_array();
	if (find_uuid(uuid, err) < 0)
		return -1;
	if (o->app && (check_app(o->app, uuid, err) < 0 || read_env(o->app, env, err) < 0))
		return -1;
	if (!o->app)
		json_array_append_new(env, json_string("PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	add_term(env);
	_cleanup_json_ json_t *argv = make_argv(*command ? command : fallback, err);
	if (!argv)
		return -1;
	const struct visit_plan plan = {uuid, o->app, argv, env};
	return visit_run(&plan, ret_status, ret_signo, err);
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct enter_options o = {0};
	int rest;
	int status = 0;
	int signo = 0;
	hook_begin();
	int r = parse(argc, argv, &o, &rest, &err);
	if (r == FLAGS_HELP)
		return 0;
	if (r == 0 && o.debug)
		hook_debug();
	fd_close_above(3, NULL, 0); /* stage0 leaks descriptors (contract 1.0) */
	if (r < 0 || enter(&o, argv + rest, &status, &signo, &err) < 0)
		return hook_fail(&err);
	if (signo)
		hook_die_by(signo);
	return status;
}
