/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cgroup (version 2) per app and per entered command: "kill all of it" needs no list of
 * processes (cgroup.kill, Linux 5.14; systemd's KillMode=mixed does the same for rkt's own stage1),
 * and an app's limits hold for all that it starts. Arithmetic on texts stands apart from files.
 */
#ifndef GUEST_CGROUP_H
#define GUEST_CGROUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CGROUP_MOUNT     "/sys/fs/cgroup"
#define CGROUP_ENTER     "enter" /* holds a group for each entered command */
#define CGROUP_TEXT_SIZE 48
#define CGROUP_TASKS_MIN 16

struct cgroup_limits {
	int64_t memory_bytes; /* 0: no limit */
	int64_t cpu_milli;    /* 0: no limit */
	int64_t cpu_shares;
	int64_t tasks; /* 0: no limit */
};

/*
 * Once, before the first group: hands the controllers down and bounds what entered commands may
 * start. A controller that the kernel lacks is logged; who needs it fails later by its own name.
 */
void cgroup_setup(int64_t tasks);
/* Makes <mount>/<name>; the descriptor of its directory, or -1. */
int cgroup_make(const char *name, struct err *err);
/* A limit that was asked for and cannot be set is an error; the bound of tasks is ours: logged. */
int cgroup_limit(int cgroup, const struct cgroup_limits *limits, struct err *err);
/* Moves the calling process into it. */
int cgroup_enter(int cgroup, struct err *err);
/* SIGKILL to all of it. A negative descriptor is nothing. */
void cgroup_kill(int cgroup);
/* Removes an empty one, best effort: it costs a little kernel memory, nothing else. */
void cgroup_remove(const char *name);
/* How many kills for want of memory it has seen; 0 when the kernel does not tell. */
int64_t cgroup_oom_kills(int cgroup);
/*
 * How many processes each of `n` groups may have so that they, all together, cannot take the last
 * from xenpod-init: three quarters of what the kernel gives.
 */
int64_t cgroup_tasks_share(size_t n);

/* cpu.weight for shares of cgroup version 1, as systemd converts them, and so rkt's stage1. */
int64_t cgroup_weight(int64_t shares);
/* The text of cpu.max. */
void cgroup_cpu_max(int64_t milli, char ret[CGROUP_TEXT_SIZE]);
/* The sum of the kills in the text of memory.events. */
int64_t cgroup_events_kills(const char *events);
/* cgroup_tasks_share() of `total`. */
int64_t cgroup_tasks_of(int64_t total, size_t n);

#endif
