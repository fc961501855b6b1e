/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod run`: prepares a pod as rkt's stage0 does and becomes its stage1's `run`, with the
 * arguments, environment and descriptors of contract 1.1 and 1.2. What the stage1 then does is its
 * own business.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "tools/prepare.h"
#include "tools/run_again.h"
#include "tools/run_argv.h"
#include "tools/run_env.h"
#include "tools/run_from.h"
#include "tools/values.h"
#include "tools/verbs.h"
#include "tools/worker.h"

static volatile sig_atomic_t asked_to_end;

static void on_signal(int sig)
{
	(void)sig;
	asked_to_end = 1;
	worker_interrupt();
}

static int interrupted(void)
{
	return asked_to_end;
}

/* Until the exec, which puts the handlers back to the default: undo instead of dying half-way. */
static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct sigaction old;
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
}

/* Returns only when it failed. */
static int become_stage1(const struct prepared *p, const struct run_argv *argv, struct err *err)
{
	if (interrupted())
		return err_set(err, ERR_STATE, "interrupted, nothing is left");
	progress_end(); /* the terminal is the stage1's now, and then the app's */
	return run_become(&p->pod, p->path, argv, err);
}

static int save_uuid(const struct run_args *args, const struct prepared *p, struct err *err)
{
	if (!args->uuid_file)
		return 0;
	_cleanup_free_ char *line = xasprintf("%s\n", p->pod.uuid);
	_cleanup_fd_ int fd =
		open(args->uuid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0)
		return err_sys(err, "--uuid-file-save=%s", args->uuid_file);
	return fd_write_all(fd, line, strlen(line), err);
}

/* What the options refer to outside of themselves; a fault is told before anything is made. */
static int look_up(struct run_args *args, struct err *err)
{
	size_t i;
	json_t *v;
	json_array_foreach (args->volumes, i, v) {
		const char *source = json_str_opt(v, "source", NULL);
		if (source && access(source, F_OK) < 0)
			return err_sys(
				err, "volume %s: source %s", json_str_opt(v, "name", ""), source);
	}
	if (args->inherit_env)
		args->inherited = run_env_inherited(environ);
	return run_env_files(&args->env_files, &args->file_env, err);
}

/* 0: it was started, and is the supervisor's by now; -1: nothing was. */
static int start(
	const struct run_args *args, const struct prepared *p, int *ret_status, struct err *err)
{
	struct run_argv argv = {0};
	int status = -1;
	if (save_uuid(args, p, err) < 0)
		return -1;
	if (run_argv_make(&argv, args, &p->pod, err) == 0)
		status = run_again_wanted(&p->pod) ? run_again(&p->pod, p->path, &argv, err)
						   : become_stage1(p, &argv, err);
	run_argv_done(&argv);
	*ret_status = status;
	return status < 0 ? -1 : 0;
}

static int run(struct run_args *args, int *ret_status, struct err *err)
{
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	struct prepared p;
	if (verb_need_root("run", err) < 0 || look_up(args, err) < 0 ||
		datadir_open(args->dir, true, &d, err) < 0)
		return -1;
	progress_begin("reading images");
	_cleanup_fd_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (prepare_pod(&d, args, interrupted, &p, err) < 0)
		return -1;
	if (start(args, &p, ret_status, err) == 0) {
		prepared_done(&p);
		return 0;
	}
	/* Leave the pod directory, or it could not be removed while we name the file. */
	if (cwd >= 0 && fchdir(cwd) == 0 && args->uuid_file)
		unlink(args->uuid_file);
	struct err undo = {0};
	if (prepare_undo(&d, &p, &undo) < 0)
		err_wrap(err, "%s; before that", err_msg(&undo));
	err_done(&undo);
	prepared_done(&p);
	return -1;
}

int cmd_run(int argc, char **argv)
{
	struct err err = {0};
	struct run_args args = {0};
	int status = 0;
	catch_signals();
	struct run_from from;
	int r = run_from_expand(argc, argv, &from, &err);
	if (r == 0)
		r = run_args_parse(from.argc, from.argv, &args, &err);
	if (r == 0 && args.help)
		run_args_help();
	else if (r < 0 || run(&args, &status, &err) < 0)
		status = verb_failed(&err);
	run_args_done(&args);
	run_from_done(&from);
	err_done(&err);
	return status;
}
