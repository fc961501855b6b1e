/* SPDX-License-Identifier: Apache-2.0 */
/* xenpod-act without Xen: what it refuses, the helper lock, the mount table's lines. */
/* LINK: act cni net proto base */
/* LIBS: xenlight xenstore xentoollog seccomp nl-3 nftables */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/act.h"
#include "act/lock.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mountinfo.h"

static char dir[] = "/tmp/xenpod-test-act-XXXXXX";
static char lock_path[64];

static void silent(enum log_level level, const char *msg, const struct log_field *f, size_t n)
{
	(void)level;
	(void)msg;
	(void)f;
	(void)n;
}

static int setup(void **state)
{
	(void)state;
	log_set_sink(silent);
	if (!mkdtemp(dir))
		return -1;
	snprintf(lock_path, sizeof lock_path, "%s/lock", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(lock_path);
	return rmdir(dir);
}

#define UUID "11111111-2222-4333-8444-555555555555"

/* Serves one request given as text ("@" for the lock's path); the answer, caller decrefs. */
static json_t *serve(const char *text, int want_status)
{
	struct err err = {0};
	int pair[2];
	json_t *answer = NULL;
	json_t *request = json_parse(text, strlen(text), "request", &err);
	assert_non_null(request);
	if (!json_object_get(request, "lock"))
		json_object_set_new(request, "lock", json_string(lock_path));
	assert_ok(frame_pair(pair, &err), &err);
	assert_ok(frame_send(pair[0], request, NULL, 0, &err), &err);
	assert_int_equal(act_serve(pair[1]), want_status);
	assert_call(frame_recv(pair[0], &answer, NULL, &err), &err, 1);
	json_decref(request);
	close(pair[0]);
	close(pair[1]);
	return answer;
}

static void expect_refused(const char *request, const char *code, const char *text)
{
	_cleanup_json_ json_t *a = serve(request, 1);
	assert_string_equal(json_str_opt(a, "t", ""), "failed");
	assert_int_equal(json_int_opt(a, "op", -1), 5);
	if (strcmp(json_str_opt(a, "code", ""), code) != 0 ||
		!strstr(json_str_opt(a, "message", ""), text))
		fail_msg("%s: %s \"%s\"", request, json_str_opt(a, "code", ""),
			json_str_opt(a, "message", ""));
}

#define REQUEST(t, rest) "{\"op\":5,\"uuid\":\"" UUID "\",\"t\":\"" t "\"" rest "}"

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	expect_refused(REQUEST("dance", ""), "Invalid", "dance");
	expect_refused("{\"op\":5,\"t\":\"clear\"}", "Invalid", "uuid");
	expect_refused("{\"op\":5,\"t\":\"clear\",\"uuid\":\"x\"}", "Invalid", "not a pod UUID");
	expect_refused(REQUEST("destroy", ""), "Invalid", "store");
	expect_refused(REQUEST("destroy", ",\"store\":\"s\""), "Invalid", "generation");
	expect_refused(REQUEST("destroy", ",\"store\":\"s\",\"generation\":1"), "Invalid", "domid");
	expect_refused(
		REQUEST("create", ",\"store\":\"s\",\"generation\":1"), "Invalid", "3 descriptors");
	expect_refused(REQUEST("exports", ",\"dir\":\"/run/x\",\"trees\":[{}]"), "Invalid",
		"1 trees, but 0 descriptors");
}

static void refuses_paths_that_lead_astray(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"", "/", "run/x", "/run/../etc", "/run/..", "/run//x", "/run/x/"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		char request[256];
		snprintf(request, sizeof request, REQUEST("clear", ",\"dir\":\"%s\""), paths[i]);
		expect_refused(request, "Invalid", "dir");
		snprintf(request, sizeof request, REQUEST("clear", ",\"lock\":\"%s\""), paths[i]);
		expect_refused(request, "Invalid", "lock");
	}
}

static void removes_xens_logs_only(void **state)
{
	(void)state;
	static const char *const paths[] = {"/etc/passwd", "/var/log/xen", "/var/log/xen/",
		"/var/log/xen/..", "/var/log/xen/../x", "/var/log/xenx", "var/log/xen/x"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		char request[256];
		snprintf(request, sizeof request, REQUEST("release", ",\"logs\":[\"%s\"]"),
			paths[i]);
		expect_refused(request, "Invalid", "log file");
	}
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void doing_nothing_is_done(void **state)
{
	(void)state;
	char request[256];
	snprintf(request, sizeof request, REQUEST("clear", ",\"dir\":\"%s/pod\",\"cgroup\":null"),
		dir);
	_cleanup_json_ json_t *clear = serve(request, 0);
	assert_string_equal(json_str_opt(clear, "t", ""), "done");
	assert_int_equal(json_int_opt(clear, "lazy", -1), 0);
	assert_int_equal(access(lock_path, F_OK), 0);
	_cleanup_json_ json_t *release = serve(REQUEST("release", ",\"logs\":[]"), 0);
	assert_string_equal(json_str_opt(release, "t", ""), "done");
	assert_int_equal(access(lock_path, F_OK), -1);
}

/* A waiter must not be content with the lock of a file that is no more. */
static void lock_survives_unlink(void **state)
{
	(void)state;
	struct err err = {0};
	struct stat mine;
	struct stat there;
	int mine_fd = lock_take(lock_path, &err);
	assert_true(mine_fd >= 0);
	assert_int_equal(fcntl(mine_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0) {
		usleep(200 * 1000);
		unlink(lock_path);
		_exit(0); /* mine_fd is the parent's as well: still locked */
	}
	int release_fd = mine_fd;
	pid_t waiter = fork();
	if (waiter == 0) {
		close(release_fd);
		int fd = lock_take(lock_path, &err);
		int good = fd >= 0 && fstat(fd, &mine) == 0 && stat(lock_path, &there) == 0 &&
			   mine.st_ino == there.st_ino;
		_exit(good ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(mine_fd);
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_int_equal(status, 0);
}

static void mount_points_are_unescaped(void **state)
{
	(void)state;
	char text[] = "22 27 0:21 / /proc rw - proc proc rw\n"
		      "36 35 98:0 /mnt1 /a\\040b\\134c rw,noatime master:1 - ext3 /dev/root rw\n"
		      "broken\n"
		      "37 35 98:0 / /end\\04 rw - x x rw";
	static const struct {
		uint64_t id;
		const char *point;
	} want[] = {{22, "/proc"}, {36, "/a b\\c"}, {37, "/end\\04"}};
	char *rest = text;
	struct mountinfo m;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(mountinfo_next(&rest, &m), 1);
		assert_int_equal(m.id, want[i].id);
		assert_string_equal(m.point, want[i].point);
	}
	assert_int_equal(mountinfo_next(&rest, &m), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(refuses_what_it_does_not_know),
	cmocka_unit_test(refuses_paths_that_lead_astray),
	cmocka_unit_test(removes_xens_logs_only),
	cmocka_unit_test(doing_nothing_is_done),
	cmocka_unit_test(lock_survives_unlink),
	cmocka_unit_test(mount_points_are_unescaped),
};

UNIT_MAIN(tests, setup, teardown)
