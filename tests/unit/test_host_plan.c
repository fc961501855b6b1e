/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command has done to a host can be taken back, wherever it was interrupted: every step, before and
 * after its effect; what was there before, or was changed by others since, is not touched.
 */
/* LINK: host base */
/* LIBS: md */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "host/plan.h"
#include "hostkit.h"

enum { STEPS = 5 };

static json_t *world; /* name -> value */
static int sets;      /* how often something was set */
static int fail_at;   /* the set that fails, 1...; 0: none */
static bool fail_after;

/* ---- things of a world in memory --------------------------------------------------------------------- */

static int thing_get(const struct host *h, const char *name, json_t **ret, struct err *err)
{
	(void)h;
	(void)err;
	*ret = json_incref(json_object_get(world, name));
	return 0;
}

static int thing_put(const struct host *h, const char *name, const json_t *value, struct err *err)
{
	(void)h;
	bool fails = ++sets == fail_at;
	if (!fails || fail_after) {
		json_object_del(world, name);
		if (!json_is_null(value))
			json_object_set_new(world, name, json_deep_copy(value));
	}
	return fails ? err_set(err, ERR_SYSTEM, "pulled the plug") : 0;
}

static int thing_put_busy(
	const struct host *h, const char *name, const json_t *value, struct err *err)
{
	if (json_is_null(value))
		return err_set(err, ERR_STATE, "somebody uses it");
	return thing_put(h, name, value, err);
}

static const struct thing plain = {.kind = "plain", .get = thing_get, .set = thing_put};
static const struct thing fresh = {
	.kind = "fresh", .get = thing_get, .set = thing_put, .only_new = true};
static const struct thing busy = {.kind = "busy", .get = thing_get, .set = thing_put_busy};
static const struct thing passing = {
	.kind = "passing", .get = thing_get, .set = thing_put, .till_boot = true};
static const struct thing *const kinds[] = {&plain, &fresh, &busy, &passing, NULL};

static json_t *before(void)
{
	return json_make("{s:i,s:s,s:i}", "b", 1, "other", "mine", "so", 4);
}

static struct plan a_plan(void)
{
	struct plan p = {.of = "test", .kinds = kinds, .options = json_make("{s:i}", "n", 1)};
	plan_add(&p, &plain, "a", json_integer(10), "a");
	plan_add(&p, &plain, "b", json_integer(11), "b");
	plan_add(&p, &fresh, "c", json_string("new"), "c");
	plan_add(&p, &plain, "so", json_integer(4), "so"); /* is so already */
	plan_add(&p, &plain, "d", json_integer(13), "d");
	return p;
}

static void assert_world(json_t *want)
{
	_cleanup_free_ char *a = json_dumps(world, JSON_SORT_KEYS);
	_cleanup_free_ char *b = json_dumps(want, JSON_SORT_KEYS);
	assert_string_equal(a, b);
	json_decref(want);
}

static void assert_up(void)
{
	assert_world(json_make("{s:i,s:i,s:s,s:i,s:s,s:i}", "a", 10, "b", 11, "c", "new", "d", 13,
		"other", "mine", "so", 4));
}

static enum plan_state look(const struct plan *p)
{
	_cleanup_err_ struct err err = {0};
	enum plan_state s;
	size_t changed;
	assert_ok(plan_look(&host, p, &s, &changed, NULL, &err), &err);
	return s;
}

static void down(const struct plan *p, size_t want_left)
{
	_cleanup_err_ struct err err = {0};
	size_t left;
	assert_ok(plan_down(&host, p, PLAN_DO, &left, &err), &err);
	assert_int_equal(left, want_left);
	assert_int_equal(look(p), PLAN_NONE);
}

static void begin(int at, bool after)
{
	json_decref(world);
	world = before();
	sets = 0;
	fail_at = at;
	fail_after = after;
}

static int end(void **st)
{
	json_decref(world);
	return teardown(st);
}

/* ---- tests ------------------------------------------------------------------------------------------- */

static void up_again_and_down(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_(plan_done) struct plan p = a_plan();
	begin(0, false);
	assert_int_equal(look(&p), PLAN_NONE);
	assert_ok(plan_up(&host, &p, PLAN_SHOW, &err), &err);
	assert_world(before());
	assert_int_equal(access(state, F_OK), -1);
	for (int i = 0; i < 2; i++) {
		assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
		assert_up();
		assert_int_equal(sets, STEPS - 1);
		assert_int_equal(look(&p), PLAN_UP);
	}
	assert_ok(plan_down(&host, &p, PLAN_SHOW, NULL, &err), &err);
	assert_up();
	down(&p, 0);
	assert_world(before());
	down(&p, 0);
}

