/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/* A domain's last console lines in the store: they go with their pod. */
#include "unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "storekit.h"

static void test_console_is_put_replaced_and_may_be_empty(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct store *s = NULL;
	char *none = NULL;
	_cleanup_free_ char *first = NULL;
	_cleanup_free_ char *second = NULL;
	assert_ok(store_open(":memory:", STORE_RW_CREATE, &s, &err), &err);
	assert_ok(store_begin(s, &err), &err);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(store_console(s, KIT_UUID, &none, &err), &err);
	assert_null(none);
	assert_ok(store_console_put(s, KIT_UUID, "one\ntwo", &err), &err);
	assert_ok(store_console(s, KIT_UUID, &first, &err), &err);
	assert_string_equal(first, "one\ntwo");
	assert_ok(store_console_put(s, KIT_UUID, "", &err), &err);
	assert_ok(store_commit(s, &err), &err);
	assert_ok(store_console(s, KIT_UUID, &second, &err), &err);
	assert_string_equal(second, "");
	assert_ok(store_begin(s, &err), &err);
	assert_fails(store_console_put(s, "00000000-0000-4000-8000-00000000dead", "x", &err), &err,
		ERR_STORE, "console");
	store_rollback(s);
	store_close(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_console_is_put_replaced_and_may_be_empty),
};

UNIT_MAIN(tests, NULL, NULL)
