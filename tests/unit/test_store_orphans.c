/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/* Orphans whose end is decided: put, read, gone; without any pod; in a store of before, too. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "storekit.h"

static struct kit kit;
static struct store *s;
static struct err err;

static int setup(void **state)
{
	(void)state;
	kit_init(&kit);
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
	assert_ok(store_begin(s, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_rollback(s);
	store_close(s);
	err_done(&err);
	kit_done(&kit);
	return 0;
}

static char boot[] = "b1";
static char why[] = "no pod has this UUID";

static struct orphan_row orphan(int64_t generation, int64_t domid)
{
	return (struct orphan_row){.uuid = KIT_UUID,
		.generation = generation,
		.domid = domid,
		.boot_id = boot,
		.since = 77,
		.why = why};
}

static int check(void *ctx, const struct orphan_row *r)
{
	int *n = ctx;
	++*n;
	assert_string_equal(r->uuid, KIT_UUID);
	assert_string_equal(r->boot_id, boot);
	assert_string_equal(r->why, why);
	assert_int_equal(r->since, 77);
	assert_int_equal(r->domid, 10 + r->generation);
	return 0;
}

static int count(void)
{
	int n = 0;
	assert_ok(store_orphans(s, check, &n, &err), &err);
	return n;
}

static void put_read_deleted(void **state)
{
	(void)state;
	struct orphan_row a = orphan(1, 11);
	struct orphan_row b = orphan(2, 12);
	assert_int_equal(count(), 0);
	assert_ok(store_orphan_put(s, &a, &err), &err);
	assert_ok(store_orphan_put(s, &b, &err), &err);
	assert_ok(store_orphan_put(s, &a, &err), &err);
	assert_int_equal(count(), 2);
	struct orphan_row other = orphan(1, 12);
	assert_ok(store_orphan_delete(s, &other, &err), &err);
	assert_int_equal(count(), 2);
	assert_ok(store_orphan_delete(s, &a, &err), &err);
	assert_int_equal(count(), 1);
	assert_ok(store_commit(s, &err), &err);
	assert_int_equal(count(), 1);
}

static void what_can_be_no_domain_is_refused(void **state)
{
	(void)state;
	struct orphan_row dom0 = orphan(1, 0);
	struct orphan_row unmarked = orphan(-1, 9);
	assert_fails(store_orphan_put(s, &dom0, &err), &err, ERR_STORE, "domain 0");
	assert_fails(store_orphan_put(s, &unmarked, &err), &err, ERR_STORE, "domain 9");
	assert_int_equal(count(), 0);
}

static void a_pod_is_known_or_not(void **state)
{
	(void)state;
	bool known = true;
	assert_ok(store_pod_known(s, KIT_UUID, &known, &err), &err);
	assert_false(known);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(store_pod_known(s, KIT_UUID, &known, &err), &err);
	assert_true(known);
}

static void a_store_of_before_gets_the_table(void **state)
{
	(void)state;
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(store_commit(s, &err), &err);
	store_close(s);
	kit_sql(&kit, KIT_WITHOUT_RESTARTS "DROP TABLE orphans; PRAGMA user_version=3");
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
	assert_true(store_schema_version(s) >= 4);
	assert_int_equal(kit_seq(s, KIT_UUID), 0);
	assert_int_equal(count(), 0);
	assert_ok(store_begin(s, &err), &err);
	struct orphan_row a = orphan(1, 11);
	assert_ok(store_orphan_put(s, &a, &err), &err);
	assert_ok(store_commit(s, &err), &err);
	assert_int_equal(count(), 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(put_read_deleted, setup, teardown),
	cmocka_unit_test_setup_teardown(what_can_be_no_domain_is_refused, setup, teardown),
	cmocka_unit_test_setup_teardown(a_pod_is_known_or_not, setup, teardown),
	cmocka_unit_test_setup_teardown(a_store_of_before_gets_the_table, setup, teardown),
};

UNIT_MAIN(tests, NULL, NULL)