/* At each change, before and after its effect: going on and taking back both come out right. */
static void interrupted_anywhere(void **st)
{
	(void)st;
	for (int i = 0; i < STEPS - 1; i++) {
		for (int variant = 0; variant < 4; variant++) {
			_cleanup_err_ struct err err = {0};
			_cleanup_(plan_done) struct plan p = a_plan();
			begin(i + 1, variant & 1);
			assert_int_equal(plan_up(&host, &p, PLAN_DO, &err), -1);
			assert_int_equal(look(&p), PLAN_INTERRUPTED);
			fail_at = 0;
			if (variant & 2) {
				assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
				assert_up();
				assert_int_equal(look(&p), PLAN_UP);
			}
			down(&p, 0);
			assert_world(before());
		}
	}
}

static void taking_back_is_interrupted(void **st)
{
	(void)st;
	for (int i = 0; i < STEPS - 1; i++) {
		for (int after = 0; after < 2; after++) {
			_cleanup_err_ struct err err = {0};
			_cleanup_(plan_done) struct plan p = a_plan();
			begin(0, after);
			assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
			sets = 0;
			fail_at = i + 1;
			assert_int_equal(plan_down(&host, &p, PLAN_DO, NULL, &err), -1);
			assert_int_not_equal(look(&p), PLAN_UP);
			down(&p, 0);
			assert_world(before());
		}
	}
}

static void what_others_have_is_theirs(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_(plan_done) struct plan p = a_plan();
	begin(0, false);
	/* It is the third step; nobody has done the first two then. */
	json_object_set_new(world, "c", json_string("old"));
	for (int i = 0; i < 3; i++) {
		err_done(&err);
		assert_int_equal(i == 0   ? plan_check(&host, &p, &err)
				 : i == 1 ? plan_up(&host, &p, PLAN_SHOW, &err)
					  : plan_up(&host, &p, PLAN_DO, &err),
			-1);
		assert_int_equal(err.code, ERR_EXISTS);
		assert_int_equal(sets, 0);
		assert_int_equal(look(&p), PLAN_NONE);
	}
	down(&p, 0);
	json_object_del(world, "c");
	assert_world(before());

	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	json_object_set_new(world, "a", json_integer(99));
	assert_int_equal(look(&p), PLAN_CHANGED);
	down(&p, 1);
	json_t *want = before();
	json_object_set_new(want, "a", json_integer(99));
	assert_world(want);
}

/* A call that fails on its way to other values, and one that goes back: the record wants what there is. */
static void to_and_fro(void **st)
{
	(void)st;
	struct plan p = a_plan();
	struct plan q = {.of = "test", .kinds = kinds, .options = json_make("{s:i}", "n", 2)};
	bool so;
	p.may_change = true;
	q.may_change = true;
	plan_add(&q, &plain, "a", json_integer(20), "a");
	plan_add(&q, &plain, "b", json_integer(21), "b");
	for (int at = 1; at <= 2; at++)
		for (int after = 0; after < 2; after++) {
			_cleanup_err_ struct err err = {0};
			begin(0, false);
			assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
			fail_at = sets + at;
			fail_after = after;
			assert_int_equal(plan_up(&host, &q, PLAN_DO, &err), -1);
			err_done(&err);
			assert_ok(plan_is_so(&host, &p, &so, &err), &err);
			assert_false(so);
			assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
			assert_ok(plan_is_so(&host, &p, &so, &err), &err);
			assert_true(so);
			assert_int_equal(look(&p), PLAN_UP);
			assert_up();
			down(&p, 0);
			assert_world(before());
		}
	plan_done(&p);
	plan_done(&q);
}

static void what_is_in_use_stays(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_(plan_done) struct plan p = {.of = "test", .kinds = kinds};
	plan_add(&p, &busy, "used", json_true(), "used");
	begin(0, false);
	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	down(&p, 1);
	assert_true(json_is_true(json_object_get(world, "used")));
}

static void other_options(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_(plan_done) struct plan p = a_plan();
	struct plan q = {.of = "test", .kinds = kinds, .options = json_make("{s:i}", "n", 2)};
	plan_add(&q, &plain, "a", json_integer(20), "a");
	begin(0, false);
	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	assert_int_equal(plan_up(&host, &q, PLAN_DO, &err), -1);
	assert_int_equal(err.code, ERR_STATE);
	assert_up();
	q.may_change = true;
	_cleanup_json_ json_t *undone = NULL;
	assert_ok(plan_undone(&host, &q, &undone, &err), &err);
	assert_int_equal(json_array_size(undone), 3);
	assert_string_equal(json_str_opt(json_array_get(undone, 0), "name", ""), "d");
	assert_string_equal(json_str_opt(json_array_get(undone, 2), "name", ""), "b");
	assert_ok(plan_up(&host, &q, PLAN_DO, &err), &err);
	json_t *want = before();
	json_object_set_new(want, "a", json_integer(20));
	assert_world(want);
	down(&q, 0);
	assert_world(before());
	plan_done(&q);
}

