/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: see cgroup.h. Files and values: Documentation/admin-guide/cgroup-v2.rst of Linux. */
#include "guest/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/log.h"
#include "proto/spec.h"

#define FILE_MAX 4096

/* ---- arithmetic ------------------------------------------------------------------------------ */

#define WEIGHT_DEFAULT 100
#define WEIGHT_MAX     10000

int64_t cgroup_weight(int64_t shares)
{
	int64_t weight = shares * WEIGHT_DEFAULT / SPEC_CPU_SHARES;
	return weight < 1 ? 1 : weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
}

/* The kernel takes quotas from 1 ms on and periods up to 1 s. */
void cgroup_cpu_max(int64_t milli, char ret[CGROUP_TEXT_SIZE])
{
	int64_t period_us = milli < 10 ? 1000000 : 100000;
	snprintf(ret, CGROUP_TEXT_SIZE, "%" PRId64 " %" PRId64, milli * (period_us / 1000),
		period_us);
}

/* oom_group_kill (Linux 5.17) counts groups, oom_kill processes: growth is all that matters. */
int64_t cgroup_events_kills(const char *events)
{
	static const char *const keys[] = {"oom_kill ", "oom_group_kill "};
	int64_t sum = 0;
	for (const char *line = events; line && *line;) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				sum += strtoll(line + strlen(keys[i]), NULL, 10);
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return sum;
}

int64_t cgroup_tasks_of(int64_t total, size_t n)
{
	int64_t each = total / 4 * 3 / (n ? (int64_t)n : 1);
	return each < CGROUP_TASKS_MIN ? CGROUP_TASKS_MIN : each;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_to(int cgroup, const char *file, const char *text)
{
	size_t len = strlen(text);
	_cleanup_fd_ int fd = openat(cgroup, file, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

static int write_number(int cgroup, const char *file, int64_t number)
{
	char text[CGROUP_TEXT_SIZE];
	snprintf(text, sizeof(text), "%" PRId64, number);
	return write_to(cgroup, file, text);
}

/* The number in a file of the kernel's, or `dflt`. */
static int64_t read_number(const char *path, int64_t dflt)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, FILE_MAX, &text, &len, NULL) < 0)
		return dflt;
	int64_t n = strtoll(text, NULL, 10);
	return n > 0 ? n : dflt;
}

int64_t cgroup_tasks_share(size_t n)
{
	int64_t threads = read_number("/proc/sys/kernel/threads-max", 4096);
	int64_t pids = read_number("/proc/sys/kernel/pid_max", 32768);
	return cgroup_tasks_of(threads < pids ? threads : pids, n);
}

/* The root may have processes and children with controllers: it is exempt from that rule. */
void cgroup_setup(int64_t tasks)
{
	static const char *const controllers[] = {"memory", "cpu", "pids"};
	_cleanup_err_ struct err err = {0};
	_cleanup_fd_ int root = cgroup_make(".", &err);
	for (size_t i = 0; root >= 0 && i < ARRAY_SIZE(controllers); i++) {
		_cleanup_free_ char *text = xasprintf("+%s", controllers[i]);
		if (write_to(root, "cgroup.subtree_control", text) < 0)
			log_warning("the kernel has no %s controller (%s): apps go without",
				controllers[i], strerror(errno));
	}
	_cleanup_fd_ int enter = root < 0 ? -1 : cgroup_make(CGROUP_ENTER, &err);
	if (enter < 0)
		log_warning("%s", err_msg(&err));
	else if (write_number(enter, "pids.max", tasks) < 0)
		log_warning("bound what entered commands start: %s", strerror(errno));
}

int cgroup_make(const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf(CGROUP_MOUNT "/%s", name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make cgroup %s", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(err, "open cgroup %s", path);
}

static int limit_memory(int cgroup, int64_t bytes, struct err *err)
{
	/* All of an app or nothing: what is left of it after a kill would only limp on. */
	int grouped = write_to(cgroup, "memory.oom.group", "1");
	if (!bytes)
		return 0;
	if (grouped < 0 || write_number(cgroup, "memory.max", bytes) < 0)
		return err_sys(err, "limit its memory to %" PRId64 " bytes", bytes);
	return 0;
}

static int limit_cpu(int cgroup, const struct cgroup_limits *limits, struct err *err)
{
	char max[CGROUP_TEXT_SIZE];
	int64_t weight = cgroup_weight(limits->cpu_shares);
	if (weight != WEIGHT_DEFAULT && write_number(cgroup, "cpu.weight", weight) < 0)
		return err_sys(err, "give it %" PRId64 " CPU shares", limits->cpu_shares);
	if (!limits->cpu_milli)
		return 0;
	cgroup_cpu_max(limits->cpu_milli, max);
	if (write_to(cgroup, "cpu.max", max) < 0)
		return err_sys(err, "limit it to %" PRId64 "/1000 of a core", limits->cpu_milli);
	return 0;
}

int cgroup_limit(int cgroup, const struct cgroup_limits *limits, struct err *err)
{
	if (limits->tasks && write_number(cgroup, "pids.max", limits->tasks) < 0)
		log_debug("pids.max: %s", strerror(errno)); /* told once, by cgroup_setup() */
	if (limit_memory(cgroup, limits->memory_bytes, err) < 0)
		return -1;
	return limit_cpu(cgroup, limits, err);
}

int cgroup_enter(int cgroup, struct err *err)
{
	return write_to(cgroup, "cgroup.procs", "0") < 0 ? err_sys(err, "enter the cgroup") : 0;
}

void cgroup_kill(int cgroup)
{
	if (cgroup >= 0)
		write_to(cgroup, "cgroup.kill", "1");
}

void cgroup_remove(const char *name)
{
	_cleanup_free_ char *path = xasprintf(CGROUP_MOUNT "/%s", name);
	rmdir(path);
}

int64_t cgroup_oom_kills(int cgroup)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (cgroup < 0 || file_read_at(cgroup, "memory.events", FILE_MAX, &text, &len, NULL) < 0)
		return 0;
	return cgroup_events_kills(text);
}
