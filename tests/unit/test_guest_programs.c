/* SPDX-License-Identifier: Apache-2.0 */
/* An app's programs: what runs when, as whom, what comes of it, and how all of it ends. */
/* LINK: guest proto base */
/* LIBS: xenvchan xengnttab xenevtchn xenstore xentoollog xentoolcore xencall */
/* WITH: guestkit.c */
/* VALGRIND: no, 3.19 does not know openat2(2) */
#include "unit.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "fdcount.h"
#include "guest/cgroup.h"
#include "guestkit.h"
#include "proto/caps.h"

#define BIT(n) (UINT64_C(1) << (n))
#define SH(script)                                                                                 \
	(char *[])                                                                                 \
	{                                                                                          \
		(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){script}, NULL                        \
	}

static struct guestkit kit;

static const struct app *app(size_t i)
{
	return &kit.pod.apps[i];
}

static void assert_end(size_t i, enum gstate_kind kind, int code, int pod_code)
{
	assert_string_equal(gstate_kind_name(app(i)->kind), gstate_kind_name(kind));
	assert_int_equal(app(i)->code, code);
	assert_int_equal(app_exit_code(app(i)), pod_code);
}

static void assert_out(const char *name, const char *want)
{
	_cleanup_free_ char *text = guestkit_read(name);
	assert_string_equal(text, want);
}

static bool pre_start_writes(const struct pod *pod)
{
	(void)pod;
	_cleanup_free_ char *text = guestkit_read("log");
	return text[0] != '\0';
}

static bool first_runs(const struct pod *pod)
{
	return pod->apps[0].kind == GSTATE_RUNNING;
}

/* ---- order ----------------------------------------------------------------------------------- */

static void programs_run_one_after_the_other(void **state)
{
	(void)state;
	static char user[] = "1000";
	guestkit_init(&kit, 1);
	kit.app_specs[0].user = user;
	kit.app_specs[0].pre_start =
		SH("umask 0; busybox sleep 0.1; echo pre $(busybox id -u) >>/out/log");
	kit.app_specs[0].exec = SH("echo main $(busybox id -u) >>/out/log; busybox sleep 0.1");
	kit.app_specs[0].post_stop = SH("echo post $(busybox id -u) >>/out/log");
	guestkit_start(&kit);
	assert_int_equal(app(0)->kind, GSTATE_STARTING);
	guestkit_until(&kit, first_runs);
	assert_int_equal(kit.pod.phase, POD_RUNNING);
	guestkit_until(&kit, guestkit_ended);
	assert_out("log", "pre 0\nmain 1000\npost 0\n");
	assert_end(0, GSTATE_EXITED, 0, 0);
	guestkit_done(&kit);
}

/* The default PATH is in env for whoever asks, but exec was written without it (contract 3.2). */
static void a_bare_name_without_a_path_of_its_own(void **state)
{
	(void)state;
	static char tool[] = "tool";
	static char cwd[] = "/out";
	static char path[] = "PATH=/nowhere";
	for (int own = 0; own < 2; own++) {
		guestkit_init(&kit, 1);
		kit.app_specs[0].pre_start =
			SH("echo '#!/bin/sh' >/out/tool; echo 'echo $PATH >>/out/log' >>/out/tool; "
			   "busybox chmod 755 /out/tool");
		kit.app_specs[0].exec = (char *[]){tool, NULL};
		kit.app_specs[0].cwd = cwd;
		kit.app_specs[0].env = (char *[]){path, NULL};
		kit.app_specs[0].default_path = !own;
		guestkit_start(&kit);
		guestkit_until(&kit, guestkit_ended);
		assert_out("log", own ? "" : "/nowhere\n");
		assert_int_equal(app(0)->kind, own ? GSTATE_FAILED : GSTATE_EXITED);
		guestkit_done(&kit);
	}
}

static void without_pre_start_no_start(void **state)
{
	(void)state;
	guestkit_init(&kit, 2);
	kit.app_specs[0].pre_start = SH("exit 3");
	kit.app_specs[0].exec = SH("echo main >>/out/log");
	kit.app_specs[0].post_stop = SH("echo post >>/out/log; exit 9");
	kit.app_specs[1].exec = SH("exec busybox sleep 60");
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_out("log", "post\n");
	assert_end(0, GSTATE_FAILED, 203, 203);
	assert_string_equal(app(0)->end.why, "pre-start: exit code 3");
	assert_end(1, GSTATE_KILLED, SIGTERM, 0);
	assert_int_equal(kit.pod.code, 203);
	guestkit_done(&kit);
}

