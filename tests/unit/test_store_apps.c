/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/* Apps of all pods in one pass: each with its pod, those of a pod together and in their order. */
#include "unit.h"

#include "storekit.h"

#include "base/cleanup.h"

#define FIRST  "11111111-0000-4000-8000-000000000000"
#define SECOND "22222222-0000-4000-8000-000000000000"

struct seen {
	int n;
	char line[8][UUID_TEXT_SIZE + 16];
};

static int see(void *ctx, const struct app_row *a)
{
	struct seen *v = ctx;
	snprintf(v->line[v->n++], sizeof v->line[0], "%.8s %lld %s", a->uuid, (long long)a->idx,
		a->state);
	return 0;
}

static void put(struct store *s, const char *uuid, int64_t idx, const char *state)
{
	_cleanup_err_ struct err err = {0};
	struct app_row a = {.idx = idx, .code = -1, .signal = -1};
	const char *name = "app";
	memcpy(&a.name, &name, sizeof name); /* borrowed: the store only reads */
	memcpy(&a.state, &state, sizeof state);
	assert_ok(store_app_put(s, uuid, &a, &err), &err);
}

static void test_apps_of_all_pods(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	_cleanup_store_ struct store *s = NULL;
	struct seen v = {0};
	assert_ok(store_open(":memory:", STORE_RW_CREATE, &s, &err), &err);
	assert_ok(store_begin(s, &err), &err);
	assert_ok(kit_write(s, SECOND, 0, &err), &err);
	assert_ok(kit_write(s, FIRST, 0, &err), &err);
	put(s, SECOND, 1, "running");
	put(s, FIRST, 0, "exited");
	put(s, SECOND, 0, "oom");
	put(s, FIRST, 1, "waiting");
	assert_ok(store_commit(s, &err), &err);
	assert_ok(store_apps(s, NULL, see, &v, &err), &err);
	assert_int_equal(v.n, 4);
	assert_string_equal(v.line[0], "11111111 0 exited");
	assert_string_equal(v.line[1], "11111111 1 waiting");
	assert_string_equal(v.line[2], "22222222 0 oom");
	assert_string_equal(v.line[3], "22222222 1 running");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_apps_of_all_pods),
};

UNIT_MAIN(tests, NULL, NULL)