/* The host is booted: the kernel has what it has then. */
static void boot(const char *id, int v)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *proc = xasprintf("%s/proc/sys/kernel/random", dir);
	_cleanup_free_ char *at = xasprintf("%s/boot_id", proc);
	assert_ok(dir_make_all(proc, 0755, &err), &err);
	assert_ok(file_write_atomic_at(AT_FDCWD, at, id, strlen(id), 0644, &err), &err);
	json_object_set_new(world, "v", json_integer(v));
}

static void what_ends_with_the_boot(void **st)
{
	(void)st;
	_cleanup_err_ struct err err = {0};
	_cleanup_(plan_done) struct plan p = {.of = "test", .kinds = kinds};
	plan_add(&p, &passing, "v", json_integer(1), "v");
	begin(0, false);
	boot("first\n", 0);
	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	boot("second\n", 5);
	assert_int_equal(look(&p), PLAN_CHANGED);
	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	assert_int_equal(look(&p), PLAN_UP);
	down(&p, 0);
	assert_int_equal(json_int_opt(world, "v", -1), 5); /* not 0, as it was in the first */

	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	boot("third\n", 7);
	down(&p, 0);
	assert_int_equal(json_int_opt(world, "v", -1), 7);

	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	boot("fourth\n", 1); /* somebody else sees to it by now */
	assert_ok(plan_up(&host, &p, PLAN_DO, &err), &err);
	down(&p, 0);
	assert_int_equal(json_int_opt(world, "v", -1), 1);
}

/* Two changes in a row, each interrupted before its effect: what the first call has made still is ours. */
static void a_change_that_was_interrupted(void **st)
{
	(void)st;
	_cleanup_(plan_done) struct plan p = a_plan();
	begin(0, false);
	for (int value = 10; value <= 30; value += 10) {
		_cleanup_err_ struct err err = {0};
		struct plan q = {.of = "test", .kinds = kinds, .may_change = true};
		q.options = json_make("{s:i}", "n", value);
		plan_add(&q, &plain, "a", json_integer(value), "a");
		fail_at = value > 10 ? sets + 1 : 0;
		assert_int_equal(plan_up(&host, &q, PLAN_DO, &err), value > 10 ? -1 : 0);
		assert_int_equal(json_integer_value(json_object_get(world, "a")), 10);
		plan_done(&q);
	}
	fail_at = 0;
	down(&p, 0);
	assert_world(before());
}

static void a_record_that_is_none(void **st)
{
	(void)st;
	static const char odd[] = "{\"version\":1,\"complete\":true,\"steps\":[{\"kind\":\"odd\","
				  "\"name\":\"a\",\"say\":\"a\",\"was\":1,\"want\":2}]}";
	static const char *const texts[] = {"", "{", "[]",
		"{\"version\":2,\"complete\":true,\"steps\":[]}", "{\"version\":1,\"steps\":[]}",
		"{\"version\":1,\"complete\":true,\"steps\":[{\"kind\":\"plain\"}]}", odd};
	_cleanup_free_ char *path = xasprintf("%s/test.json", state);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_err_ struct err err = {0};
		_cleanup_(plan_done) struct plan p = a_plan();
		begin(0, false);
		assert_ok(file_write_atomic_at(
				  AT_FDCWD, path, texts[i], strlen(texts[i]), 0644, &err),
			&err);
		assert_int_equal(plan_down(&host, &p, PLAN_DO, NULL, &err), -1);
		assert_non_null(strstr(err_msg(&err), "record"));
		assert_world(before());
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_again_and_down),
		cmocka_unit_test(interrupted_anywhere),
		cmocka_unit_test(taking_back_is_interrupted),
		cmocka_unit_test(what_others_have_is_theirs),
		cmocka_unit_test(to_and_fro),
		cmocka_unit_test(what_is_in_use_stays),
		cmocka_unit_test(other_options),
		cmocka_unit_test(what_ends_with_the_boot),
		cmocka_unit_test(a_change_that_was_interrupted),
		cmocka_unit_test(a_record_that_is_none),
	};
	return cmocka_run_group_tests(tests, setup, end);
}
