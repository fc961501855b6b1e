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
#include "tools/prepare.h"
#include "tools/run_env.h"
#include "tools/stage1.h"
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

struct argvec {
	char *v[16];
	size_t n;
};

static void add(struct argvec *a, char *arg)
{
	a->v[a->n++] = arg;
	a->v[a->n] = NULL;
}

static void add_late(const struct run_args *args, int version, struct argvec *ret)
{
	const struct run_dns *dns = &args->dns;
	if (args->hostname && version >= 2)
		add(ret, xasprintf("--hostname=%s", args->hostname));
	else if (args->hostname)
		log_warning("this stage1 (interface version %d) knows no --hostname", version);
	if (!run_dns_is_default(dns) && version >= 4)
		add(ret, xasprintf("--dns-conf-mode=resolv=%s,hosts=%s", dns->resolv,
				 dns->hosts_mode));
	else if (!run_dns_is_default(dns))
		log_warning("this stage1 (interface version %d) knows no --dns-conf-mode", version);
	if (args->insecure && version < 3)
		log_warning(
			"this stage1 (interface version %d) knows no --disable-* flags", version);
	if (version < 3)
		return;
	if (args->insecure & INSECURE_CAPABILITIES)
		add(ret, xstrdup("--disable-capabilities-restriction"));
	if (args->insecure & INSECURE_PATHS)
		add(ret, xstrdup("--disable-paths"));
	if (args->insecure & INSECURE_SECCOMP)
		add(ret, xstrdup("--disable-seccomp"));
}

/* The order of contract 1.2; nothing is emitted that the interface version does not know. */
static int make_argv(const struct run_args *args, const struct prepared *p, const char *program,
	struct argvec *ret, struct err *err)
{
	int version;
	if (stage1_interface_version(&p->pod, &version, err) < 0)
		return -1;
	add(ret, xstrdup(program));
	if (args->debug)
		add(ret, xstrdup("--debug"));
	_cleanup_free_ char *net = run_net_flag(&args->net);
	add(ret, xasprintf("--net=%s", net));
	if (args->interactive)
		add(ret, xstrdup("--interactive"));
	if (*args->local_config)
		add(ret, xasprintf("--local-config=%s", args->local_config));
	add_late(args, version, ret);
	add(ret, xstrdup(p->pod.uuid));
	return 0;
}

static int set_env(const struct prepared *p, struct err *err)
{
	_cleanup_free_ char *fd = xasprintf("%d", p->pod.fd);
	if (setenv("RKT_LOCK_FD", fd, 1) < 0 || setenv("RKT_SELINUX_CONTEXT", "", 1) < 0 ||
		setenv("RKT_SELINUX_MOUNT_CONTEXT", "", 1) < 0)
		return err_sys(err, "set environment");
	return 0;
}

/* Returns only when it failed. */
static int become_stage1(const struct run_args *args, const struct prepared *p, struct err *err)
{
	_cleanup_free_ char *entry = NULL;
	if (stage1_entrypoint(&p->pod, "run", &entry, err) < 0)
		return -1;
	_cleanup_free_ char *program = xasprintf("%s/stage1/rootfs%s", p->path, entry);
	struct argvec argv = {0};
	int r = make_argv(args, p, program, &argv, err);
	if (r == 0)
		r = set_env(p, err);
	if (r == 0 && chdir(p->path) < 0)
		r = err_sys(err, "change to %s", p->path);
	if (r == 0)
		r = fd_set_cloexec(p->pod.fd, 0, err);
	if (r == 0 && interrupted())
		r = err_set(err, ERR_STATE, "interrupted, nothing is left");
	if (r == 0) {
		execv(program, argv.v);
		r = err_sys(err, "execute %s", program);
	}
	while (argv.n)
		free(argv.v[--argv.n]);
	return r;
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

static int run(struct run_args *args, struct err *err)
{
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	struct prepared p;
	if (verb_need_root("run", err) < 0 || look_up(args, err) < 0 ||
		datadir_open(args->dir, true, &d, err) < 0)
		return -1;
	_cleanup_fd_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (prepare_pod(&d, args, interrupted, &p, err) < 0)
		return -1;
	int r = save_uuid(args, &p, err);
	if (r == 0) {
		become_stage1(args, &p, err);
		/* Leave the pod directory, or it could not be removed while we name the file. */
		if (cwd >= 0 && fchdir(cwd) == 0 && args->uuid_file)
			unlink(args->uuid_file);
	}
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
	int r = run_args_parse(argc, argv, &args, &err);
	if (r == 0 && args.help)
		run_args_help();
	else if (r < 0 || run(&args, &err) < 0)
		status = verb_failed(&err);
	run_args_done(&args);
	err_done(&err);
	return status;
}
