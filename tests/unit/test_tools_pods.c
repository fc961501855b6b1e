/* SPDX-License-Identifier: Apache-2.0 */
/* Pod directories: made, found by prefix, locked, moved; removal of trees that nothing holds back.
 */
/* LINK: tools appc proto base */
/* LIBS: archive md */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/fstree.h"
#include "tools/datadir.h"
#include "tools/pod_info.h"

#define A1 "aaaa1111-2222-4333-8444-555555555555"
#define A2 "aaaa2222-2222-4333-8444-555555555555"
#define B1 "bbbb1111-2222-4333-8444-555555555555"

static char base[] = "/tmp/xenpod-pods-XXXXXX";
static struct datadir d = {.fd = -1};

static int group_setup(void **state)
{
	(void)state;
	struct err err = {0};
	return !mkdtemp(base) || datadir_open(base, true, &d, &err) < 0;
}

static int group_teardown(void **state)
{
	(void)state;
	datadir_done(&d);
	_cleanup_fd_ int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fstree_remove_at(tmp, base + strlen("/tmp/"), NULL);
}

static int test_setup(void **state)
{
	(void)state;
	int r = fstree_remove_at(d.fd, "pods", NULL);
	datadir_done(&d);
	return r < 0 || datadir_open(base, true, &d, NULL) < 0;
}

static struct pod made(const char *uuid, enum pod_place place)
{
	struct err err = {0};
	struct pod p;
	assert_ok(pod_create(&d, uuid, &p, &err), &err);
	assert_int_equal(p.place, POD_PREPARE);
	if (place != POD_PREPARE)
		assert_ok(pod_move(&d, &p, place, &err), &err);
	return p;
}

static void test_create(void **state)
{
	(void)state;
	struct err err = {0};
	struct pod p = made(A1, POD_RUN);
	bool held;
	_cleanup_free_ char *path = pod_path(&d, &p);
	assert_string_equal(path + strlen(base), "/pods/run/" A1);
	assert_int_equal(access(path, F_OK), 0);
	assert_ok(pod_held(&p, &held, &err), &err);
	assert_true(held);
	assert_string_equal(pod_word(&p, held), "running");
	assert_ok(pod_move(&d, &p, POD_EXITED_GARBAGE, &err), &err);
	assert_int_equal(access(path, F_OK), -1);
	pod_done(&p);
}

static void test_create_refuses(void **state)
{
	(void)state;
	struct err err = {0};
	struct pod p = made(A1, POD_EXITED_GARBAGE);
	struct pod second;
	assert_fails(pod_create(&d, "../../x", &second, &err), &err, ERR_INVALID, "../../x");
	assert_fails(pod_create(&d, A1, &second, &err), &err, ERR_EXISTS, "exited-garbage");
	pod_done(&p);
}

/* The lock is the open file description's: a copy keeps it, asking does not disturb it. */
static void test_lock(void **state)
{
	(void)state;
	struct err err = {0};
	bool held;
	struct pod p = made(A1, POD_RUN);
	_cleanup_fd_ int copy = dup(p.fd);
	pod_done(&p);
	struct pod found;
	assert_ok(pod_find(&d, A1, &found, &err), &err);
	for (int i = 0; i < 3; i++) {
		assert_ok(pod_held(&found, &held, &err), &err);
		assert_true(held);
	}
	assert_fails(pod_lock(&found, &err), &err, ERR_STATE, "in use");
	fd_close(&copy);
	assert_ok(pod_held(&found, &held, &err), &err);
	assert_false(held);
	assert_string_equal(pod_word(&found, held), "exited");
	assert_ok(pod_lock(&found, &err), &err);
	assert_ok(pod_held(&found, &held, &err), &err);
	assert_true(held);
	pod_done(&found);
}

static void test_find(void **state)
{
	(void)state;
	struct err err = {0};
	struct pod a1 = made(A1, POD_RUN);
	struct pod a2 = made(A2, POD_EXITED_GARBAGE);
	struct pod b1 = made(B1, POD_PREPARE);
	static const struct {
		const char *prefix, *uuid;
		enum pod_place place;
	} good[] = {{"aaaa1", A1, POD_RUN}, {"AAAA2", A2, POD_EXITED_GARBAGE},
		{"b", B1, POD_PREPARE}, {A1, A1, POD_RUN}, {"aaaa1111-", A1, POD_RUN}};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_pod_ struct pod p = {.fd = -1};
		assert_ok(pod_find(&d, good[i].prefix, &p, &err), &err);
		assert_string_equal(p.uuid, good[i].uuid);
		assert_int_equal(p.place, good[i].place);
	}
	pod_done(&a1);
	pod_done(&a2);
	pod_done(&b1);
}

