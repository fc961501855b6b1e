/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xenpod start`: for people, to try a pod at once that waits for its next life; for the supervisor, to
 * begin that life: then it inherits the pod's lock and becomes the stage1's `run`.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/json.h"
#include "proto/api.h"
#include "tools/options.h"
#include "tools/pod_info.h"
#include "tools/remount.h"
#include "tools/run_argv.h"
#include "tools/supervisor.h"
#include "tools/verbs.h"

enum { OPT_DIR = 256, OPT_ALL };

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"all", no_argument, NULL, OPT_ALL},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	puts("Usage: xenpod start [--dir=DIR] UUID...\n"
	     "       xenpod start --all\n"
	     "Start pods that were run with --restart and wait for their next try: at once. A pod\n"
	     "that has ended for good is run anew with `xenpod run`.\n"
	     "\n"
	     "  --all      the host is not being shut down any more: pods that were stopped for\n"
	     "             that (xenpod stop --all --host-shutdown) and have a restart policy\n"
	     "             start again, and new ones are accepted\n"
	     "  --dir=DIR  the data directory (default " DATADIR_DEFAULT ")\n"
	     "\n"
	     "Exit status: 0; 254 when one was not started. The supervisor calls it, too, with "
	     "the\n"
	     "pod's lock in RKT_LOCK_FD: then it becomes the pod's run process.");
}

/* ---- for the supervisor --------------------------------------------------------------------- */

/* The pod's directory by the descriptor that has the lock. */
static int take_lock(struct pod *p, const char *text, struct err *err)
{
	struct stat ours;
	struct stat named;
	char *end = NULL;
	long fd = strtol(text, &end, 10);
	if (*end || fd < 3 || fd > INT32_MAX || fstat((int)fd, &ours) < 0 ||
		fstat(p->fd, &named) < 0 || ours.st_ino != named.st_ino ||
		ours.st_dev != named.st_dev)
		return err_set(err, ERR_INVALID, "RKT_LOCK_FD=%s is not the directory of pod %s",
			text, p->uuid);
	fd_close(&p->fd);
	p->fd = (int)fd;
	return 0;
}

/* Returns only when it failed. */
static int begin_life(const char *dir, const char *uuid, const char *lock, struct err *err)
{
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	_cleanup_pod_ struct pod p = {.fd = -1};
	struct appc_pod m = {0};
	struct run_argv argv = {0};
	if (datadir_open(dir, false, &d, err) < 0 || pod_find(&d, uuid, &p, err) < 0 ||
		take_lock(&p, lock, err) < 0 || pod_manifest_read(&p, &m, err) < 0)
		return -1;
	_cleanup_free_ char *path = pod_path(&d, &p);
	int r = remount_pod(&d, &p, &m, err);
	if (r == 0)
		r = remount_forget_codes(&p, &m, err);
	if (r == 0)
		r = run_argv_load(&argv, &p, err);
	appc_pod_done(&m);
	if (r == 0)
		r = run_become(&p, path, &argv, err);
	run_argv_done(&argv);
	return r;
}

/* ---- for people ------------------------------------------------------------------------------ */

static int start_one(const struct datadir *d, const char *uuid, struct err *err)
{
	_cleanup_pod_ struct pod p = {.fd = -1};
	_cleanup_json_ json_t *reply = NULL;
	if (pod_find(d, uuid, &p, err) < 0 ||
		supervisor_call(API_START, json_make("{s:s}", "uuid", p.uuid), &reply, err) < 0)
		return -1;
	puts(p.uuid);
	return 0;
}

static int start_each(const char *dir, char **uuids, struct err *err)
{
	_cleanup_datadir_ struct datadir d = {.fd = -1};
	int status = 0;
	if (datadir_open(dir, false, &d, err) < 0)
		return verb_failed(err);
	for (; *uuids; uuids++)
		if (start_one(&d, *uuids, err) < 0)
			status = verb_failed(err);
	return status;
}

static int start_all(struct err *err)
{
	_cleanup_json_ json_t *reply = NULL;
	if (supervisor_call(API_SHUTDOWN, json_make("{s:b}", "cancel", 1), &reply, err) < 0)
		return verb_failed(err);
	return 0;
}

int cmd_start(int argc, char **argv)
{
	_cleanup_err_ struct err err = {0};
	const char *dir = DATADIR_DEFAULT;
	const char *lock = getenv("RKT_LOCK_FD");
	bool all = false;
	int id;
	optind = 0;
	while ((id = option_next(argc, argv, options, &err)) > OPTION_END) {
		if (id == 'h') {
			help();
			return 0;
		}
		if (id == OPT_DIR)
			dir = optarg;
		all |= id == OPT_ALL;
	}
	int rest = argc - optind;
	if (id == OPTION_END && all && rest)
		err_set(&err, ERR_INVALID, "%s cannot be given with --all", argv[optind]);
	else if (id == OPTION_END && !all && !rest)
		err_set(&err, ERR_INVALID,
			"start needs the UUID of a pod, or --all (xenpod list shows them)");
	if (err.msg || verb_need_root("start", &err) < 0)
		return verb_failed(&err);
	if (all)
		return start_all(&err);
	if (lock && getenv(API_ENV_START) && rest == 1) {
		begin_life(dir, argv[optind], lock, &err);
		return verb_failed(&err);
	}
	return start_each(dir, argv + optind, &err);
}
