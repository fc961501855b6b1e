/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `run` processes of pods with a restart policy. For a next life this starts `xenpod start`, which
 * becomes one and hands the pod over (api_restart.c). They are kept in cgroups of their own, so that
 * nothing that ends the pod, or us, ends them; and so that a supervisor finds the one that the
 * supervisor before has started. Not in the engine: it knows no process.
 */
#ifndef DAEMON_RUNNER_H
#define DAEMON_RUNNER_H

#include <sys/types.h>

#include "daemon/engine.h"
#include "daemon/loop.h"

struct runners;

struct runners_config {
	struct loop *loop;
	const char *program;     /* xenpod; NULL: beside this program, or in ../bin */
	const char *run_dir;     /* where the processes find us */
	const char *cgroup_root; /* NULL: no cgroups */
};

struct runners *runners_new(const struct runners_config *cfg);
void runners_free(struct runners *r);
/* Whom failures are told to, as SPAWN_FAILED. */
void runners_set_engine(struct runners *r, struct engine *e);

/* Starts one for the life core.starts; one of before that has not ended is killed. */
void runners_spawn(struct runners *r, struct pod *p);
void runners_dismiss(struct runners *r, const struct pod *p);
/* A process has the pod: into its cgroup. One has ended: the cgroup goes when it is empty. */
void runners_adopt(struct runners *r, const struct pod *p, pid_t pid);
void runners_tidy(struct runners *r, const char *uuid);

#endif
