/* SPDX-License-Identifier: Apache-2.0 */
/* What else an app's root has: read-only roots, the spec's files, protected paths, contract 3.5. */
/* LINK: guest proto base */
/* WITH: mountkit.c */
/* VALGRIND: no, 3.19 does not know openat2(2), open_tree(2), mount_setattr(2) */
#include "unit.h"

#include "mountkit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "guest/rootfs.h"

/* ---- contract 3.5 ------------------------------------------------------------------------------ */

static void an_empty_image_is_given_what_apps_expect(void **state)
{
	(void)state;
	struct err err = {0};
	struct stat st;
	char host[256];
	_cleanup_free_ char *name = NULL;
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(in_mode(root, "/tmp"), S_IFDIR | 01777);
	assert_int_equal(in_mode(root, "/run/systemd/journal"), S_IFDIR | 0755);
	assert_int_equal(in_mode(root, "/etc"), S_IFDIR | 0755);
	assert_true(S_ISREG(in_mode(root, "/proc/version")));
	assert_true(S_ISDIR(in_mode(root, "/sys/class")));
	assert_true(S_ISLNK(in_mode(root, "/dev/ptmx")));
	assert_true(S_ISCHR(in_mode(root, "/dev/pts/ptmx")));
	assert_int_equal(in_mode(root, "/dev/shm"), S_IFDIR | 01777);
	assert_int_equal(in_mode(root, "/dev/console"), S_IFCHR | 0600);
	assert_int_equal(rootfs_stat(root, "/dev/net/tun", 0, &st), 0);
	assert_int_equal(st.st_rdev, makedev(10, 200));
	assert_int_equal(in_mode(root, "/dev/xen"), 0);
	assert_int_equal(in_mode(root, "/dev/log"), 0);
	/* The host's own name here, the pod's in a domain. */
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_ok(rootfs_read(root, "/etc/hostname", sizeof(host), &name, &err), &err);
	assert_int_equal(strncmp(name, host, strlen(host)), 0);
	kit_has("trees/root/etc/hostname", "");
}

static void files_of_the_image_are_not_touched(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/root/etc/hostname", "image");
	kit_file("trees/root/dev/null", "odd");
	kit_file("trees/root/proc/own", "x");
	kit_file("trees/root/sys", "not even a directory");
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(in_mode(root, "/proc/own"), 0);
	assert_true(S_ISCHR(in_mode(root, "/dev/null")));
	kit_has("trees/root/etc/hostname", "image");
	kit_has("trees/root/dev/null", "odd");
	kit_has("trees/root/sys", "not even a directory");
}

static void a_volume_on_etc_has_its_own_hostname(void **state)
{
	(void)state;
	struct err err = {0};
	kit_mount("/etc", "a", "", false);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(in_mode(root, "/etc/hostname"), 0);
	assert_int_equal(kit_mode("trees/a/hostname"), 0);
}

/* ---- a read-only root -------------------------------------------------------------------------- */

