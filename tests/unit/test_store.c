/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: store fsm base */
/* LIBS: sqlite3 */
/* WITH: storekit.c */
/*
 * Records of the store: every field comes back, turns are isolated, nobody else's write is
 * overwritten, one bad row hides no other.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "storekit.h"

static struct store *s;
static struct err err;

static int setup(void **state)
{
	(void)state;
	assert_ok(store_open(":memory:", STORE_RW_CREATE, &s, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(s);
	err_done(&err);
	return 0;
}

static void begin(void)
{
	assert_ok(store_begin(s, &err), &err);
}

static void commit(void)
{
	assert_ok(store_commit(s, &err), &err);
}

static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

/* ---- pods -------------------------------------------------------------------------------------
 */

static int keep_pod(void *ctx, const struct pod_row *r)
{
	pod_row_copy(ctx, r);
	return 1;
}

static void assert_stored_pod(const struct pod_row *want)
{
	struct pod_row got = {0};
	assert_ok(store_pods(s, keep_pod, &got, &err), &err);
	kit_assert_same(&got, want);
	pod_row_done(&got);
}

static void test_pod_comes_back_as_it_was(void **state)
{
	(void)state;
	struct pod_row r = kit_pod(KIT_UUID);
	begin();
	assert_ok(store_pod_insert(s, &r, &err), &err);
	commit();
	assert_stored_pod(&r);
}

static void test_update_changes_every_column_but_the_request(void **state)
{
	(void)state;
	struct pod_row r = kit_pod(KIT_UUID);
	begin();
	assert_ok(store_pod_insert(s, &r, &err), &err);
	commit();
	char *request = r.request;
	r.state = text("exited");
	r.want = text("down");
	r.seq = 1;
	r.generation = 4;
	r.domid = -1;
	r.deadline_ns = 0;
	r.boot_id = text("other");
	r.request = text("{\"not\":\"written\"}");
	r.cause = text("");
	r.message = text("");
	r.code = -1;
	r.forced = false;
	r.qemu_pid = r.qemu_start = 0;
	r.lock_dev = r.lock_ino = 1;
	r.created_at = r.started_at = r.ended_at = 0;
	begin();
	assert_ok(store_pod_update(s, &r, &err), &err);
	commit();
	r.request = request;
	assert_stored_pod(&r);

	begin();
	assert_ok(store_request_set(s, KIT_UUID, "{\"now\":1}", &err), &err);
	commit();
	r.request = text("{\"now\":1}");
	assert_stored_pod(&r);
}

static void test_a_second_insert_exists(void **state)
{
	(void)state;
	struct pod_row r = kit_pod(KIT_UUID);
	begin();
	assert_ok(store_pod_insert(s, &r, &err), &err);
	assert_fails(store_pod_insert(s, &r, &err), &err, ERR_EXISTS, KIT_UUID);
	commit();
	assert_stored_pod(&r);
}

static void test_update_must_follow_the_stored_sequence(void **state)
{
	(void)state;
	struct pod_row r = kit_pod(KIT_UUID);
	begin();
	r.seq = 5;
	assert_fails(store_pod_update(s, &r, &err), &err, ERR_STORE, "is not in it");
	assert_ok(store_pod_insert(s, &r, &err), &err);
	r.seq = 5;
	assert_fails(store_pod_update(s, &r, &err), &err, ERR_STORE, "has sequence 5, turn 5");
	r.seq = 7;
	assert_fails(store_pod_update(s, &r, &err), &err, ERR_STORE, "somebody else");
	r.seq = 6;
	assert_ok(store_pod_update(s, &r, &err), &err);
	commit();
	assert_int_equal(kit_seq(s, KIT_UUID), 6);
}

static void test_names_that_no_machine_has_are_refused(void **state)
{
	(void)state;
	struct pod_row good = kit_pod(KIT_UUID);
	struct pod_row bad[7];
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].state = text("sleeping");
	bad[1].want = text("sideways");
	bad[2].cause = text("boredom");
	bad[3].domid = -2;
	bad[4].code = 256;
	bad[5].request = text("{not json");
	strcpy(bad[6].uuid, "0F8A6E2C-5b1d-4e7f-9a3c-1d2e3f4a5b6c");
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_fails(store_pod_insert(s, &bad[i], &err), &err, ERR_STORE, "constraint");
	assert_ok(store_pod_insert(s, &good, &err), &err);
	commit();
	assert_stored_pod(&good);
}

