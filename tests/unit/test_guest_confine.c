/* SPDX-License-Identifier: Apache-2.0 */
/* What a program may do once it is confined, as the kernel shows it in /proc/self/status. */
/* LINK: guest proto base */
/* VALGRIND: no, it has no idea of capset(2) and seccomp(2) on itself */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "guest/confine.h"
#include "proto/caps.h"

#define BIT(n)     (UINT64_C(1) << (n))
#define FORBIDDEN  77 /* what the filter below answers instead of uname(2)'s result */
#define STATUS_MAX 8192

static struct sock_filter instructions[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | FORBIDDEN),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const struct podspec_filter filter = {
	.program = (uint8_t *)instructions,
	.size = sizeof(instructions),
};

struct job {
	struct confine confine;
	uid_t uid;
};

struct seen {
	char *status; /* /proc/self/status */
	char *adj;
	int uname_errno; /* 0: it worked */
};

static void seen_done(struct seen *s)
{
	free(s->status);
	free(s->adj);
}

static int confine_all(const struct job *job, struct err *err)
{
	if (confine_oom(job->confine.oom_score_adj, err) < 0 ||
		confine_bound(job->confine.caps, err) < 0)
		return -1;
	if (setgroups(1, (const gid_t[]){7}) < 0 || setresuid(job->uid, job->uid, job->uid) < 0)
		return err_sys(err, "become user %u", job->uid);
	return confine_seal(&job->confine, err);
}

__attribute__((noreturn)) static void child(const struct job *job, int out)
{
	struct err err = {0};
	struct utsname name;
	_cleanup_free_ char *status = NULL;
	_cleanup_free_ char *adj = NULL;
	size_t len = 0;
	if (confine_all(job, &err) < 0 ||
		file_read_at(AT_FDCWD, "/proc/self/status", STATUS_MAX, &status, &len, &err) < 0 ||
		file_read_at(AT_FDCWD, "/proc/self/oom_score_adj", 16, &adj, &len, &err) < 0) {
		dprintf(out, "%s", err_msg(&err));
		_exit(1);
	}
	int failed = uname(&name) < 0 ? errno : 0;
	dprintf(out, "%d %s%s", failed, adj, status);
	_exit(0);
}

static void run_job(const struct job *job, struct seen *ret)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *text = NULL;
	char path[64];
	char *end = NULL;
	int fds[2];
	int status = 0;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(job, fds[1]);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	assert_ok(file_read_at(AT_FDCWD, path, STATUS_MAX, &text, NULL, &err), &err);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		print_error("child: %s\n", text);
	assert_int_equal(status, 0);
	ret->uname_errno = (int)strtol(text, &end, 10);
	ret->adj = strndup(end + 1, strcspn(end + 1, "\n"));
	ret->status = strdup(end + 1);
}

/* The value of "Name:" in a status. */
static uint64_t field(const char *status, const char *name, int base)
{
	const char *at = strstr(status, name);
	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, base);
}

static uint64_t our_bounding_set(void)
{
	_cleanup_free_ char *status = NULL;
	assert_int_equal(
		file_read_at(AT_FDCWD, "/proc/self/status", STATUS_MAX, &status, NULL, NULL), 0);
	return field(status, "CapBnd:", 16);
}

static void assert_caps(const struct seen *seen, uint64_t bounding, uint64_t own)
{
	assert_int_equal(field(seen->status, "CapBnd:", 16), bounding);
	assert_int_equal(field(seen->status, "CapPrm:", 16), own);
	assert_int_equal(field(seen->status, "CapEff:", 16), own);
	assert_int_equal(field(seen->status, "CapInh:", 16), 0);
	assert_int_equal(field(seen->status, "CapAmb:", 16), 0);
}

static void root_keeps_what_it_was_left(void **state)
{
	(void)state;
	_cleanup_(seen_done) struct seen seen = {0};
	uint64_t caps = BIT(CAPS_CHOWN) | BIT(CAPS_KILL) | BIT(CAPS_AUDIT_WRITE);
	const struct job job = {.confine = {.caps = caps, .oom_score_adj = 300}};
	run_job(&job, &seen);
	assert_caps(&seen, caps, caps);
	assert_int_equal(field(seen.status, "NoNewPrivs:", 10), 0);
	assert_int_equal(field(seen.status, "Seccomp:", 10), 0);
	assert_string_equal(seen.adj, "300");
	assert_int_equal(seen.uname_errno, 0);
}

static void no_limit_is_no_limit(void **state)
{
	(void)state;
	_cleanup_(seen_done) struct seen seen = {0};
	uint64_t all = our_bounding_set();
	const struct job job = {.confine = {.caps = CAPS_ALL}};
	run_job(&job, &seen);
	assert_caps(&seen, all, all);
}

static void nothing_can_be_left(void **state)
{
	(void)state;
	_cleanup_(seen_done) struct seen seen = {0};
	const struct job job = {.confine = {.no_new_privileges = true}};
	run_job(&job, &seen);
	assert_caps(&seen, 0, 0);
	assert_int_equal(field(seen.status, "NoNewPrivs:", 10), 1);
	assert_int_equal(field(seen.status, "Seccomp:", 10), 0);
}

/* The one ability that the filter needs is gone at execve(2): test_guest_programs looks. */
static void a_filter_for_root_needs_no_new_privs_not(void **state)
{
	(void)state;
	_cleanup_(seen_done) struct seen seen = {0};
	uint64_t caps = BIT(CAPS_CHOWN);
	const struct job job = {.confine = {.caps = caps, .filter = &filter}};
	run_job(&job, &seen);
	assert_caps(&seen, caps, caps | BIT(CAPS_SYS_ADMIN));
	assert_int_equal(field(seen.status, "NoNewPrivs:", 10), 0);
	assert_int_equal(field(seen.status, "Seccomp:", 10), SECCOMP_MODE_FILTER);
	assert_int_equal(seen.uname_errno, FORBIDDEN);
}

static void a_filter_for_a_user_brings_no_new_privs(void **state)
{
	(void)state;
	_cleanup_(seen_done) struct seen seen = {0};
	uint64_t caps = BIT(CAPS_CHOWN);
	const struct job job = {.confine = {.caps = caps, .filter = &filter}, .uid = 1000};
	run_job(&job, &seen);
	assert_caps(&seen, caps, 0);
	assert_int_equal(field(seen.status, "NoNewPrivs:", 10), 1);
	assert_int_equal(field(seen.status, "Seccomp:", 10), SECCOMP_MODE_FILTER);
	assert_int_equal(field(seen.status, "Groups:", 10), 7);
	assert_int_equal(seen.uname_errno, FORBIDDEN);
}

static void a_filter_that_is_none_is_an_error(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	static const struct podspec_filter broken = {
		.program = (uint8_t *)instructions, .size = 2 * sizeof(*instructions)};
	const struct confine c = {.caps = CAPS_ALL, .filter = &broken};
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(confine_seal(&c, &err) == 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(root_keeps_what_it_was_left),
	cmocka_unit_test(no_limit_is_no_limit),
	cmocka_unit_test(nothing_can_be_left),
	cmocka_unit_test(a_filter_for_root_needs_no_new_privs_not),
	cmocka_unit_test(a_filter_for_a_user_brings_no_new_privs),
	cmocka_unit_test(a_filter_that_is_none_is_an_error),
};

UNIT_MAIN(tests, NULL, NULL)