static void a_handler_may_be_killed_or_not_there(void **state)
{
	(void)state;
	char *missing[] = {(char[]){"/bin/none"}, NULL};
	guestkit_init(&kit, 2);
	kit.app_specs[0].pre_start = SH("kill -11 $$");
	kit.app_specs[0].exec = SH("exit 0");
	kit.app_specs[1].exec = SH("exit 0");
	kit.app_specs[1].post_stop = missing;
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_string_equal(app(0)->end.why, "pre-start: signal 11");
	assert_int_equal(app(1)->end.why[0], '\0');
	assert_true(app(1)->kind == GSTATE_EXITED || app(1)->code == SIGTERM);
	guestkit_done(&kit);
}

static void what_cannot_be_run_says_why(void **state)
{
	(void)state;
	char *missing[] = {(char[]){"/bin/none"}, NULL};
	guestkit_init(&kit, 1);
	kit.app_specs[0].exec = missing;
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_FAILED, 203, 203);
	assert_non_null(strstr(app(0)->end.why, "/bin/none"));
	guestkit_done(&kit);
}

/* The kernel of the test's machine has no memory controller for version 2, or here it is hidden. */
static void a_limit_that_cannot_be_kept_is_told(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.app_specs[0].exec = SH("echo main >>/out/log");
	kit.app_specs[0].memory_bytes = 1 << 26;
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_FAILED, 203, 203);
	assert_non_null(strstr(app(0)->end.why, "limit its memory to 67108864 bytes"));
	assert_out("log", "");
	guestkit_done(&kit);
}

/* ---- stops ----------------------------------------------------------------------------------- */

static void a_stop_ends_pre_start(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.app_specs[0].pre_start = SH("echo pre >>/out/log; exec busybox sleep 60");
	kit.app_specs[0].exec = SH("echo main >>/out/log");
	guestkit_start(&kit);
	guestkit_until(&kit, pre_start_writes);
	pod_stop(&kit.pod, false);
	guestkit_until(&kit, guestkit_ended);
	assert_out("log", "pre\n");
	assert_end(0, GSTATE_KILLED, SIGTERM, 0);
	guestkit_done(&kit);
}

static void a_stop_kills_a_deaf_pre_start(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.spec.grace_ms = 200;
	kit.app_specs[0].pre_start =
		SH("trap '' TERM; echo pre >>/out/log; while :; do busybox sleep 1; done");
	kit.app_specs[0].exec = SH("echo main >>/out/log");
	guestkit_start(&kit);
	guestkit_until(&kit, pre_start_writes);
	pod_stop(&kit.pod, false);
	guestkit_until(&kit, guestkit_ended);
	assert_out("log", "pre\n");
	assert_end(0, GSTATE_KILLED, SIGKILL, 137);
	guestkit_done(&kit);
}

static void a_stop_waits_for_post_stop(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.app_specs[0].exec = SH("exec busybox sleep 60");
	kit.app_specs[0].post_stop = SH("busybox sleep 0.2; echo post >>/out/log");
	guestkit_start(&kit);
	guestkit_until(&kit, first_runs);
	pod_stop(&kit.pod, false);
	guestkit_until(&kit, guestkit_ended);
	assert_out("log", "post\n");
	assert_end(0, GSTATE_KILLED, SIGTERM, 0);
	guestkit_done(&kit);
}

static void post_stop_is_bounded_by_the_grace(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.spec.grace_ms = 200;
	kit.app_specs[0].exec = SH("exit 4");
	kit.app_specs[0].post_stop = SH("busybox sleep 60; echo post >>/out/log");
	int64_t begin = loop_now_ms();
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_true(loop_now_ms() - begin >= 200);
	assert_out("log", "");
	assert_end(0, GSTATE_EXITED, 4, 4);
	guestkit_done(&kit);
}

/* ---- ends that are none of a tidy app -------------------------------------------------------- */