static void test_writes_need_a_transaction(void **state)
{
	(void)state;
	struct pod_row r = kit_pod(KIT_UUID);
	assert_fails(store_pod_insert(s, &r, &err), &err, ERR_STORE, "outside of a transaction");
	assert_fails(store_commit(s, &err), &err, ERR_STORE, "no transaction");
	begin();
	assert_fails(store_begin(s, &err), &err, ERR_STORE, "is open");
	assert_ok(store_pod_insert(s, &r, &err), &err);
	store_rollback(s);
	assert_int_equal(kit_seq(s, KIT_UUID), -1);
}

/* ---- apps, outbox, ledger, meta ----------------------------------------------------------------
 */

struct seen {
	char line[8][256];
	int n;
	int stop_after;
};

static int see_app(void *ctx, const struct app_row *a)
{
	struct seen *v = ctx;
	snprintf(v->line[v->n++], sizeof(v->line[0]), "%lld %s %s %lld %lld %lld %lld %lld %s",
		(long long)a->idx, a->name, a->state, (long long)a->code, (long long)a->signal,
		(long long)a->seq, (long long)a->started_at, (long long)a->ended_at, a->message);
	return v->n == v->stop_after;
}

static void test_apps_are_put_and_replaced_in_order(void **state)
{
	(void)state;
	begin();
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	struct app_row b = {1, text("web"), text("waiting"), -1, -1, 0, 0, 0, NULL, ""};
	struct app_row a = {0, text("db"), text("exited"), 3, -1, 7, 11, 12, text("x y"), ""};
	assert_ok(store_app_put(s, KIT_UUID, &b, &err), &err);
	assert_ok(store_app_put(s, KIT_UUID, &a, &err), &err);
	b = (struct app_row){1, text("web"), text("oom"), -1, 9, 8, 13, 14, NULL, ""};
	assert_ok(store_app_put(s, KIT_UUID, &b, &err), &err);
	b.state = text("asleep");
	assert_fails(store_app_put(s, KIT_UUID, &b, &err), &err, ERR_STORE, "app web");
	commit();
	struct seen v = {0};
	assert_ok(store_apps(s, KIT_UUID, see_app, &v, &err), &err);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.line[0], "0 db exited 3 -1 7 11 12 x y");
	assert_string_equal(v.line[1], "1 web oom -1 9 8 13 14 ");
}

static int see_outbox(void *ctx, const struct outbox_row *r)
{
	struct seen *v = ctx;
	snprintf(v->line[v->n++], sizeof(v->line[0]), "%s %lld %lld %lld %s", r->uuid,
		(long long)r->generation, (long long)r->seq, (long long)r->ord, r->effect);
	return v->n == v->stop_after;
}

static int64_t add_effect(int64_t seq, int64_t ord, const char *effect)
{
	struct outbox_row r = {.generation = 2, .seq = seq, .ord = ord, .effect = text(effect)};
	strcpy(r.uuid, KIT_UUID);
	int64_t id = 0;
	assert_ok(store_outbox_add(s, &r, &id, &err), &err);
	return id;
}

static void test_outbox_keeps_the_order_of_decision(void **state)
{
	(void)state;
	begin();
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	add_effect(1, 0, "export");
	int64_t id = add_effect(2, 0, "create");
	add_effect(2, 1, "watch");
	assert_ok(store_outbox_delete(s, id, &err), &err);
	struct outbox_row bad = {.effect = text("dance")};
	strcpy(bad.uuid, KIT_UUID);
	assert_fails(store_outbox_add(s, &bad, NULL, &err), &err, ERR_STORE, "effect dance");
	commit();
	struct seen v = {0};
	assert_ok(store_outbox(s, see_outbox, &v, &err), &err);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.line[0], KIT_UUID " 2 1 0 export");
	assert_string_equal(v.line[1], KIT_UUID " 2 2 1 watch");
	v = (struct seen){.stop_after = 1};
	assert_ok(store_outbox(s, see_outbox, &v, &err), &err);
	assert_int_equal(v.n, 1);
}

