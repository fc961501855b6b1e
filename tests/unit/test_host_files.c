/* SPDX-License-Identifier: Apache-2.0 */
/* Files, copies, directories and symlinks as things: made, taken back, and what cannot be kept for later. */
/* LINK: host base */
/* LIBS: md */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/files.h"
#include "host/plan.h"
#include "hostkit.h"

static void down(const struct plan *p)
{
	_cleanup_err_ struct err err = {0};
	size_t left;
	assert_ok(plan_down(&host, p, PLAN_DO, &left, &err), &err);
	assert_int_equal(left, 0);
}

static void files_and_what_holds_them(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	static const struct thing *const files[] = {
		&thing_dir, &thing_file, &thing_copy, &thing_symlink, NULL};
	_cleanup_free_ char *etc = xasprintf("%s/etc", dir);
	_cleanup_free_ char *old = xasprintf("%s/etc/old.conf", dir);
	_cleanup_free_ char *text = NULL;
	struct stat s;
	json_t *copy = NULL;
	assert_ok(dir_make_all(etc, 0755, &err), &err);
	assert_ok(file_write_atomic_at(AT_FDCWD, old, "was\n", 4, 0600, &err), &err);
	struct plan p = {.of = "files", .kinds = files};
	assert_ok(thing_copy_of(&host, "/etc/old.conf", 0644, &copy, &err), &err);
	plan_add(&p, &thing_dir, "/etc/new", json_make("{s:i}", "mode", 0755), "dir");
	plan_add(&p, &thing_copy, "/etc/new/copy", copy, "copy");
	plan_add(&p, &thing_file, "/etc/old.conf", thing_text("is\n", 0644), "file");
	plan_add(&p, &thing_symlink, "/etc/new/link", json_string("copy"), "link");
	for (int i = 0; i < 2; i++)
		assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	_cleanup_free_ char *link = xasprintf("%s/etc/new/link", dir);
	assert_ok(file_read_at(AT_FDCWD, link, 100, &text, NULL, &err), &err);
	assert_string_equal(text, "was\n");
	down(&p);
	free(text);
	assert_ok(file_read_at(AT_FDCWD, old, 100, &text, NULL, &err), &err);
	assert_string_equal(text, "was\n");
	assert_int_equal(stat(old, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0600);
	assert_int_equal(lstat(link, &s), -1);
	plan_done(&p);
}

/* What cannot be put back as it was is not replaced; what has changed since it was looked at is not copied. */
static void files_that_cannot_be(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	static const struct thing *const files[] = {&thing_file, &thing_copy, NULL};
	_cleanup_free_ char *odd = xasprintf("%s/odd", dir);
	_cleanup_free_ char *from = xasprintf("%s/from", dir);
	_cleanup_free_ char *to = xasprintf("%s/to", dir);
	_cleanup_free_ char *part = xasprintf("%s/.to.part", dir);
	struct plan p = {.of = "odd", .kinds = files};
	struct plan q = {.of = "copy", .kinds = files};
	json_t *copy = NULL;
	assert_ok(file_write_atomic_at(AT_FDCWD, odd, "a\0b", 3, 0644, &err), &err);
	plan_add(&p, &thing_file, "/odd", thing_text("text\n", 0644), "file");
	assert_int_equal(plan_up(&host, &p, PLAN_DO, &err), -1);
	assert_int_equal(err.code, ERR_UNSUPPORTED);
	plan_done(&p);

	err_done(&err);
	assert_ok(file_write_atomic_at(AT_FDCWD, from, "old", 3, 0644, &err), &err);
	assert_ok(thing_copy_of(&host, "/from", 0644, &copy, &err), &err);
	plan_add(&q, &thing_copy, "/to", copy, "copy");
	assert_ok(file_write_atomic_at(AT_FDCWD, from, "new", 3, 0644, &err), &err);
	assert_int_equal(plan_up(&host, &q, PLAN_DO, &err), -1);
	assert_int_equal(err.code, ERR_STATE);
	assert_non_null(strstr(err_msg(&err), "has changed since it was looked at"));
	assert_int_equal(access(to, F_OK), -1);
	assert_int_equal(access(part, F_OK), -1);
	down(&q);
	plan_done(&q);
}

/* A set() that was killed between its temporary file and the rename: nothing was changed, but that is there. */
static void what_a_kill_leaves_goes(void **st)
{
	static const struct thing *const all[] = {&thing_file, &thing_dir, &thing_symlink, NULL};
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *root = xasprintf("%s/killed", dir);
	_cleanup_free_ char *at = xasprintf("%s/killed-records", dir);
	const struct host h = {.root = root, .state = at};
	struct plan p = {.of = "test", .kinds = all};
	size_t left = 9;
	(void)st;
	assert_int_equal(mkdir(root, 0755), 0);
	plan_add(&p, &thing_dir, "/d", json_make("{s:i}", "mode", 0755), "a directory");
	plan_add(&p, &thing_file, "/d/f", thing_text("new\n", 0644), "a file");
	plan_add(&p, &thing_symlink, "/d/l", json_string("f"), "a link");
	assert_int_equal(plan_up(&h, &p, PLAN_DO, &err), 0);
	_cleanup_free_ char *file = xasprintf("%s/d/f", root);
	_cleanup_free_ char *link = xasprintf("%s/d/l", root);
	_cleanup_free_ char *part = xasprintf("%s/d/.l.part", root);
	_cleanup_free_ char *d = xasprintf("%s/d", root);
	assert_int_equal(file_reserve_at(AT_FDCWD, file, &err), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rename(link, part), 0);
	assert_int_equal(plan_down(&h, &p, PLAN_DO, &left, &err), 0);
	assert_int_equal(left, 0);
	assert_int_equal(access(d, F_OK), -1);
	plan_done(&p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(files_and_what_holds_them),
	cmocka_unit_test(files_that_cannot_be),
	cmocka_unit_test(what_a_kill_leaves_goes),
};
UNIT_MAIN(tests, setup, teardown)
