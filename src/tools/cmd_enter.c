/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod enter`: becomes the stage1's enter entrypoint with the arguments that rkt enter gives it
 * (contract 1.1, 1.5): argv[0] in the tree store, cwd the pod directory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tools/image.h"
#include "tools/options.h"
#include "tools/pod_info.h"
#include "tools/stage1.h"
#include "tools/verbs.h"

enum { OPT_DIR = 256, OPT_APP };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"app", required_argument, NULL, OPT_APP},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct enter {
	const char *dir;
	const char *app;
	char **rest; /* UUID, then the command */
	int nrest;
};

static void help(void)
{
	puts("Usage: xenpod enter [--dir=DIR] [--app=NAME] UUID [COMMAND [ARGS...]]\n"
	     "Run a command (default /bin/sh) as root inside an app of a pod that runs.\n"
	     "\n"
	     "  --app=NAME  the app; needed when the pod has several\n"
	     "  --dir=DIR   the data directory (default " DATADIR_DEFAULT ")\n"
	     "\n"
	     "Exit status: that of the command; 254 when xenpod fails.");
}

static int unknown_app(
	const struct pod *p, const struct appc_pod *m, const char *app, struct err *err)
{
	_cleanup_free_ char *names = xstrdup("");
	for (size_t i = 0; i < m->napps; i++) {
		char *more = xasprintf("%s%s%s", names, i ? ", " : "", m->apps[i].name);
		free(names);
		names = more;
	}
	if (!app)
		return err_set(err, ERR_INVALID, "pod %s has %zu apps, name one with --app: %s",
			p->uuid, m->napps, names);
	return err_set(
		err, ERR_NOTFOUND, "pod %s has no app \"%s\", it has: %s", p->uuid, app, names);
}

static int choose_app(const struct pod *p, const char *app, char **ret, struct err *err)
{
	struct appc_pod m = {0};
	if (pod_manifest_read(p, &m, err) < 0)
		return -1;
	const char *found = !app && m.napps == 1 ? m.apps[0].name : NULL;
	for (size_t i = 0; app && i < m.napps; i++)
		if (!strcmp(m.apps[i].name, app))
			found = app;
	int r = found ? 0 : unknown_app(p, &m, app, err);
	if (r == 0)
		*ret = xstrdup(found);
	appc_pod_done(&m);
	return r;
}

/* A pod that is starting has no pid yet: wait for it as rkt does, as long as the pod lives. */
static int wait_pid(const struct pod *p, pid_t *ret, struct err *err)
{
	for (;;) {
		bool held;
		if (pod_held(p, &held, err) < 0)
			return -1;
		if (!held || p->place != POD_RUN)
			return err_set(err, ERR_STATE, "pod %s is not running", p->uuid);
		*ret = pod_pid(p);
		if (*ret)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
}

static int exec_enter(const struct datadir *d, const struct pod *p, const struct enter *e,
	const char *app, pid_t pid, struct err *err)
{
	_cleanup_free_ char *entry = NULL;
	_cleanup_free_ char *id = NULL;
	if (stage1_entrypoint(p, "enter", &entry, err) < 0 || stage1_tree_id(p, &id, err) < 0)
		return -1;
	_cleanup_free_ char *tree = image_tree_path(id);
	_cleanup_free_ char *program = xasprintf("%s/%s/rootfs%s", d->path, tree, entry);
	_cleanup_free_ char *pid_arg = xasprintf("--pid=%d", (int)pid);
	_cleanup_free_ char *app_arg = xasprintf("--appname=%s", app);
	char dashes[] = "--";
	char shell[] = "/bin/sh";
	_cleanup_free_ char **argv = xcalloc((size_t)e->nrest + 6, sizeof(*argv));
	size_t n = 0;
	argv[n++] = program;
	argv[n++] = pid_arg;
	argv[n++] = app_arg;
	argv[n++] = dashes;
	for (int i = 1; i < e->nrest; i++)
		argv[n++] = e->rest[i];
	if (e->nrest == 1)
		argv[n++] = shell;
	if (fchdir(p->fd) < 0)
		return err_sys(err, "change to pod %s", p->uuid);
	execv(program, argv);
	return err_sys(err, "execute %s", program);
}

static int enter(const struct enter *e, struct err *err)
{
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	_cleanup_pod_ struct pod p = {.fd = -1};
	_cleanup_free_ char *app = NULL;
	pid_t pid;
	if (verb_need_root("enter", err) < 0 || datadir_open(e->dir, false, &d, err) < 0 ||
		pod_find(&d, e->rest[0], &p, err) < 0 || wait_pid(&p, &pid, err) < 0 ||
		choose_app(&p, e->app, &app, err) < 0)
		return -1;
	return exec_enter(&d, &p, e, app, pid, err);
}

int cmd_enter(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	struct enter e = {.dir = DATADIR_DEFAULT};
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 0;
		}
		if (id == OPT_DIR)
			e.dir = optarg;
		else
			e.app = optarg;
	}
	e.rest = argv + optind;
	e.nrest = argc - optind;
	if (id == OPTION_END && e.nrest == 0)
		err_set(&err, ERR_INVALID,
			"enter needs the UUID of a pod (xenpod list shows them)");
	if (!err.msg)
		enter(&e, &err);
	return verb_failed(&err); /* exec does not come back */
}
