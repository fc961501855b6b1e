/* SPDX-License-Identifier: Apache-2.0 */
/* `run` processes for next lives: see runner.h. */
#include "daemon/runner.h"

#include <errno.h>
#include <fcntl.h>

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/log.h"
#include "base/self.h"
#include "daemon/child.h"
#include "daemon/custody.h"
#include "daemon/gone.h"
#include "daemon/messages.h"
#include "proto/api.h"

#define LOCK_AT 3 /* as rkt's stage0 passes it, RKT_LOCK_FD */

/* One that we have started and have not reaped. */
struct runner {
	struct runner *next;
	struct runners *all;
	struct child child;
	struct loop_io *io;
	char uuid[UUID_TEXT_SIZE];
	int start;
};

struct runners {
	struct runners_config cfg;
	struct engine *engine;
	char *program;
	struct runner *first;
};

/* As it was when we were started: a package that is replaced under us takes nothing away. */
static char *find_program(void)
{
	static const char *const places[] = {"xenpod", "../bin/xenpod"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = self_beside(places[i]);
		if (path && access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

struct runners *runners_new(const struct runners_config *cfg)
{
	struct runners *r = xcalloc(1, sizeof *r);
	r->cfg = *cfg;
	r->program = cfg->program ? xstrdup(cfg->program) : find_program();
	return r;
}

void runners_set_engine(struct runners *r, struct engine *e)
{
	r->engine = e;
}

/* ---- cgroups --------------------------------------------------------------------------------- */

static char *cgroup_of(const struct runners *r, const char *uuid)
{
	return r->cfg.cgroup_root ? xasprintf("%s/run-%s", r->cfg.cgroup_root, uuid) : NULL;
}

static int write_to(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : fd_write_all(fd, text, strlen(text), NULL);
}

static void enter(const struct runners *r, const char *uuid, pid_t pid)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *dir = cgroup_of(r, uuid);
	char text[16];
	snprintf(text, sizeof text, "%d", (int)pid);
	if (!dir)
		return;
	int made = dir_make_all(dir, 0755, &err);
	if (made == 0 && write_to(dir, "cgroup.procs", text) < 0)
		made = err_sys(&err, "%s/cgroup.procs", dir);
	if (made < 0)
		log_pod(LOG_LVL_WARNING, uuid,
			"pod %s: its run process gets no cgroup of its own: %s", uuid,
			err_msg(&err));
}

static void kill_all(const struct runners *r, const char *uuid)
{
	_cleanup_free_ char *dir = cgroup_of(r, uuid);
	if (dir)
		(void)write_to(dir, "cgroup.kill", "1");
	for (struct runner *o = r->first; o; o = o->next)
		if (!strcmp(o->uuid, uuid))
			child_kill(&o->child);
}

void runners_adopt(struct runners *r, const struct pod *p, pid_t pid)
{
	enter(r, p->uuid, pid);
}

void runners_tidy(struct runners *r, const char *uuid)
{
	_cleanup_free_ char *dir = cgroup_of(r, uuid);
	if (dir)
		(void)rmdir(dir); /* not while another one is in it */
}

/* ---- starting -------------------------------------------------------------------------------- */

static void fail(struct runners *r, struct pod *p, const char *why)
{
	struct event_args args = {.domid = -1, .outbox = p->spawn_outbox, .message = why};
	log_pod(LOG_LVL_WARNING, p->uuid, "pod %s: its next start fails: %s", p->uuid, why);
	engine_post(r->engine, p, EV_SPAWN_FAILED, &args);
}

static void unlink_runner(struct runner *o)
{
	struct runner **at = &o->all->first;
	while (*at && *at != o)
		at = &(*at)->next;
	*at = o->next;
	loop_io_del(o->io);
	child_done(&o->child);
	free(o);
}

static void on_exit_of(void *ctx, int events)
{
	struct runner *o = ctx;
	struct runners *r = o->all;
	struct pod *p = pods_find(engine_pods(r->engine), o->uuid);
	(void)events;
	int status = child_reap(&o->child);
	char why[96];
	snprintf(why, sizeof why, "xenpod start ended with %d before it had handed the pod over",
		status);
	/* What it has handed over before is in the queue before this. */
	if (p && p->core.state == POD_RESTARTING && p->core.starts == o->start)
		fail(r, p, why);
	runners_tidy(r, o->uuid);
	unlink_runner(o);
}

/* DATA/pods/run/UUID -> DATA */
static char *data_dir(const char *pod_dir)
{
	char *dir = xstrdup(pod_dir);
	for (int i = 0; i < 3; i++) {
		char *slash = strrchr(dir, '/');
		if (slash)
			*slash = '\0';
	}
	return dir;
}

/* Nothing of ours goes along but what it needs; above all not NOTIFY_SOCKET. */
static int spawn(const struct runners *r, const struct pod *p, int lock, pid_t *ret)
{
	_cleanup_free_ char *data = data_dir(pod_dir(p));
	_cleanup_free_ char *dir = xasprintf("--dir=%s", data);
	_cleanup_free_ char *run_dir = xasprintf(API_ENV_RUN_DIR "=%s", r->cfg.run_dir);
	_cleanup_free_ char *start = xasprintf(API_ENV_START "=%d", p->core.starts);
	_cleanup_free_ char *uuid = xstrdup(p->uuid);
	char verb[] = "start";
	char lock_fd[] = "RKT_LOCK_FD=3";
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *argv[] = {r->program, verb, dir, uuid, NULL};
	char *env[] = {path, lock_fd, run_dir, start, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	sigset_t all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, lock, LOCK_AT);
	posix_spawn_file_actions_addclosefrom_np(&fa, LOCK_AT + 1);
	posix_spawn_file_actions_addchdir_np(&fa, "/");
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	int e = posix_spawn(ret, r->program, &fa, &attr, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return e;
}

static int start(struct runners *r, struct pod *p, struct err *err)
{
	if (!r->program)
		return err_set(err, ERR_NOTFOUND, "there is no program xenpod beside xenpodd");
	/* Another number than LOCK_AT: dup2 onto itself would keep CLOEXEC. */
	_cleanup_fd_ int lock = fcntl(p->lock_fd, F_DUPFD_CLOEXEC, LOCK_AT + 1);
	pid_t pid = 0;
	errno = spawn(r, p, lock, &pid);
	if (errno)
		return err_sys(err, "start %s", r->program);
	struct runner *o = xcalloc(1, sizeof *o);
	o->all = r;
	o->child = (struct child){.pid = pid, .pidfd = pidfd_open(pid, 0), .sock = -1};
	fcntl(o->child.pidfd, F_SETFD, FD_CLOEXEC);
	o->start = p->core.starts;
	memcpy(o->uuid, p->uuid, sizeof o->uuid);
	o->io = loop_io_add(r->cfg.loop, o->child.pidfd, LOOP_IN, on_exit_of, o);
	o->next = r->first;
	r->first = o;
	enter(r, p->uuid, pid);
	return 0;
}

void runners_spawn(struct runners *r, struct pod *p)
{
	_cleanup_err_ struct err err = {0};
	kill_all(r, p->uuid);
	if (gone_dir(pod_dir(p))) {
		struct event_args args = {.domid = -1,
			.cause = CAUSE_DESTROYED,
			.message = "its directory was removed"};
		engine_post(r->engine, p, EV_STOP, &args);
		return;
	}
	if (p->lock_fd < 0 && !custody_retake(p))
		fail(r, p, "its directory is locked by another process, or is another one now");
	else if (start(r, p, &err) < 0)
		fail(r, p, err_msg(&err));
}

void runners_dismiss(struct runners *r, const struct pod *p)
{
	kill_all(r, p->uuid);
	runners_tidy(r, p->uuid);
}

/* They go on; another supervisor finds them by their cgroup, or is found by them. */
void runners_free(struct runners *r)
{
	if (!r)
		return;
	struct runner *next;
	for (struct runner *o = r->first; o; o = next) {
		next = o->next;
		unlink_runner(o);
	}
	free(r->program);
	free(r);
}
