/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp isolators by their effect: each program is installed in a child, which then makes one
 * call. The kernel here stands for the guest's.
 */
/* LINK: stage1 appc proto base */
/* LIBS: seccomp */
/* VALGRIND: no, valgrind makes system calls of its own, which the filters end */
#include "unit.h"

#include <errno.h>
#include <jansson.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/spec.h"
#include "stage1/seccomp.h"
#include "stage1/syscalls.h"

#define RETAIN APPC_SET_RETAIN
#define REMOVE APPC_SET_REMOVE
#define DIES   256

static int make(
	enum appc_set_kind kind, const char *names, const char *error, char **ret, struct err *err)
{
	_cleanup_json_ json_t *list = names ? json_loads(names, 0, NULL) : NULL;
	struct appc_set set = {.kind = kind, .names = list, .error_name = error};
	assert_true(!names || list);
	return seccomp_program(&set, ret, err);
}

/* The child: what the call answers, as an exit status: 0, or the errno. */
_Noreturn static void try(const struct sock_fprog *program, long nr)
{
	struct rlimit no_core = {0, 0};
	setrlimit(RLIMIT_CORE, &no_core);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program))
		_exit(255);
	long r = syscall(nr, 0, 0, 0, 0, 0, 0);
	syscall(SYS_exit_group, r < 0 ? errno : 0);
	_exit(255);
}

/* 0, the errno, or DIES; anything else fails the test. */
static int effect(const char *text, long nr)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t len = 0;
	int status;
	assert_int_equal(base64_decode(text, &bytes, &len), 0);
	assert_true(len / sizeof(struct sock_filter) <= SPEC_FILTER_MAX);
	struct sock_fprog program = {
		.len = (unsigned short)(len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)bytes,
	};
	pid_t pid = fork();
	if (pid == 0)
		try(&program, nr);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return DIES;
	}
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static void each_set_does_what_it_says(void **state)
{
	(void)state;
	static const struct {
		enum appc_set_kind kind;
		const char *names;
		const char *error;
		long nr;
		int want;
	} rows[] = {
		/* the default: docker's list */
		{APPC_SET_NONE, NULL, "", SYS_getpid, 0},
		{APPC_SET_NONE, NULL, "", SYS_sync, 0},
		{APPC_SET_NONE, NULL, "", SYS_unshare, DIES},
		{APPC_SET_NONE, NULL, "", SYS_mount, DIES},
		{APPC_SET_NONE, NULL, "", SYS_reboot, DIES},
		{REMOVE, "[\"@appc.io/empty\"]", "", SYS_unshare, DIES},
		{REMOVE, "[\"@appc.io/empty\"]", "EACCES", SYS_unshare, EACCES},
		{RETAIN, "[\"@nobody/knows\",\"@none\"]", "", SYS_unshare, DIES},
		/* retain: these alone, and what every program needs */
		{RETAIN, "[\"sync\"]", "", SYS_sync, 0},
		{RETAIN, "[\"sync\"]", "", SYS_getpid, 0},
		{RETAIN, "[\"sync\"]", "", SYS_umask, DIES},
		{RETAIN, "[\"sync\"]", "EXDEV", SYS_umask, EXDEV},
		{RETAIN, "[\"sync\"]", "EXDEV", SYS_execve, EFAULT},
		{RETAIN, "[\"@rkt/default-whitelist\",\"unshare\"]", "", SYS_unshare, 0},
		{RETAIN, "[\"@docker/default-whitelist\"]", "", SYS_umask, 0},
		/* remove: all but these */
		{REMOVE, "[\"sync\"]", "", SYS_sync, DIES},
		{REMOVE, "[\"sync\"]", "ENOSYS", SYS_sync, ENOSYS},
		{REMOVE, "[\"sync\"]", "", SYS_umask, 0},
		{REMOVE, "[\"@docker/default-blacklist\"]", "EPERM", SYS_unshare, EPERM},
		{REMOVE, "[\"@rkt/default-blacklist\"]", "EPERM", SYS_umask, 0},
		{REMOVE, "[\"@systemd/mount\"]", "EXDEV", SYS_mount, EXDEV},
		{REMOVE, "[\"@systemd/clock\"]", "EXDEV", SYS_settimeofday, EXDEV},
		{REMOVE, "[\"@systemd/network-io\"]", "EXDEV", SYS_socket, EXDEV},
		{REMOVE, "[\"@systemd/obsolete\"]", "EXDEV", SYS_ustat, EXDEV},
		{REMOVE, "[\"@systemd/privileged\"]", "EXDEV", SYS_setuid, EXDEV},
		{REMOVE, "[\"@systemd/process\"]", "EXDEV", SYS_kill, EXDEV},
		{REMOVE, "[\"@systemd/raw-io\"]", "EXDEV", SYS_iopl, EXDEV},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_err_ struct err err = {0};
		_cleanup_free_ char *text = NULL;
		assert_ok(make(rows[i].kind, rows[i].names, rows[i].error, &text, &err), &err);
		assert_non_null(text);
		int got = effect(text, rows[i].nr);
		if (got != rows[i].want)
			print_error("ERROR: row %zu: %d instead of %d\n", i, got, rows[i].want);
		assert_int_equal(got, rows[i].want);
	}
}

static void all_is_no_filter(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	char *text = NULL;
	assert_ok(make(RETAIN, "[\"@appc.io/all\"]", "", &text, &err), &err);
	assert_null(text);
}

/* Two apps of one set share one program, so it must not depend on anything else. */
static void the_same_set_makes_the_same_program(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *a = NULL;
	_cleanup_free_ char *b = NULL;
	assert_ok(make(APPC_SET_NONE, NULL, "", &a, &err), &err);
	assert_ok(make(RETAIN, "[\"@rkt/default-whitelist\"]", "", &b, &err), &err);
	assert_string_equal(a, b);
}

static void what_is_not_known_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		enum appc_set_kind kind;
		const char *names;
		const char *error;
		const char *text;
	} rows[] = {
		{RETAIN, "[\"openn\"]", "", "\"openn\" is not a system call"},
		{REMOVE, "[\"sync\"]", "EWHAT", "\"EWHAT\" is not the name of an error"},
		{REMOVE, "[\"execve\"]", "EPERM", "takes execve away"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_err_ struct err err = {0};
		char *text = NULL;
		assert_fails(make(rows[i].kind, rows[i].names, rows[i].error, &text, &err), &err,
			ERR_INVALID, rows[i].text);
		assert_null(text);
	}
}

/* x86 alone knows it: no error, nothing to do for the others. */
static void calls_of_another_architecture_are_skipped(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *text = NULL;
	assert_ok(
		make(REMOVE, "[\"vm86\",\"s390_runtime_instr\",\"sync\"]", "", &text, &err), &err);
	assert_int_equal(effect(text, SYS_sync), DIES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_set_does_what_it_says),
		cmocka_unit_test(all_is_no_filter),
		cmocka_unit_test(the_same_set_makes_the_same_program),
		cmocka_unit_test(what_is_not_known_is_refused_by_name),
		cmocka_unit_test(calls_of_another_architecture_are_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
