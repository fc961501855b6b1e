/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/* What became of a pod's networks: put, read, replaced, gone with the pod, none of a pod unknown. */
#include "unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "storekit.h"

static struct store *s;
static struct err err;

static int setup(void **state)
{
	(void)state;
	assert_ok(store_open(":memory:", STORE_RW_CREATE, &s, &err), &err);
	assert_ok(store_begin(s, &err), &err);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_rollback(s);
	store_close(s);
	err_done(&err);
	return 0;
}

static void assert_networks(const char *want)
{
	_cleanup_free_ char *got = NULL;
	assert_ok(store_networks(s, KIT_UUID, &got, &err), &err);
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void put_and_replaced(void **state)
{
	(void)state;
	assert_networks(NULL);
	assert_ok(store_networks_put(s, KIT_UUID, "[{\"name\":\"a\"}]", &err), &err);
	assert_networks("[{\"name\":\"a\"}]");
	assert_ok(store_networks_put(s, KIT_UUID, "[]", &err), &err);
	assert_networks("[]");
}

static void a_rollback_takes_them_back(void **state)
{
	(void)state;
	assert_ok(store_networks_put(s, KIT_UUID, "[1]", &err), &err);
	assert_ok(store_commit(s, &err), &err);
	assert_ok(store_begin(s, &err), &err);
	assert_ok(store_networks_put(s, KIT_UUID, "[2]", &err), &err);
	store_rollback(s);
	assert_networks("[1]");
}

static void gone_with_the_pod(void **state)
{
	(void)state;
	assert_ok(store_networks_put(s, KIT_UUID, "[1]", &err), &err);
	assert_ok(store_pod_delete(s, KIT_UUID, &err), &err);
	assert_networks(NULL);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_networks(NULL);
}

static void of_no_pod(void **state)
{
	(void)state;
	assert_fails(store_networks_put(s, "00000000-0000-4000-8000-00000000dead", "[]", &err),
		&err, ERR_STORE, "network");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(put_and_replaced, setup, teardown),
	cmocka_unit_test_setup_teardown(a_rollback_takes_them_back, setup, teardown),
	cmocka_unit_test_setup_teardown(gone_with_the_pod, setup, teardown),
	cmocka_unit_test_setup_teardown(of_no_pod, setup, teardown),
};

UNIT_MAIN(tests, NULL, NULL)
