/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in apps' roots: order, kinds, flags, and links that would lead out. */
/* LINK: guest proto base */
/* WITH: mountkit.c */
/* VALGRIND: no, 3.19 does not know openat2(2), open_tree(2), mount_setattr(2) */
#include "unit.h"

#include "mountkit.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"

static void nested_ones_are_mounted_from_the_outside_in(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/a/name", "a");
	kit_file("trees/b/name", "b");
	kit_mount("/data/in/deep", "b", "", false);
	kit_mount("/x/..//./data/", "a", "", false);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/data/name", "a");
	in_has(root, "/data/in/deep/name", "b");
	/* The place for it was made in the volume, and nothing in the other one. */
	assert_true(S_ISDIR(kit_mode("trees/a/in/deep")));
	assert_int_equal(kit_mode("trees/a/in/deep/name"), 0);
	assert_int_equal(kit_mode("trees/root/x"), 0);
	assert_int_equal(kit_mode("trees/root/data"), S_IFDIR | 0755);
}

static void equal_depth_keeps_the_specs_order(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/a/name", "a");
	kit_file("trees/b/name", "b");
	kit_mount("/one", "a", "", false);
	kit_mount("/two", "b", "", false);
	kit_mount("/one", "b", "", false);
	kit_mount("/two", "a", "", false);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/one/name", "b");
	in_has(root, "/two/name", "a");
}

static void an_export_is_mounted_once_for_all_apps(void **state)
{
	(void)state;
	struct err err = {0};
	kit_dir("trees/root2");
	kit_dir("trees/a/sub");
	kit_mount("/data", "a", "", false);
	kit_mount("/again", "a", "sub", false);
	_cleanup_fd_ int one = kit_make(&err);
	assert_call(one < 0, &err, 0);
	kit_app("two", "root2");
	kit_mount("/mnt", "a", "", true);
	_cleanup_fd_ int two = kit_make(&err);
	assert_call(two < 0, &err, 0);
	assert_int_equal(kit.mounted, 3);
	assert_int_equal(in_write(one, "/again/shared"), 0);
	in_has(two, "/mnt/sub/shared", "");
	/* Read-only is the mount, not the export. */
	assert_int_equal(in_write(two, "/mnt/sub/shared"), EROFS);
	assert_int_equal(in_write(one, "/data/sub/shared"), 0);
}

static void flags(void **state)
{
	(void)state;
	struct err err = {0};
	kit_mount("/rw", "a", "", false);
	kit_mount("/ro", "b", "", true);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	assert_int_equal(
		in_flags(root, "/rw") & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_NOSUID | ST_NODEV);
	assert_int_equal(in_flags(root, "/ro") & (ST_RDONLY | ST_NOSUID | ST_NODEV),
		ST_RDONLY | ST_NOSUID | ST_NODEV);
	assert_int_equal(in_flags(root, "/") & (ST_RDONLY | ST_NOSUID | ST_NODEV), 0);
	assert_int_equal(in_write(root, "/ro/new"), EROFS);
	assert_int_equal(in_write(root, "/rw/new"), 0);
	assert_int_equal(kit_mode("trees/a/new"), S_IFREG | 0644);
}

static void files_are_mounted_on_files(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/a/conf", "new");
	kit_file("trees/a/dir/conf", "deep");
	kit_file("trees/root/etc/there.conf", "old");
	kit_mount("/etc/there.conf", "a", "conf", false);
	kit_mount("/etc/made/x.conf", "a", "dir/conf", true);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/etc/there.conf", "new");
	in_has(root, "/etc/made/x.conf", "deep");
	assert_int_equal(in_write(root, "/etc/there.conf"), 0);
	assert_int_equal(in_write(root, "/etc/made/x.conf"), EROFS);
	kit_has("trees/root/etc/there.conf", "old");
	kit_has("trees/root/etc/made/x.conf", "");
}

static void kinds_must_be_the_same(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/a/conf", "new");
	kit_file("trees/root/etc/file", "old");
	kit_mount("/etc", "a", "conf", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_INVALID,
		"app one: mount volume a on /etc: /etc is a directory, not a file");
	kit_app("two", "root");
	kit_mount("/etc/file", "a", "", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_INVALID, "/etc/file is not a directory");
	kit_app("three", "root");
	kit_mount("/etc/file/below", "a", "", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_SYSTEM, "Not a directory");
}

