/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lives (walk.h): the same seeds each time, some that nobody has tried before, and scripts
 * that once failed. `make soak` runs more of them.
 */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: walk.c walk_act.c walk_check.c walk_run.c ../unit/faultvfs.c kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* DEEP: some hundred lives, most of a minute */
/* VALGRIND: no, each life is a process of its own; memory is checked by the sanitizers' build */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "walk.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

#define FIXED 100
#define FRESH 100
#define LONG  20 /* seconds, after which no more fresh ones are begun */
#define TRIES 300
#define TWICE 12

#define SCRIPT_MAX 65536

static struct walk_result sum;

static bool try_seed(uint64_t seed)
{
	char name[32];
	struct walk w;
	snprintf(name, sizeof name, "seed %" PRIu64, seed);
	walk_make(&w, seed);
	return walk_try(name, &w, TRIES, &sum);
}

static void say(const char *what, int n)
{
	print_message("#= %d %s: %" PRId64 " steps, %" PRId64 " turns, %" PRId64
		      " starts of the supervisor, %" PRId64 " boots, %" PRId64 " failed writes\n",
		n, what, sum.steps, sum.turns, sum.starts, sum.reboots, sum.store_errors);
	sum = (struct walk_result){0};
}

static void test_fixed_seeds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= FIXED; seed++)
		assert_true(try_seed(seed));
	/* Else these lives are shorter than they are meant to be. */
	assert_true(sum.turns > 10 * FIXED && sum.starts > 2 * FIXED && sum.reboots > FIXED / 4);
	assert_true(sum.store_errors > FIXED / 4);
	say("fixed seeds", FIXED);
}

static void test_fresh_seeds(void **state)
{
	(void)state;
	uint32_t first;
	int n = 0;
	time_t until = time(NULL) + LONG;
	assert_int_equal(getrandom(&first, sizeof first, 0), sizeof first);
	print_message("# fresh seeds from %" PRIu32 " on; again: make VARIANT=debug soak "
		      "FROM=%" PRIu32 " SEEDS=%d\n",
		first, first, FRESH);
	for (; n < FRESH && time(NULL) < until; n++)
		assert_true(try_seed((uint64_t)first + (uint64_t)n));
	say("fresh seeds", n);
}

/* ---- scripts that failed once ---------------------------------------------------------------- */

static int is_walk(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');
	return dot && !strcmp(dot, ".walk");
}

static void try_file(const char *path)
{
	struct err err = {0};
	struct walk w;
	_cleanup_free_ char *text = NULL;
	assert_ok(file_read_at(AT_FDCWD, path, SCRIPT_MAX, &text, NULL, &err), &err);
	assert_ok(walk_parse(&w, text, &err), &err);
	assert_true(walk_try(path, &w, TRIES, &sum));
}

static void test_scripts(void **state)
{
	(void)state;
	struct dirent **names = NULL;
	const char *top = getenv("TOP");
	_cleanup_free_ char *dir = xasprintf("%s/tests/sim/walks", top ? top : ".");
	int n = scandir(dir, &names, is_walk, alphasort);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, names[i]->d_name);
		try_file(path);
		free(names[i]);
	}
	free(names);
	say("scripts that failed once", n);
}

/* ---- any ------------------------------------------------------------------------------------- */

/* A script is all that a life depends on: else what fails once could not be looked at again. */
static void test_the_same_twice(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= TWICE; seed++) {
		struct err err = {0};
		struct walk w;
		struct walk again;
		struct walk_result one;
		struct walk_result two;
		walk_make(&w, seed);
		_cleanup_free_ char *text = walk_print(&w);
		assert_ok(walk_parse(&again, text, &err), &err);
		walk_run(&w, &one);
		walk_run(&again, &two);
		assert_true(strlen(one.trace) > 100);
		assert_string_equal(one.trace, two.trace);
		assert_int_equal(one.store_errors, two.store_errors);
		walk_result_done(&one);
		walk_result_done(&two);
	}
}

/* A step that nobody knows is the failure; the steps beside it are what is dropped. */
static void test_a_failure_replays_and_shrinks(void **state)
{
	(void)state;
	struct err err = {0};
	struct walk w;
	struct walk_result one;
	struct walk_result two;
	assert_ok(walk_parse(&w,
			  "at 0.000 pod a \"exit 3 after 2s\"\nat 1.000 crash\n"
			  "at 2.000 dance a\nat 3.000 stop a\n",
			  &err),
		&err);
	walk_run(&w, &one);
	walk_run(&w, &two);
	assert_true(one.failed && two.failed);
	assert_string_equal(one.why, "the script's \"dance a\" is not understood");
	assert_string_equal(one.trace, two.trace);
	assert_non_null(strstr(one.trace, "2.00   dance a"));
	walk_run_shrink(&w, &one, 100);
	assert_int_equal(w.n, 1);
	assert_string_equal(w.step[0].text, "dance a");
	walk_result_done(&one);
	walk_result_done(&two);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_same_twice),
	cmocka_unit_test(test_a_failure_replays_and_shrinks),
	cmocka_unit_test(test_scripts),
	cmocka_unit_test(test_fixed_seeds),
	cmocka_unit_test(test_fresh_seeds),
};

UNIT_MAIN(tests, NULL, NULL)