static void what_the_main_process_leaves_is_killed(void **state)
{
	(void)state;
	char path[64];
	_cleanup_free_ char *procs = NULL;
	guestkit_init(&kit, 1);
	kit.app_specs[0].exec = SH(
		"busybox setsid sh -c 'exec >&- 2>&-; busybox sleep 60' & exec >&- 2>&-; exit 5");
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_EXITED, 5, 5);
	assert_true(output_drained(&app(0)->out[0]));
	usleep(100000);
	snprintf(path, sizeof(path), CGROUP_MOUNT "/app-%s/cgroup.procs", app(0)->spec->name);
	assert_int_equal(file_read_at(AT_FDCWD, path, 4096, &procs, NULL, NULL), 0);
	assert_string_equal(procs, "");
	guestkit_done(&kit);
}

static void out_of_memory(void **state, const char *events, bool by_us)
{
	(void)state;
	guestkit_init(&kit, 1);
	guestkit_plain_cgroups("a0");
	kit.app_specs[0].memory_bytes = 1 << 20;
	kit.app_specs[0].exec = SH("exec busybox sleep 60");
	guestkit_start(&kit);
	guestkit_until(&kit, first_runs);
	guestkit_put(CGROUP_MOUNT "/app-a0/memory.events", events);
	if (by_us)
		app_kill(&kit.pod.apps[0]);
	else
		kill(app(0)->child.pid, SIGKILL);
	guestkit_until(&kit, guestkit_ended);
	guestkit_kernel_cgroups();
	if (events[0] && !by_us)
		assert_end(0, GSTATE_OOM, SIGKILL, 137);
	else
		assert_end(0, GSTATE_KILLED, SIGKILL, 137);
	guestkit_done(&kit);
}

static void a_kill_for_want_of_memory_is_told_as_such(void **state)
{
	out_of_memory(state, "max 9\noom 1\noom_kill 1\n", false);
}

static void another_kill_is_not(void **state)
{
	out_of_memory(state, "", false);
}

static void nor_is_ours(void **state)
{
	out_of_memory(state, "max 9\noom 1\noom_kill 1\n", true);
}

/* ---- confinement ----------------------------------------------------------------------------- */

static uint64_t field(const char *status, const char *name, int base)
{
	const char *at = strstr(status, name);
	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, base);
}

static void assert_status(const char *file, uint64_t bounding, uint64_t own, int nnp)
{
	bool handler = strcmp(file, "pre") == 0;
	_cleanup_free_ char *text = guestkit_read(file);
	assert_int_equal(field(text, "CapBnd:", 16), bounding);
	assert_int_equal(field(text, "CapPrm:", 16), own);
	assert_int_equal(field(text, "CapEff:", 16), own);
	assert_int_equal(
		field(text, "Seccomp:", 10), handler ? SECCOMP_MODE_DISABLED : SECCOMP_MODE_FILTER);
	assert_int_equal(field(text, "NoNewPrivs:", 10), nnp);
}

static void programs_are_confined(void **state)
{
	(void)state;
	static struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	static const struct podspec_filter filter = {(uint8_t *)allow, sizeof(allow)};
	static char user[] = "1000";
	uint64_t caps = BIT(CAPS_CHOWN) | BIT(CAPS_SETUID) | BIT(CAPS_KILL);
	guestkit_init(&kit, 2);
	for (size_t i = 0; i < 2; i++) {
		kit.app_specs[i].caps = caps;
		kit.app_specs[i].filter = &filter;
		kit.app_specs[i].oom_score_adj = 250;
	}
	kit.app_specs[0].pre_start = SH("busybox cat /proc/self/status >/out/pre");
	kit.app_specs[0].exec = SH("busybox cat /proc/self/status >/out/root; "
				   "busybox cat /proc/self/oom_score_adj >/out/adj");
	kit.app_specs[1].user = user;
	kit.app_specs[1].exec = SH("busybox cat /proc/self/status >/out/user");
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_EXITED, 0, 0);
	assert_status("pre", caps | CAPS_RKT, caps | CAPS_RKT, 0);
	assert_status("root", caps, caps, 0);
	assert_status("user", caps, 0, 1);
	assert_out("adj", "250\n");
	guestkit_done(&kit);
}

