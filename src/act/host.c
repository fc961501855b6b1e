/* SPDX-License-Identifier: Apache-2.0 */
/* exports, clear, release: what a pod has in Dom-0 beside its domain. No Xen is needed for these.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "act/act.h"
#include "act/cgroup.h"
#include "act/exports.h"
#include "act/network.h"
#include "act/ports.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/crash.h"
#include "base/json.h"

#define LOG_DIR     "/var/log/xen"
#define LOG_ROTATED 10 /* libxl_create_logfile() keeps name.1 to name.10 */

static void read_trees(const json_t *trees, const struct fds *fds, struct tree *ret)
{
	size_t i;
	json_t *o;
	json_array_foreach (trees, i, o) {
		ret[i] = (struct tree){
			.fd = fds->fd[i],
			.file = json_str_opt(o, "file", NULL),
			.read_only = json_bool_opt(o, "read_only", false),
		};
	}
}

int act_exports(struct act *a, struct err *err)
{
	const char *dir;
	json_t *trees;
	struct tree t[FRAME_MAX_FDS];
	if (act_get_path(a, "dir", &dir, err) < 0 ||
		json_get_array(a->request, "trees", &trees, err) < 0)
		return -1;
	size_t n = json_array_size(trees);
	if (n != a->fds.n)
		return err_set(err, ERR_INVALID, "%zu trees, but %zu descriptors", n, a->fds.n);
	read_trees(trees, &a->fds, t);
	return exports_attach(dir, t, n, err);
}

/* A network that no domain was made for goes at once, others at gc (contract 5.7). */
static int clear_network(const struct act *a, struct err *err)
{
	const json_t *network = json_object_get(a->request, "network");
	if (!network || !json_bool_opt(a->request, "undo", false))
		return 0;
	return network_undo(a->id.uuid, network, json_object_get(a->request, "nets"), err);
}

/* First, whatever else cannot be cleared: another pod may have them from here on. */
static int clear_ports(const struct act *a, struct err *err)
{
	const json_t *network = json_object_get(a->request, "network");
	return json_array_size(json_object_get(network, "ports")) ? ports_close(a->id.uuid, err)
								  : 0;
}

/* Processes first: QEMU holds its exports open, and those would be busy. */
int act_clear(struct act *a, struct err *err)
{
	const char *dir;
	int lazy = 0;
	if (act_get_path(a, "dir", &dir, err) < 0 || clear_ports(a, err) < 0)
		return -1;
	if (a->cgroup && cgroup_clear(a->cgroup, err) < 0)
		return -1;
	crash_point("cgroup-cleared");
	if (exports_remove(dir, &lazy, err) < 0)
		return -1;
	json_object_set_new(a->answer, "lazy", json_integer(lazy));
	return clear_network(a, err);
}

static int open_beneath(const char *dir, const char *name, struct err *err)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	_cleanup_fd_ int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_sys(err, "open %s", dir);
	int fd = (int)syscall(SYS_openat2, top, name, &how, sizeof how);
	return fd < 0 ? err_sys(err, "open %s/%s", dir, name) : fd;
}

static int unlink_log(int dirfd, const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s", name);
	for (int i = 1; i <= LOG_ROTATED; i++) {
		_cleanup_free_ char *rotated = xasprintf("%s.%d", name, i);
		if (unlinkat(dirfd, rotated, 0) < 0 && errno != ENOENT)
			return err_sys(err, "remove %s", rotated);
	}
	return 0;
}

/* `path`: a file below LOG_DIR, its directories being real ones. */
static int release_log(const char *path, struct err *err)
{
	const size_t top = strlen(LOG_DIR "/");
	if (strncmp(path, LOG_DIR "/", top) != 0 || !act_path_is_plain(path))
		return err_set(err, ERR_INVALID, "log file %s is not below " LOG_DIR, path);
	const char *slash = strrchr(path + top, '/');
	const char *name = slash ? slash + 1 : path + top;
	_cleanup_free_ char *dir =
		slash ? xstrndup(path + top, (size_t)(slash - path) - top) : xstrdup(".");
	_cleanup_fd_ int fd = open_beneath(LOG_DIR, dir, err);
	if (fd < 0)
		return err->code == ERR_NOTFOUND ? 0 : -1;
	return unlink_log(fd, name, err);
}

/* The last command of a pod's life, so the helper lock's file goes too: we hold it. */
int act_release(struct act *a, struct err *err)
{
	json_t *logs;
	json_t *log;
	size_t i;
	const char *lock;
	const json_t *network = json_object_get(a->request, "network");
	if (json_get_array(a->request, "logs", &logs, err) < 0)
		return -1;
	if (network &&
		network_undo(a->id.uuid, network, json_object_get(a->request, "nets"), err) < 0)
		return -1;
	json_array_foreach (logs, i, log) {
		if (!json_is_string(log))
			return err_set(err, ERR_INVALID, "\"logs\" must be paths");
		if (release_log(json_string_value(log), err) < 0)
			return -1;
		crash_point("log-removed");
	}
	if (act_get_path(a, "lock", &lock, err) < 0)
		return -1;
	if (unlink(lock) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s", lock);
	return 0;
}
