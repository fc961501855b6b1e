/* SPDX-License-Identifier: Apache-2.0 */
/* A guest without Xen: see guestkit.h. */
#include "unit.h"

#include "guestkit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "guest/cgroup.h"
#include "proto/caps.h"
#include "proto/spec.h"

#define WAIT_MS 8000 /* below POD_POWEROFF_MS: nothing here may live to see that */
#define POLL_MS 5

static char root[] = "/tmp/xenpod-unit-XXXXXX";
static char group[64];
static int parent = -1; /* the group that the test was in */
static bool quit_by_time;

/* ---- the machine ----------------------------------------------------------------------------- */

void guestkit_put(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

char *guestkit_read(const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/out/%s", root, name);
	char *text = NULL;
	return file_read_at(AT_FDCWD, path, 65536, &text, NULL, NULL) == 0 ? text : xstrdup("");
}

static void move_to(int cgroup)
{
	_cleanup_err_ struct err err = {0};
	assert_ok(cgroup_enter(cgroup, &err), &err);
}

/* A group of our own as the root of all that is seen: as in a guest, wherever the test runs. */
static void own_cgroups(void)
{
	_cleanup_free_ char *text = NULL;
	assert_int_equal(mount("cgroup2", root, "cgroup2", 0, NULL), 0);
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/cgroup", 4096, &text, NULL, NULL), 0);
	char *line = strstr(text, "0::/");
	assert_non_null(line);
	line[strcspn(line, "\n")] = '\0';
	_cleanup_free_ char *path = xasprintf("%s/%s", root, line + strlen("0::/"));
	parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(parent >= 0);
	snprintf(group, sizeof(group), "xenpod-unit-%d", (int)getpid());
	assert_int_equal(mkdirat(parent, group, 0755), 0);
	_cleanup_fd_ int own = openat(parent, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	move_to(own);
	assert_int_equal(unshare(CLONE_NEWCGROUP), 0);
	assert_int_equal(umount2(root, MNT_DETACH), 0);
	assert_int_equal(mount("cgroup2", CGROUP_MOUNT, "cgroup2", 0, NULL), 0);
}

static void fill_root(void)
{
	static const char *const dirs[] = {"bin", "proc", "out"};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_free_ char *dir = xasprintf("%s/%s", root, dirs[i]);
		assert_int_equal(mkdir(dir, 0755), 0);
		assert_int_equal(chmod(dir, 0777), 0);
	}
	_cleanup_free_ char *busybox = xasprintf("%s/bin/busybox", root);
	_cleanup_free_ char *sh = xasprintf("%s/bin/sh", root);
	_cleanup_free_ char *proc = xasprintf("%s/proc", root);
	guestkit_put(busybox, "");
	assert_int_equal(mount("/bin/busybox", busybox, NULL, MS_BIND, NULL), 0);
	assert_int_equal(symlink("busybox", sh), 0);
	assert_int_equal(mount("proc", proc, "proc", 0, NULL), 0);
}

int guestkit_setup(void **state)
{
	(void)state;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	assert_int_equal(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	own_cgroups();
	fill_root();
	return 0;
}

int guestkit_teardown(void **state)
{
	(void)state;
	char cmd[128];
	move_to(parent);
	umount2(CGROUP_MOUNT, MNT_DETACH);
	int r = unlinkat(parent, group, AT_REMOVEDIR);
	close(parent);
	snprintf(cmd, sizeof(cmd), "umount %s/proc %s/bin/busybox && rm -rf %s", root, root, root);
	return system(cmd) || r;
}

void guestkit_plain_cgroups(const char *app)
{
	static const char *const files[] = {
		"cgroup.procs", "cgroup.kill", "memory.max", "memory.oom.group", "memory.events"};
	_cleanup_free_ char *dir = xasprintf(CGROUP_MOUNT "/app-%s", app);
	assert_int_equal(mount("tmpfs", CGROUP_MOUNT, "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, files[i]);
		guestkit_put(path, "");
	}
}

void guestkit_kernel_cgroups(void)
{
	assert_int_equal(umount2(CGROUP_MOUNT, MNT_DETACH), 0);
}

/* ---- the pod --------------------------------------------------------------------------------- */

static void signal_readable(struct loop_watch *w, uint32_t events)
{
	(void)events;
	struct signalfd_siginfo info;
	if (read(w->fd, &info, sizeof(info)) == sizeof(info))
		child_reap();
}

static char *no_env[] = {NULL};

void guestkit_init(struct guestkit *kit, size_t n)
{
	static char names[GUESTKIT_APPS][3] = {"a0", "a1"};
	static char zero[] = "0";
	static char slash[] = "/";
	assert_true(n <= GUESTKIT_APPS);
	*kit = (struct guestkit){.spec = {.grace_ms = 5000, .apps = kit->app_specs, .n_apps = n}};
	for (size_t i = 0; i < n; i++)
		kit->app_specs[i] = (struct podspec_app){
			.name = names[i],
			.user = zero,
			.group = zero,
			.cwd = slash,
			.env = no_env,
			.stdout_stream = true,
			.stderr_stream = true,
			.caps = CAPS_ALL,
			.cpu_shares = SPEC_CPU_SHARES,
		};
}

void guestkit_start(struct guestkit *kit)
{
	_cleanup_err_ struct err err = {0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	assert_ok(loop_init(&kit->loop, &err), &err);
	kit->mask = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	kit->signals.fn = signal_readable;
	loop_watch_init(&kit->loop, &kit->signals, kit->mask);
	loop_watch_set(&kit->signals, EPOLLIN);
	kit->pod = (struct pod){.loop = &kit->loop, .spec = &kit->spec, .state = &kit->state};
	kit->pod.n_apps = kit->spec.n_apps;
	kit->pod.apps = xcalloc(kit->pod.n_apps, sizeof(*kit->pod.apps));
	for (size_t i = 0; i < kit->pod.n_apps; i++) {
		app_init(&kit->pod.apps[i], &kit->pod, i);
		kit->pod.apps[i].root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	pod_start(&kit->pod);
}

static void time_out(struct loop_timer *t)
{
	quit_by_time = true;
	t->loop->quit = true;
}

static void poll_over(struct loop_timer *t)
{
	t->loop->quit = true;
}

void guestkit_until(struct guestkit *kit, bool (*done)(const struct pod *pod))
{
	struct loop_timer late = {.fn = time_out};
	quit_by_time = false;
	loop_timer_set(&kit->loop, &late, WAIT_MS);
	while (!done(&kit->pod) && !quit_by_time) {
		struct loop_timer poll = {.fn = poll_over};
		kit->loop.quit = false;
		loop_timer_set(&kit->loop, &poll, POLL_MS);
		loop_run(&kit->loop);
		loop_timer_stop(&poll);
	}
	loop_timer_stop(&late);
	assert_false(quit_by_time);
}

bool guestkit_ended(const struct pod *pod)
{
	return pod->phase >= POD_SYNCING;
}

static bool synced(const struct pod *pod)
{
	return pod->sync.pid == 0;
}

void guestkit_done(struct guestkit *kit)
{
	struct pod *pod = &kit->pod;
	/* The pod's last timer would power this machine off. */
	loop_timer_stop(&pod->timer);
	pod->phase = POD_DONE;
	guestkit_until(kit, synced);
	for (size_t i = 0; i < pod->n_apps; i++) {
		struct app *app = &pod->apps[i];
		_cleanup_free_ char *name = xasprintf("app-%s", app->spec->name);
		output_done(&app->out[0]);
		output_done(&app->out[1]);
		input_done(&app->in);
		close(app->root);
		close(app->cgroup);
		cgroup_remove(name);
	}
	free(pod->apps);
	loop_watch_set(&kit->signals, 0);
	close(kit->mask);
	close(kit->loop.epoll);
	_cleanup_free_ char *cmd = xasprintf("rm -rf %s/out/*", root);
	assert_int_equal(system(cmd), 0);
}