static void what_cannot_be_mounted_is_named(void **state)
{
	(void)state;
	struct err err = {0};
	kit_mount("/data", "gone", "", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_NOTFOUND,
		"app one: mount volume gone on /data: mount the export \"gone\"");
	kit_app("two", "root");
	kit_mount("/data", "a", "no/such", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_NOTFOUND, "open \"no/such\" of the volume");
	kit_app("three", "root");
	kit_mount("/data/..", "a", "", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_INVALID, "a volume cannot take the place of the root");
	/* A read-only volume is not given a place for another one. */
	kit_app("four", "root");
	kit_mount("/ro", "a", "", true);
	kit_mount("/ro/in", "b", "", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_SYSTEM, "mount volume b on /ro/in");
	assert_int_equal(kit_mode("trees/a/in"), 0);
}

/* ---- links ------------------------------------------------------------------------------------- */

static void links_of_the_image_stay_inside(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/a/name", "a");
	kit_link("/../../../outside", "trees/root/abs");
	kit_link("../../../../../outside", "trees/root/up");
	kit_link("/real/deep", "trees/root/dangling");
	kit_link("../target", "trees/root/etc/rel");
	kit_mount("/abs/v", "a", "", false);
	kit_mount("/up/w", "a", "", false);
	kit_mount("/dangling/x", "a", "", false);
	kit_mount("/etc/rel", "a", "name", false);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/outside/v/name", "a");
	in_has(root, "/outside/w/name", "a");
	in_has(root, "/real/deep/x/name", "a");
	in_has(root, "/target", "a");
	assert_int_equal(kit_mode("outside/v"), 0);
	assert_int_equal(kit_mode("outside/w"), 0);
	assert_true(S_ISDIR(kit_mode("trees/root/outside/v")));
	assert_true(S_ISLNK(kit_mode("trees/root/dangling")));
}

static void links_in_a_circle_end(void **state)
{
	(void)state;
	struct err err = {0};
	kit_link("/loop", "trees/root/loop");
	kit_mount("/loop/x", "a", "", false);
	assert_int_equal(kit_make(&err), -1);
	assert_err(&err, ERR_SYSTEM, "mount volume a on /loop/x");
	/* Each link makes the way longer. */
	kit_app("two", "root");
	kit_link("grow/x", "trees/root/grow");
	kit_mount("/grow", "a", "", false);
	assert_int_equal(kit_make(&err), -1);
	err_done(&err);
}

static void links_of_a_volume_stay_in_the_apps_root(void **state)
{
	(void)state;
	struct err err = {0};
	kit_file("trees/b/name", "b");
	kit_link("/", "trees/a/abs");
	kit_link("../../../../../..", "trees/a/up");
	kit_link("/../../outside", "trees/a/out");
	kit_mount("/data", "a", "", false);
	kit_mount("/data/abs/v", "b", "", false);
	kit_mount("/data/up/w", "b", "", false);
	kit_mount("/data/out/x", "b", "", false);
	_cleanup_fd_ int root = kit_make(&err);
	assert_call(root < 0, &err, 0);
	in_has(root, "/v/name", "b");
	in_has(root, "/w/name", "b");
	in_has(root, "/outside/x/name", "b");
	assert_int_equal(kit_mode("v"), 0);
	assert_int_equal(kit_mode("outside/x"), 0);
}

static void no_link_is_followed_to_a_part_of_a_volume(void **state)
{
	(void)state;
	static const char *const subs[] = {"abs", "up/outside", "own", "own/x", "dir/..", ".."};
	kit_dir("trees/a/dir/x");
	kit_link("/etc", "trees/a/abs");
	kit_link("../..", "trees/a/up");
	kit_link("dir", "trees/a/own");
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++) {
		struct err err = {0};
		static const char *const names[] = {"n0", "n1", "n2", "n3", "n4", "n5"};
		kit_app(names[i], "root");
		kit_mount("/data", "a", subs[i], false);
		_cleanup_fd_ int root = kit_make(&err);
		/* "dir/.." is inside; the spec refuses it already. */
		assert_int_equal(root >= 0, strcmp(subs[i], "dir/..") == 0);
		err_done(&err);
	}
}

#define kit_test(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(nested_ones_are_mounted_from_the_outside_in),
		kit_test(equal_depth_keeps_the_specs_order),
		kit_test(an_export_is_mounted_once_for_all_apps),
		kit_test(flags),
		kit_test(files_are_mounted_on_files),
		kit_test(kinds_must_be_the_same),
		kit_test(what_cannot_be_mounted_is_named),
		kit_test(links_of_the_image_stay_inside),
		kit_test(links_in_a_circle_end),
		kit_test(links_of_a_volume_stay_in_the_apps_root),
		kit_test(no_link_is_followed_to_a_part_of_a_volume),
	};
	return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