static void find_fails(const char *prefix, enum err_code code, const char *text)
{
	struct err err = {0};
	struct pod none;
	assert_fails(pod_find(&d, prefix, &none, &err), &err, code, text);
}

static void test_find_refuses(void **state)
{
	(void)state;
	struct pod a1 = made(A1, POD_RUN);
	struct pod a2 = made(A2, POD_RUN);
	find_fails("aaaa", ERR_INVALID, "matches 2 pods");
	find_fails("c", ERR_NOTFOUND, "no pod \"c\"");
	find_fails("", ERR_INVALID, "no pod UUID");
	find_fails("../run", ERR_INVALID, "no pod UUID");
	find_fails(A1 "0", ERR_INVALID, "no pod UUID");
	pod_done(&a1);
	pod_done(&a2);
}

static void test_words(void **state)
{
	(void)state;
	static const char *const words[POD_PLACE_MAX_][2] = {{"garbage", "preparing"},
		{"garbage", "preparing"}, {"prepared", "prepared"}, {"exited", "running"},
		{"garbage", "garbage"}, {"garbage", "garbage"}};
	for (int place = 0; place < POD_PLACE_MAX_; place++) {
		struct pod p = {.place = (enum pod_place)place, .fd = -1};
		assert_string_equal(pod_word(&p, false), words[place][0]);
		assert_string_equal(pod_word(&p, true), words[place][1]);
	}
}

static void write_in(const struct pod *p, const char *name, const char *text)
{
	struct err err = {0};
	assert_ok(file_write_atomic_at(p->fd, name, text, strlen(text), 0640, &err), &err);
}

static void test_info(void **state)
{
	(void)state;
	struct pod p = made(A1, POD_RUN);
	static const struct {
		const char *text;
		pid_t pid;
	} pids[] = {
		{"4711\n", 4711}, {"", 0}, {"\n", 0}, {"x", 0}, {"-1\n", 0}, {"99999999999", 0}};
	assert_int_equal(pod_pid(&p), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		write_in(&p, "pid", pids[i].text);
		assert_int_equal(pod_pid(&p), pids[i].pid);
	}
	assert_true(pod_started_at(&p) > 0);
	assert_int_equal(pod_created_at(&p), 0);
	write_in(&p, "pod-created", "");
	assert_true(pod_created_at(&p) > 0);
	write_in(&p, "net-info.json",
		"[{\"netName\":\"a\",\"ip\":\"1.2.3.4\"},{\"netName\":\"b\"}]");
	_cleanup_free_ char *nets = pod_networks(&p);
	assert_string_equal(nets, "a:ip4=1.2.3.4, b:ip4=");
	write_in(&p, "net-info.json", "null");
	_cleanup_free_ char *none = pod_networks(&p);
	assert_string_equal(none, "");
	pod_done(&p);
}

/* Deeper than any limit of descriptors or path length, with names that collide with our own. */
static void test_remove_deep(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(mkdirat(d.fd, "deep", 0700), 0);
	assert_int_equal(mkdirat(d.fd, "deep/.xenpod-deep-0", 0700), 0);
	int at = openat(d.fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(at, "sub", 0), 0);
		int next = openat(at, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	assert_int_equal(symlinkat("/", at, "root"), 0);
	close(at);
	assert_ok(fstree_remove_at(d.fd, "deep", &err), &err);
	assert_int_equal(faccessat(d.fd, "deep", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_ok(fstree_remove_at(d.fd, "deep", &err), &err);
}

/* A symlink is removed, what it points to is not. */
static void test_remove_follows_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(mkdirat(d.fd, "keep", 0700), 0);
	assert_int_equal(mkdirat(d.fd, "keep/inside", 0700), 0);
	assert_int_equal(mkdirat(d.fd, "tree", 0700), 0);
	assert_int_equal(symlinkat("../keep", d.fd, "tree/link"), 0);
	assert_int_equal(symlinkat("keep", d.fd, "link"), 0);
	assert_ok(fstree_remove_at(d.fd, "tree", &err), &err);
	assert_ok(fstree_remove_at(d.fd, "link", &err), &err);
	assert_int_equal(faccessat(d.fd, "keep/inside", F_OK, 0), 0);
	assert_ok(fstree_remove_at(d.fd, "keep", &err), &err);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_create, test_setup),
	cmocka_unit_test_setup(test_create_refuses, test_setup),
	cmocka_unit_test_setup(test_lock, test_setup),
	cmocka_unit_test_setup(test_find, test_setup),
	cmocka_unit_test_setup(test_find_refuses, test_setup),
	cmocka_unit_test_setup(test_words, test_setup),
	cmocka_unit_test_setup(test_info, test_setup),
	cmocka_unit_test_setup(test_remove_deep, test_setup),
	cmocka_unit_test_setup(test_remove_follows_nothing, test_setup),
};
UNIT_MAIN(tests, group_setup, group_teardown)
