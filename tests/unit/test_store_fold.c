/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: daemon store fsm base */
/* LIBS: ev sqlite3 systemd pthread jansson */
/* WITH: storekit.c faultvfs.c */
/* VALGRIND: deep, hundreds of commits */
/*
 * The log is folded into the file beside the commits that write it: it begins anew, a reader keeps
 * what it sees, a bad disk loses nothing, and the commits never have to do it themselves.
 */
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/storecare.h"
#include "faultvfs.h"
#include "storekit.h"

static struct kit kit;
static struct err err;
static struct store *s;
static char uuid[UUID_TEXT_SIZE];
static int64_t seq;

static int setup(void **state)
{
	(void)state;
	kit_init(&kit);
	kit_uuid(0, uuid);
	seq = 0;
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
	assert_ok(kit_turn(s, uuid, seq, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	faultvfs_disarm();
	store_close(s);
	s = NULL;
	err_done(&err);
	kit_done(&kit);
	return 0;
}

static void commit(void)
{
	assert_ok(kit_turn(s, uuid, ++seq, &err), &err);
}

static void commit_until(int pages)
{
	while (store_log_pages(s) < pages)
		commit();
}

static void assert_nothing_lost(void)
{
	assert_int_equal(kit_seq(s, uuid), seq);
	assert_int_equal(kit_history(s, uuid), seq + 1);
}

static void test_the_log_begins_anew(void **state)
{
	(void)state;
	commit_until(100);
	assert_ok(store_fold(s, &err), &err);
	assert_true(store_log_pages(s) >= 100);
	commit();
	assert_in_range(store_log_pages(s), 1, 20);
	assert_nothing_lost();
}

/* Who reads an older state keeps it; what it needs of the log stays there. */
static void test_beside_a_reader(void **state)
{
	(void)state;
	sqlite3 *db = NULL;
	sqlite3_stmt *read = NULL;
	assert_int_equal(sqlite3_open_v2(kit.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT count(*) FROM history", -1, &read, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(read), SQLITE_ROW);
	int64_t saw = sqlite3_column_int64(read, 0);
	sqlite3_reset(read);
	commit_until(100);
	assert_ok(store_fold(s, &err), &err);
	commit();
	assert_true(store_log_pages(s) > 100);
	assert_int_equal(sqlite3_step(read), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int64(read, 0), saw);
	sqlite3_finalize(read);
	sqlite3_close(db);
	assert_ok(store_fold(s, &err), &err);
	commit();
	assert_in_range(store_log_pages(s), 1, 20);
	assert_nothing_lost();
}

static void test_a_bad_disk_at_each_call(void **state)
{
	(void)state;
	static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC};
	int failed = 0;
	for (size_t c = 0; c < ARRAY_SIZE(codes); c++) {
		for (int n = 0;; n++) {
			commit_until(30);
			faultvfs_arm(n, 1, codes[c]);
			int r = store_fold(s, &err);
			bool met = faultvfs_failed() > 0;
			faultvfs_disarm();
			assert_true(met || r == 0);
			failed += met;
			err_done(&err);
			assert_false(store_damaged(s));
			assert_nothing_lost();
			commit();
			if (!met)
				break;
		}
	}
	assert_true(failed > 6);
	store_close(s);
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
	assert_nothing_lost();
}

/* As the engine calls it: the commits never meet the length at which they would fold. */
static void test_commits_never_fold(void **state)
{
	(void)state;
	struct storecare_fold f = {0};
	int most = 0;
	int folds = 0;
	for (int i = 0; i < 1500; i++) {
		int before = store_log_pages(s);
		commit();
		storecare_fold(&f, s, NULL);
		folds += store_log_pages(s) < before;
		most = before > most ? before : most;
	}
	assert_true(folds >= 4);
	assert_in_range(most, STORE_LOG_MAX_PAGES / 2, STORE_LOG_MAX_PAGES - 1);
	assert_nothing_lost();
}

/* With a disk that takes no more it is tried seldom, and again when there is room. */
static void test_failing_folds_are_seldom(void **state)
{
	(void)state;
	struct storecare_fold f = {0};
	commit_until(STORE_LOG_MAX_PAGES / 2);
	faultvfs_arm(0, 1000, SQLITE_FULL);
	storecare_fold(&f, s, NULL);
	int failed = faultvfs_failed();
	assert_true(failed > 0);
	storecare_fold(&f, s, NULL);
	assert_int_equal(faultvfs_failed(), failed);
	faultvfs_disarm();
	commit_until(STORE_LOG_MAX_PAGES);
	storecare_fold(&f, s, NULL);
	commit();
	assert_true(store_log_pages(s) < STORE_LOG_MAX_PAGES / 2);
	assert_nothing_lost();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int install(void **state)
{
	(void)state;
	faultvfs_install();
	return 0;
}

static const struct CMUnitTest tests[] = {
	T(test_the_log_begins_anew),
	T(test_beside_a_reader),
	T(test_a_bad_disk_at_each_call),
	T(test_commits_never_fold),
	T(test_failing_folds_are_seldom),
};
UNIT_MAIN(tests, install, NULL)
