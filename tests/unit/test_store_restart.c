/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/* What restarts have come to: put, read with its pod, gone with it; in a store of before, too. */
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

static struct pod_row restarts(const char *policy)
{
	struct pod_row r = kit_pod(KIT_UUID);
	memcpy(&r.policy, &policy, sizeof policy); /* borrowed: the store only reads */
	r.burst = 7;
	r.lives = 2;
	r.starts = 5;
	r.tries = 3;
	r.given_up = true;
	r.running_ns = INT64_MAX;
	return r;
}

static int read_one(void *ctx, const struct pod_row *r)
{
	struct pod_row *to = ctx;
	pod_row_done(to);
	pod_row_copy(to, r);
	return 0;
}

static void assert_read(const char *policy, int64_t burst, int64_t tries, bool given_up)
{
	struct pod_row r = {0};
	assert_ok(store_pods(s, read_one, &r, &err), &err);
	assert_string_equal(r.policy, policy);
	assert_int_equal(r.burst, burst);
	assert_int_equal(r.tries, tries);
	assert_int_equal(r.given_up, given_up);
	assert_int_equal(r.lives, burst ? 2 : 0);
	assert_int_equal(r.starts, burst ? 5 : 0);
	assert_int_equal(r.running_ns, burst ? INT64_MAX : 0);
	pod_row_done(&r);
}

static void without_a_row_it_is_never(void **state)
{
	(void)state;
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_read("never", 0, 0, false);
}

static void put_and_read(void **state)
{
	(void)state;
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	struct pod_row r = restarts("on-failure");
	assert_ok(store_restart_put(s, &r, &err), &err);
	assert_read("on-failure", 7, 3, true);
	r = restarts("always");
	r.burst = 1;
	r.tries = 1;
	r.given_up = false;
	assert_ok(store_restart_put(s, &r, &err), &err);
	assert_read("always", 1, 1, false);
	/* A turn that changes nothing of it writes the pod's own row only. */
	assert_ok(kit_write(s, KIT_UUID, 1, &err), &err);
	assert_read("always", 1, 1, false);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	struct pod_row r = restarts("sometimes");
	assert_fails(store_restart_put(s, &r, &err), &err, ERR_STORE, KIT_UUID);
	r = restarts("always");
	r.tries = -1;
	assert_fails(store_restart_put(s, &r, &err), &err, ERR_STORE, KIT_UUID);
	r = restarts("always");
	strcpy(r.uuid, "0f8a6e2c-5b1d-4e7f-9a3c-000000000000");
	assert_fails(store_restart_put(s, &r, &err), &err, ERR_STORE, r.uuid);
	assert_read("never", 0, 0, false);
}

static void it_goes_with_its_pod(void **state)
{
	(void)state;
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	struct pod_row r = restarts("always");
	assert_ok(store_restart_put(s, &r, &err), &err);
	assert_ok(store_pod_delete(s, KIT_UUID, &err), &err);
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_read("never", 0, 0, false);
}

static int note(void *ctx, const struct ledger_row *l)
{
	char *text = ctx;
	strcat(text, l->kind);
	strcat(text, " ");
	return 0;
}

static void a_new_life_begins_with_what_is_kept(void **state)
{
	(void)state;
	static const struct {
		int64_t generation;
		const char *kind, *state;
	} had[] = {{0, "exports", "released"}, {0, "network", "held"}, {1, "domain", "released"},
		{1, "log", "held"}, {0, "cgroup", "held"}};
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(had); i++)
		assert_ok(store_ledger_put(s, KIT_UUID, had[i].generation, had[i].kind, "x",
				  had[i].state, &err),
			&err);
	char text[128] = "";
	assert_ok(store_ledger_new_life(s, KIT_UUID, &err), &err);
	assert_ok(store_ledger(s, KIT_UUID, note, text, &err), &err);
	assert_string_equal(text, "network cgroup ");
}

static void a_store_of_before_gets_the_table(void **state)
{
	(void)state;
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(store_commit(s, &err), &err);
	store_close(s);
	kit_sql(&kit, KIT_WITHOUT_RESTARTS "PRAGMA user_version=4");
	assert_ok(store_open(kit.path, STORE_RW_CREATE, &s, &err), &err);
	assert_true(store_schema_version(s) >= 5);
	assert_read("never", 0, 0, false);
	assert_ok(store_begin(s, &err), &err);
	struct pod_row r = restarts("always");
	assert_ok(store_restart_put(s, &r, &err), &err);
	char state_name[] = "backoff";
	r.state = state_name;
	r.seq = 1;
	assert_ok(store_pod_update(s, &r, &err), &err);
	assert_ok(store_commit(s, &err), &err);
	assert_read("always", 7, 3, true);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(without_a_row_it_is_never, setup, teardown),
	cmocka_unit_test_setup_teardown(put_and_read, setup, teardown),
	cmocka_unit_test_setup_teardown(nonsense_is_refused, setup, teardown),
	cmocka_unit_test_setup_teardown(it_goes_with_its_pod, setup, teardown),
	cmocka_unit_test_setup_teardown(a_new_life_begins_with_what_is_kept, setup, teardown),
	cmocka_unit_test_setup_teardown(a_store_of_before_gets_the_table, setup, teardown),
};

UNIT_MAIN(tests, NULL, NULL)