static void test_outbox_of_one_pod_is_cleared(void **state)
{
	(void)state;
	char other[UUID_TEXT_SIZE];
	kit_uuid(2, other);
	begin();
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(kit_write(s, other, 0, &err), &err);
	add_effect(1, 0, "export");
	struct outbox_row r = {.effect = text("clear")};
	strcpy(r.uuid, other);
	assert_ok(store_outbox_add(s, &r, NULL, &err), &err);
	add_effect(2, 0, "create");
	struct seen v = {0};
	assert_ok(store_outbox(s, see_outbox, &v, &err), &err);
	assert_string_equal(v.line[1], "00000000-0000-4000-8000-000000000002 0 0 0 clear");
	assert_ok(store_outbox_clear(s, KIT_UUID, &err), &err);
	commit();
	v = (struct seen){0};
	assert_ok(store_outbox(s, see_outbox, &v, &err), &err);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.line[0], "00000000-0000-4000-8000-000000000002 0 0 0 clear");
}

static int see_ledger(void *ctx, const struct ledger_row *r)
{
	struct seen *v = ctx;
	snprintf(v->line[v->n++], sizeof(v->line[0]), "%s %lld %s %s %s", r->uuid,
		(long long)r->generation, r->kind, r->name, r->state);
	return 0;
}

static void ledger(const char *uuid, const char *kind, const char *name, const char *state)
{
	assert_ok(store_ledger_put(s, uuid, 1, kind, name, state, &err), &err);
}

static void test_ledger_follows_a_thing_from_intent_to_release(void **state)
{
	(void)state;
	char other[UUID_TEXT_SIZE];
	kit_uuid(2, other);
	begin();
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	assert_ok(kit_write(s, other, 0, &err), &err);
	ledger(KIT_UUID, "domain", "17", "intended");
	ledger(other, "exports", "/run/x", "intended");
	ledger(KIT_UUID, "domain", "17", "held");
	ledger(KIT_UUID, "log", "a.log", "released");
	assert_fails(store_ledger_put(s, KIT_UUID, 1, "spaceship", "x", "held", &err), &err,
		ERR_STORE, "spaceship x");
	assert_fails(store_ledger_put(s, KIT_UUID, 1, "domain", "x", "lost", &err), &err, ERR_STORE,
		"domain x");
	commit();
	struct seen v = {0};
	assert_ok(store_ledger(s, NULL, see_ledger, &v, &err), &err);
	assert_int_equal(v.n, 3);
	assert_string_equal(v.line[0], KIT_UUID " 1 domain 17 held");
	v = (struct seen){0};
	assert_ok(store_ledger(s, other, see_ledger, &v, &err), &err);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.line[0], "00000000-0000-4000-8000-000000000002 1 exports /run/x "
				       "intended");
}

static void test_delete_takes_all_but_the_history(void **state)
{
	(void)state;
	begin();
	assert_ok(kit_write(s, KIT_UUID, 0, &err), &err);
	struct app_row a = {0, text("db"), text("running"), -1, -1, 7, 0, 0, NULL, ""};
	assert_ok(store_app_put(s, KIT_UUID, &a, &err), &err);
	add_effect(1, 0, "export");
	ledger(KIT_UUID, "cgroup", "c", "held");
	assert_ok(store_console_put(s, KIT_UUID, "panic", &err), &err);
	commit();
	begin();
	assert_ok(store_pod_delete(s, KIT_UUID, &err), &err);
	commit();
	struct seen v = {0};
	assert_ok(store_apps(s, KIT_UUID, see_app, &v, &err), &err);
	assert_ok(store_outbox(s, see_outbox, &v, &err), &err);
	assert_ok(store_ledger(s, NULL, see_ledger, &v, &err), &err);
	assert_int_equal(v.n, 0);
	char *console = NULL;
	assert_ok(store_console(s, KIT_UUID, &console, &err), &err);
	assert_null(console);
	assert_int_equal(kit_seq(s, KIT_UUID), -1);
	assert_int_equal(kit_history(s, KIT_UUID), 1);
	/* The same UUID can come again and starts empty. */
	assert_ok(kit_turn(s, KIT_UUID, 0, &err), &err);
}

static void test_meta(void **state)
{
	(void)state;
	assert_null(store_meta_get(s, "boot"));
	begin();
	assert_ok(store_meta_set(s, "boot", "a", &err), &err);
	assert_ok(store_meta_set(s, "boot", "b", &err), &err);
	commit();
	_cleanup_free_ char *v = store_meta_get(s, "boot");
	assert_string_equal(v, "b");
	assert_int_equal(strlen(store_id(s)), 32);
}

/* ---- history ----------------------------------------------------------------------------------
 */

