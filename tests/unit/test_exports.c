/* SPDX-License-Identifier: Apache-2.0 */
/* xenpod-act's exports in a mount namespace of the test's own. */
/* LINK: act proto base */
/* VALGRIND: no, valgrind does not know mount_setattr(2) */
#include "unit.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "act/exports.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "mountns.h"

static char *pod; /* the exports' directory */

static int setup(void **state)
{
	if (mountns_setup(state) < 0)
		return -1;
	pod = xasprintf("%s/pods/1", mountns_dir);
	mountns_mkdir("src");
	mountns_write("src/file", "hello");
	mountns_mkdir("src/sub");
	mountns_tmpfs("src/sub");
	mountns_write("src/sub/inner", "inner");
	mountns_write("src/suid", "");
	return chmod("src/suid", 04755);
}

static int teardown(void **state)
{
	free(pod);
	return mountns_teardown(state);
}

static int clone_of(const char *path)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int remove_all(struct err *err)
{
	int lazy = 0;
	int r = exports_remove(pod, &lazy, err);
	assert_int_equal(lazy, 0);
	return r;
}

static int creates(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int opens_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static unsigned long flags_of(const char *path)
{
	struct statvfs v;
	assert_int_equal(statvfs(path, &v), 0);
	return v.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV);
}

static void directories_are_one_file_system_without_privileges(void **state)
{
	(void)state;
	struct err err = {0};
	struct tree t[] = {{.fd = clone_of("src")}, {.fd = clone_of("src"), .read_only = true}};
	assert_ok(exports_attach(pod, t, 2, &err), &err);
	assert_ok(exports_check(pod, t, 2, &err), &err);
	mountns_reads(AT_FDCWD, "pods/1/tree/0/file", "hello");
	assert_int_equal(access("pods/1/tree/0/sub", F_OK), 0);
	assert_int_equal(access("pods/1/tree/0/sub/inner", F_OK), -1);
	assert_int_equal(flags_of("pods/1/tree/0"), ST_NOSUID | ST_NODEV);
	assert_int_equal(flags_of("pods/1/tree/1"), ST_NOSUID | ST_NODEV | ST_RDONLY);
	assert_int_equal(creates("pods/1/tree/0/new"), 0);
	assert_int_equal(creates("pods/1/tree/1/other"), EROFS);
	assert_int_equal(opens_for_writing("pods/1/tree/1/file"), EROFS);
	close(t[0].fd);
	close(t[1].fd);
	assert_ok(remove_all(&err), &err);
	assert_int_equal(access(pod, F_OK), -1);
	mountns_reads(AT_FDCWD, "src/sub/inner", "inner");
}

static void a_file_is_alone_in_its_export(void **state)
{
	(void)state;
	struct err err = {0};
	struct tree t[] = {{.fd = clone_of("src/file"), .file = "as my.conf"},
		{.fd = clone_of("src/file"), .file = "f", .read_only = true}};
	assert_ok(exports_attach(pod, t, 2, &err), &err);
	assert_ok(exports_check(pod, t, 2, &err), &err);
	mountns_reads(AT_FDCWD, "pods/1/tree/0/as my.conf", "hello");
	mountns_reads(AT_FDCWD, "pods/1/tree/1/f", "hello");
	assert_int_equal(creates("pods/1/tree/0/new"), EROFS);
	assert_int_equal(mkdir("pods/1/tree/0/dir", 0755), -1);
	assert_int_equal(unlink("pods/1/tree/0/as my.conf"), -1);
	assert_int_equal(opens_for_writing("pods/1/tree/0/as my.conf"), 0);
	assert_int_equal(opens_for_writing("pods/1/tree/1/f"), EROFS);
	assert_int_equal(flags_of("pods/1/tree/0/as my.conf"), ST_NOSUID | ST_NODEV);
	assert_int_equal(flags_of("pods/1/tree/0"), ST_NOSUID | ST_NODEV | ST_RDONLY);
	close(t[0].fd);
	close(t[1].fd);
	assert_ok(remove_all(&err), &err);
	assert_int_equal(access(pod, F_OK), -1);
}

/* The descriptor is the mount: were it unmounted, it could not be attached again. */
static void an_attach_sent_again_changes_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	struct statx before;
	struct statx after;
	struct tree t[] = {{.fd = clone_of("src/file"), .file = "f"}, {.fd = clone_of("src")}};
	assert_ok(exports_attach(pod, t, 2, &err), &err);
	assert_int_equal(statx(AT_FDCWD, "pods/1/tree/0", 0, STATX_MNT_ID, &before), 0);
	assert_ok(exports_attach(pod, t, 2, &err), &err);
	assert_int_equal(statx(AT_FDCWD, "pods/1/tree/0", 0, STATX_MNT_ID, &after), 0);
	assert_int_equal(before.stx_mnt_id, after.stx_mnt_id);
	mountns_reads(AT_FDCWD, "pods/1/tree/0/f", "hello");
	close(t[0].fd);
	close(t[1].fd);
	assert_ok(remove_all(&err), &err);
}

/* An attach that was killed half-way: the holder without the file, or not read-only yet. */
static void half_an_attach_is_completed(void **state)
{
	(void)state;
	struct err err = {0};
	struct tree t[] = {{.fd = clone_of("src/file"), .file = "f"}};
	mountns_mkdir("pods/1");
	mountns_mkdir("pods/1/tree");
	mountns_mkdir("pods/1/tree/0");
	mountns_tmpfs("pods/1/tree/0");
	assert_int_equal(creates("pods/1/tree/0/f"), 0);
	assert_fails(exports_check(pod, t, 1, &err), &err, ERR_NOTFOUND, "tree/0/f");
	assert_ok(exports_attach(pod, t, 1, &err), &err);
	mountns_reads(AT_FDCWD, "pods/1/tree/0/f", "hello");
	assert_int_equal(
		mount(NULL, "pods/1/tree/0", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL), 0);
	assert_int_equal(creates("pods/1/tree/0/full"), ENOSPC);
	assert_ok(exports_attach(pod, t, 1, &err), &err);
	assert_int_equal(creates("pods/1/tree/0/other"), EROFS);
	close(t[0].fd);
	assert_ok(remove_all(&err), &err);
}

static void what_is_no_such_thing_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	static const char *const names[] = {"", ".", "..", "a/b", "/"};
	struct tree t = {.fd = clone_of("src/file")};
	assert_fails(exports_attach(pod, &t, 1, &err), &err, ERR_UNSUPPORTED,
		"tree 0: it is not a directory");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		t.file = names[i];
		assert_fails(exports_attach(pod, &t, 1, &err), &err, ERR_INVALID, "name of a file");
	}
	close(t.fd);
	t = (struct tree){.fd = clone_of("src"), .file = "f"};
	assert_fails(exports_attach(pod, &t, 1, &err), &err, ERR_UNSUPPORTED, "it is not a file");
	close(t.fd);
	assert_fails(exports_check(pod, &t, 1, &err), &err, ERR_NOTFOUND, "tree 0");
	assert_ok(remove_all(&err), &err);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(directories_are_one_file_system_without_privileges),
	cmocka_unit_test(a_file_is_alone_in_its_export),
	cmocka_unit_test(an_attach_sent_again_changes_nothing),
	cmocka_unit_test(half_an_attach_is_completed),
	cmocka_unit_test(what_is_no_such_thing_is_refused),
};

UNIT_MAIN(tests, setup, teardown)