static void a_read_only_root_has_its_mounts(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/root/srv/file", "image");
	assert_int_equal(fchmodat(kit.dir, "trees/root", 0711, 0), 0);
	assert_int_equal(fchownat(kit.dir, "trees/root", 7, 8, 0), 0);
	kit_mount("/srv/new/deep", "a", "", false);
	kit_mount("/ro", "b", "", true);
	kit_put("/etc/hosts", "127.0.0.1 localhost\n", false);
	kit.app.read_only = true;
	kit.app.protect = true;
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	struct stat st;
	assert_int_equal(fstat(root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(st.st_uid * 100 + st.st_gid, 708);
	in_has(root, "/srv/file", "image");
	in_has(root, "/etc/hosts", "127.0.0.1 localhost\n");
	assert_int_equal(in_mode(root, "/tmp"), S_IFDIR | 01777);
	assert_int_equal(in_write(root, "/srv/file"), EROFS);
	assert_int_equal(in_write(root, "/new"), EROFS);
	assert_int_equal(in_write(root, "/srv/new/x"), EROFS);
	assert_int_equal(in_write(root, "/etc/hosts"), EROFS);
	assert_int_equal(in_write(root, "/ro/x"), EROFS);
	assert_int_equal(in_write(root, "/srv/new/deep/x"), 0);
	assert_int_equal(in_write(root, "/dev/shm/x"), 0);
	assert_int_equal(kit_mode("shm/x"), S_IFREG | 0644);
	assert_int_equal(kit_mode("trees/a/x"), S_IFREG | 0644);
}

static void a_read_only_image_is_given_nothing(void **state)
{
	(void)state;
	static const char *const made[] = {"dev", "etc", "proc", "run", "srv/new", "sys", "tmp"};
	a_read_only_root_has_its_mounts(state);
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		char path[64];
		snprintf(path, sizeof(path), "trees/root/%s", made[i]);
		assert_int_equal(kit_mode(path), 0);
	}
	kit_has("trees/root/srv/file", "image");
}

static void setuid_programs_keep_their_bit(void **state)
{
	(void)state;
	struct err err = {0};
	kit.app.read_only = true;
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(in_flags(root, "/") & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_RDONLY);
}

/* ---- the spec's files -------------------------------------------------------------------------- */

static void files_cover_what_is_there(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/root/etc/resolv.conf", "image");
	kit_link("../run/resolve/stub.conf", "trees/root/etc/link.conf");
	kit_put("/etc/resolv.conf", "nameserver 10.0.0.1\n", false);
	kit_put("/etc/link.conf", "linked", false);
	kit_put("/opt/x/y", "", false);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/etc/resolv.conf", "nameserver 10.0.0.1\n");
	in_has(root, "/run/resolve/stub.conf", "linked");
	in_has(root, "/opt/x/y", "");
	assert_int_equal(in_mode(root, "/etc/resolv.conf"), S_IFREG | 0644);
	assert_int_equal(in_write(root, "/etc/resolv.conf"), 0);
	kit_has("trees/root/etc/resolv.conf", "image");
	kit_has("trees/root/run/resolve/stub.conf", "");
}

static void if_absent_asks_image_and_volumes(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/root/etc/there", "image");
	kit_file("trees/a/there", "volume");
	kit_link("/nothing", "trees/root/etc/dangling");
	kit_mount("/data", "a", "", false);
	kit_put("/etc/there", "ours", true);
	kit_put("/etc/absent", "ours", true);
	kit_put("/etc/dangling", "ours", true);
	kit_put("/data/there", "ours", true);
	kit_put("/data/absent", "ours", true);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/etc/there", "image");
	in_has(root, "/etc/absent", "ours");
	in_has(root, "/nothing", "ours");
	in_has(root, "/data/there", "volume");
	in_has(root, "/data/absent", "ours");
	kit_has("trees/a/absent", "");
}

/* Only "no such file" is absence: what cannot be looked at is the image's own affair. */
static void if_absent_leaves_what_cannot_be_followed(void **state)
{
	(void)state;
	struct err err = {0};
	kit_link("loop", "trees/root/etc/loop");
	kit_link("/etc/loop/x", "trees/root/etc/hosts");
	kit_file("trees/root/srv/file", "image");
	kit_dir("trees/root/srv/dir");
	kit_put("/etc/loop", "ours", true);
	kit_put("/etc/hosts", "ours", true);
	kit_put("/srv/file/below", "ours", true);
	kit_put("/srv/dir", "ours", true);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_true(S_ISLNK(in_mode(root, "/etc/loop")));
	assert_true(S_ISLNK(in_mode(root, "/etc/hosts")));
	in_has(root, "/srv/file", "image");
	assert_true(S_ISDIR(in_mode(root, "/srv/dir")));
}

static void a_file_that_cannot_be_put_is_named(void **state)
{
	(void)state;
	struct err err = {0};
	kit_dir("trees/root/etc/hosts");
	kit_put("/etc/hosts", "x", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_INVALID,
		"app one: put a file on /etc/hosts: /etc/hosts is a directory, not a file");
	kit_app("two", "root");
	kit_mount("/data", "a", "", true);
	kit_put("/data/x", "x", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_SYSTEM, "Read-only file system");
}

/* ---- protected paths --------------------------------------------------------------------------- */

static int entries(int root, const char *path)
{
	int fd = inroot_open(root, path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	DIR *d = fdopendir(fd);
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void protected_paths(void **state)
{
	(void)state;
	struct err err = {0};
	char c;
	kit.app.protect = true;
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(in_write(root, "/proc/sys/vm/panic_on_oom"), EROFS);
	assert_int_equal(in_write(root, "/proc/sys/kernel/core_pattern"), EROFS);
	assert_true(in_flags(root, "/sys/devices") & ST_RDONLY);
	assert_true(in_flags(root, "/sys/kernel") & ST_RDONLY);
	assert_true(entries(root, "/sys/class") > 0);
	assert_int_equal(entries(root, "/sys/fs"), 0);
	assert_int_equal(entries(root, "/sys/module"), 0);
	assert_int_equal(in_mode(root, "/sys/module"), S_IFDIR);
	assert_int_equal(in_write(root, "/sys/module/x"), EROFS);
	_cleanup_fd_ int kallsyms = inroot_open(root, "/proc/kallsyms", O_RDONLY);
	assert_true(kallsyms >= 0);
	assert_int_equal(read(kallsyms, &c, 1), 0);
	assert_int_equal(in_write(root, "/proc/kallsyms"), EROFS);
	/* What is not protected is as it was. */
	assert_int_equal(in_write(root, "/proc/self/comm"), 0);
	assert_int_equal(in_write(root, "/proc/sys/kernel/hostname"), 0);
}

static void unprotected_paths(void **state)
{
	(void)state;
	struct err err = {0};
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(in_write(root, "/proc/sys/kernel/core_pattern"), 0);
	assert_false(in_flags(root, "/sys/devices") & ST_RDONLY);
	assert_true(entries(root, "/sys/module") > 0);
}

/* The second app is protected by what was made for the first. */
static void protection_is_every_apps_own(void **state)
{
	(void)state;
	struct err err = {0};
	kit_dir("trees/root2");
	kit.app.protect = true;
	_cleanup_fd_ int one = kit_make(&err);
	assert_call(one < 0, &err, 0);
	kit_app("two", "root2");
	kit.app.protect = true;
	_cleanup_fd_ int two = kit_make(&err);
	assert_call(two < 0, &err, 0);
	assert_int_equal(entries(one, "/sys/module"), 0);
	assert_int_equal(entries(two, "/sys/module"), 0);
}

#define kit_test(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(an_empty_image_is_given_what_apps_expect),
		kit_test(files_of_the_image_are_not_touched),
		kit_test(a_volume_on_etc_has_its_own_hostname),
		kit_test(a_read_only_root_has_its_mounts),
		kit_test(a_read_only_image_is_given_nothing),
		kit_test(setuid_programs_keep_their_bit),
		kit_test(files_cover_what_is_there),
		kit_test(if_absent_asks_image_and_volumes),
		kit_test(if_absent_leaves_what_cannot_be_followed),
		kit_test(a_file_that_cannot_be_put_is_named),
		kit_test(protected_paths),
		kit_test(unprotected_paths),
		kit_test(protection_is_every_apps_own),
	};
	return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