static int see_history(void *ctx, const struct history_row *r)
{
	struct seen *v = ctx;
	snprintf(v->line[v->n++], sizeof(v->line[0]), "%lld %s %lld %s %s %s %s %lld %lld",
		(long long)r->seq, r->uuid, (long long)r->at, r->event, r->from, r->to, r->cause,
		(long long)r->domid, (long long)r->generation);
	return 0;
}

static int64_t add_history(const char *uuid, int64_t at)
{
	struct history_row r = {.seq = 999,
		.at = at,
		.event = text("stop"),
		.from = text("running"),
		.to = text("stopping"),
		.cause = text("stopped"),
		.domid = 4,
		.generation = 2};
	strcpy(r.uuid, uuid);
	int64_t seq = 0;
	assert_ok(store_history_add(s, &r, &seq, &err), &err);
	return seq;
}

static void assert_bounds(int64_t oldest, int64_t newest)
{
	int64_t o = -1;
	int64_t n = -1;
	assert_ok(store_history_bounds(s, &o, &n, &err), &err);
	assert_int_equal(o, oldest);
	assert_int_equal(n, newest);
}

static void test_history_is_numbered_without_gaps(void **state)
{
	(void)state;
	char other[UUID_TEXT_SIZE];
	kit_uuid(9, other);
	assert_bounds(1, 0);
	begin();
	assert_int_equal(add_history(KIT_UUID, 10), 1);
	assert_int_equal(add_history(other, 11), 2);
	commit();
	begin();
	assert_int_equal(add_history(KIT_UUID, 12), 3);
	store_rollback(s);
	begin();
	assert_int_equal(add_history(KIT_UUID, 13), 3);
	commit();
	struct seen v = {0};
	assert_ok(store_history(s, NULL, 1, 0, see_history, &v, &err), &err);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.line[1], "3 " KIT_UUID " 13 stop running stopping stopped 4 2");
	v = (struct seen){0};
	assert_ok(store_history(s, KIT_UUID, 0, 1, see_history, &v, &err), &err);
	assert_int_equal(v.n, 1);
	assert_memory_equal(v.line[0], "1 ", 2);
	assert_bounds(1, 3);
}

static void test_pruned_numbers_are_never_given_again(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 5; i++)
		add_history(KIT_UUID, i);
	assert_ok(store_history_prune(s, 2, &err), &err);
	commit();
	assert_bounds(4, 5);
	begin();
	assert_ok(store_history_prune(s, 0, &err), &err);
	commit();
	assert_bounds(6, 5);
	begin();
	assert_int_equal(add_history(KIT_UUID, 6), 6);
	commit();
}

/* ---- turns that share a commit ------------------------------------------------------------------
 */

static void test_one_bad_turn_of_three_is_undone_alone(void **state)
{
	(void)state;
	char id[3][UUID_TEXT_SIZE];
	for (int i = 0; i < 3; i++) {
		kit_uuid(i, id[i]);
		assert_ok(kit_turn(s, id[i], 0, &err), &err);
	}
	begin();
	for (int i = 0; i < 3; i++) {
		assert_ok(store_savepoint(s, &err), &err);
		assert_ok(kit_write(s, id[i], 1, &err), &err);
		if (i == 1) {
			struct outbox_row bad = {.effect = text("dance")};
			strcpy(bad.uuid, id[i]);
			assert_fails(store_outbox_add(s, &bad, NULL, &err), &err, ERR_STORE, "");
			store_savepoint_rollback(s);
		} else {
			assert_ok(store_savepoint_release(s, &err), &err);
		}
	}
	commit();
	int64_t seq[] = {1, 0, 1};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kit_seq(s, id[i]), seq[i]);
		assert_int_equal(kit_history(s, id[i]), seq[i] + 1);
	}
	assert_bounds(1, 5);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_pod_comes_back_as_it_was),
	T(test_update_changes_every_column_but_the_request),
	T(test_a_second_insert_exists),
	T(test_update_must_follow_the_stored_sequence),
	T(test_names_that_no_machine_has_are_refused),
	T(test_writes_need_a_transaction),
	T(test_apps_are_put_and_replaced_in_order),
	T(test_outbox_keeps_the_order_of_decision),
	T(test_outbox_of_one_pod_is_cleared),
	T(test_ledger_follows_a_thing_from_intent_to_release),
	T(test_delete_takes_all_but_the_history),
	T(test_meta),
	T(test_history_is_numbered_without_gaps),
	T(test_pruned_numbers_are_never_given_again),
	T(test_one_bad_turn_of_three_is_undone_alone),
};

UNIT_MAIN(tests, NULL, NULL)