/* What the filter answers, may it be the end, comes out as it is: init's own last words pass. */
static void a_filter_that_kills_is_a_signal(void **state)
{
	(void)state;
	static struct sock_filter no_exec[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const struct podspec_filter filter = {(uint8_t *)no_exec, sizeof(no_exec)};
	guestkit_init(&kit, 1);
	kit.app_specs[0].filter = &filter;
	kit.app_specs[0].exec = SH("exit 0");
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_KILLED, SIGSYS, 128 + SIGSYS);
	guestkit_done(&kit);
}

/* ---- readiness ------------------------------------------------------------------------------- */

/* Sends as a process of the app, or as a stranger. */
static void say(const char *text, bool inside)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *address = app(0)->notify.address;
	int status = 0;
	memcpy(sa.sun_path + 1, address + 1, strlen(address) - 1);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address));
	pid_t pid = fork();
	if (pid == 0) {
		if (inside && cgroup_enter(app(0)->cgroup, NULL) < 0)
			_exit(1);
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ssize_t n = sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&sa, size);
		_exit(n == (ssize_t)strlen(text) ? 0 : 2);
	}
	siginfo_t info = {0};
	/* It stays a zombie until the message was read: who has sent it can be looked up. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	status = info.si_status;
	assert_int_equal(status, 0);
}

static int64_t until_ms;

static bool time_over(const struct pod *pod)
{
	(void)pod;
	return loop_now_ms() >= until_ms;
}

static void wait_a_little(void)
{
	until_ms = loop_now_ms() + 60;
	guestkit_until(&kit, time_over);
}

static void an_app_says_when_it_is_ready(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.app_specs[0].notify = true;
	kit.app_specs[0].env = (char *[]){(char[]){"NOTIFY_SOCKET=/other"}, (char[]){"A=b"}, NULL};
	kit.app_specs[0].exec = SH("echo $A $NOTIFY_SOCKET >/out/log; exec busybox sleep 60");
	guestkit_start(&kit);
	guestkit_until(&kit, pre_start_writes);
	assert_out("log", "b @xenpod/notify/a0\n");
	wait_a_little();
	assert_int_equal(app(0)->kind, GSTATE_STARTING);
	say("READY=1", false);
	wait_a_little();
	assert_int_equal(app(0)->kind, GSTATE_STARTING);
	say("STATUS=nearly\nREADY=0\n", true);
	wait_a_little();
	assert_int_equal(app(0)->kind, GSTATE_STARTING);
	assert_int_equal(kit.pod.phase, POD_STARTING);
	say("STATUS=there\nREADY=1\n", true);
	wait_a_little();
	assert_int_equal(app(0)->kind, GSTATE_RUNNING);
	assert_int_equal(kit.pod.phase, POD_RUNNING);
	pod_stop(&kit.pod, false);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_KILLED, SIGTERM, 0);
	guestkit_done(&kit);
}

static void one_that_dies_before_has_its_usual_end(void **state)
{
	(void)state;
	guestkit_init(&kit, 1);
	kit.app_specs[0].notify = true;
	kit.app_specs[0].exec = SH("exit 6");
	guestkit_start(&kit);
	guestkit_until(&kit, guestkit_ended);
	assert_end(0, GSTATE_EXITED, 6, 6);
	guestkit_done(&kit);
}

static const struct CMUnitTest tests[] = {
	fd_counted(programs_run_one_after_the_other),
	fd_counted(a_bare_name_without_a_path_of_its_own),
	fd_counted(without_pre_start_no_start),
	fd_counted(a_handler_may_be_killed_or_not_there),
	fd_counted(what_cannot_be_run_says_why),
	fd_counted(a_limit_that_cannot_be_kept_is_told),
	fd_counted(a_stop_ends_pre_start),
	fd_counted(a_stop_kills_a_deaf_pre_start),
	fd_counted(a_stop_waits_for_post_stop),
	fd_counted(post_stop_is_bounded_by_the_grace),
	fd_counted(what_the_main_process_leaves_is_killed),
	fd_counted(a_kill_for_want_of_memory_is_told_as_such),
	fd_counted(another_kill_is_not),
	fd_counted(nor_is_ours),
	fd_counted(programs_are_confined),
	fd_counted(a_filter_that_kills_is_a_signal),
	fd_counted(an_app_says_when_it_is_ready),
	fd_counted(one_that_dies_before_has_its_usual_end),
};

UNIT_MAIN(tests, guestkit_setup, guestkit_teardown)
