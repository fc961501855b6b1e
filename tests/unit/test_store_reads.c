/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c faultvfs.c */
/* VALGRIND: deep, an opening is repeated for each of its calls */
/*
 * Faults while reading: one clear error, nothing is changed, and nothing is taken for damage that is
 * none. Bytes that are not what was written: nothing is written any more.
 */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "lostkit.h"

#define MANY_CALLS 400

/* At every read of an opening: refused, and the same store opens when the disk is well again. */
static void fail_each_read(enum fault_kind kind, int code, enum err_code want)
{
	int failed = 1;
	for (int n = 0; n < MANY_CALLS && failed; n += unit_step(7)) {
		faultvfs_arm_kind(kind, n, 1000000, code);
		int r = store_open(kit.path, STORE_RW_CREATE, &s, &err);
		failed = faultvfs_failed();
		faultvfs_disarm();
		if (r < 0)
			assert_int_equal(err.code, want);
		err_done(&err);
		close_store();
		assert_int_equal(kept(), 0);
		open_store();
		assert_null(store_loss(s)->why);
		assert_string_equal(store_id(s), id);
		assert_int_equal(pods(), PODS);
		close_store();
	}
	assert_int_equal(failed, 0);
}

static void test_an_io_error_at_every_read_of_an_opening(void **state)
{
	(void)state;
	fail_each_read(FAULT_READ, SQLITE_IOERR_READ, ERR_SYSTEM);
}

static void test_no_file_can_be_opened(void **state)
{
	(void)state;
	fail_each_read(FAULT_OPEN, SQLITE_CANTOPEN, ERR_SYSTEM);
}

/* ---- while it runs ---------------------------------------------------------------------------- */

/* Somebody else's write: what SQLite has in memory is out of date, and is read anew. */
static void drop_cache(void)
{
	kit_sql(&kit, "INSERT OR REPLACE INTO meta VALUES ('drop', 'cache')");
}

/* Every way of reading: an error of that kind, or all of the answer. */
static void fail_each_way(enum fault_kind kind, int code, enum err_code want)
{
	for (int n = 0; n < 30; n++) {
		open_store();
		int count = 0;
		int64_t oldest = 0;
		int64_t newest = 0;
		bool known = false;
		drop_cache();
		faultvfs_arm_kind(kind, n % 3, 1000000, code);
		int r = n < 10   ? store_pods(s, count_pod, &count, &err)
			: n < 20 ? store_history_bounds(s, &oldest, &newest, &err)
				 : store_pod_known(s, KIT_UUID, &known, &err);
		bool failed = faultvfs_failed();
		faultvfs_disarm();
		if (r < 0)
			assert_int_equal(err.code, want);
		else
			assert_true(n >= 10 || count == PODS);
		assert_true(r == 0 || failed);
		assert_int_equal(store_damaged(s), r < 0 && want == ERR_STORE);
		err_done(&err);
		close_store();
	}
	open_store();
	assert_null(store_loss(s)->why);
	assert_int_equal(pods(), PODS);
}

static void test_io_errors_of_every_reader(void **state)
{
	(void)state;
	fail_each_way(FAULT_READ, SQLITE_IOERR_READ, ERR_SYSTEM);
}

static void test_rotten_pages_of_every_reader(void **state)
{
	(void)state;
	fail_each_way(FAULT_ROT, 1, ERR_STORE);
}

/* The disk gave other bytes once: nothing is written after that, and nothing was lost. */
static void test_after_damage_nothing_is_written(void **state)
{
	(void)state;
	int n = 0;
	open_store();
	drop_cache();
	faultvfs_arm_kind(FAULT_ROT, 0, 1000000, 1);
	assert_fails(store_pods(s, count_pod, &n, &err), &err, ERR_STORE, "store.db");
	faultvfs_disarm();
	assert_true(store_damaged(s));
	assert_fails(store_begin(s, &err), &err, ERR_STORE, "nothing is written to it any more");
	store_suspect(s);
	close_store();
	_cleanup_free_ char *suspect = beside(".suspect");
	assert_true(exists(suspect));
	open_store(); /* looks at all of it, and finds nothing */
	assert_false(exists(suspect));
	assert_false(store_damaged(s));
	assert_null(store_loss(s)->why);
	assert_int_equal(pods(), PODS);
}

static void test_damage_in_a_transaction_undoes_it(void **state)
{
	(void)state;
	int n = 0;
	open_store();
	drop_cache();
	assert_ok(store_begin(s, &err), &err);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	faultvfs_arm_kind(FAULT_ROT, 0, 1000000, 1);
	(void)store_pods(s, count_pod, &n, &err);
	faultvfs_disarm();
	err_done(&err);
	assert_true(store_damaged(s));
	assert_fails(store_commit(s, &err), &err, ERR_STORE, "damaged");
	close_store();
	open_store();
	assert_int_equal(pods(), PODS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_an_io_error_at_every_read_of_an_opening),
	T(test_no_file_can_be_opened),
	T(test_io_errors_of_every_reader),
	T(test_rotten_pages_of_every_reader),
	T(test_after_damage_nothing_is_written),
	T(test_damage_in_a_transaction_undoes_it),
};

static int install(void **state)
{
	(void)state;
	faultvfs_install();
	return 0;
}

UNIT_MAIN(tests, install, NULL)
