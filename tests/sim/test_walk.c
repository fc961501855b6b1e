/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts of random lives: the same seed draws the same, text comes back as it went, shrinking. */
/* LINK: base */
/* WITH: walk.c */
#include "unit.h"

#include <stdlib.h>

#include "walk.h"

#include "base/cleanup.h"

static struct err err;

static void test_a_seed_draws_the_same(void **state)
{
	(void)state;
	struct walk one;
	struct walk two;
	walk_make(&one, 7);
	walk_make(&two, 7);
	assert_memory_equal(&one, &two, sizeof one);
	walk_make(&two, 8);
	assert_memory_not_equal(&one, &two, sizeof one);
}

static void test_text_comes_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct walk w;
		struct walk back;
		walk_make(&w, seed);
		assert_true(w.n > 0 && w.n <= WALK_STEPS);
		_cleanup_free_ char *text = walk_print(&w);
		assert_ok(walk_parse(&back, text, &err), &err);
		_cleanup_free_ char *again = walk_print(&back);
		assert_string_equal(text, again);
	}
}

/* Every kind of step is drawn, and no setting stays what it was. */
static void test_everything_is_drawn(void **state)
{
	(void)state;
	static const char *const words[] = {"pod f", " net 80 ", "stop ", "kill ", "pause ",
		"resume ", "gc ", "run-killed ", "outside destroy", "outside panic",
		"outside kill-qemu", "world fault create", "world fault release", " hang",
		"world sensors kill", "world xenstored down", "store full", "store io",
		"crash before-commit", "crash after-commit", "crash after-effect", "reboot",
		"set fd_store 1", "set powers_off 0", "set starts 4", "set helpers 1"};
	bool seen[sizeof words / sizeof *words] = {false};
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct walk w;
		walk_make(&w, seed);
		_cleanup_free_ char *text = walk_print(&w);
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			seen[i] = seen[i] || strstr(text, words[i]);
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!seen[i])
			fail_msg("\"%s\" is never drawn", words[i]);
}

static void test_bad_text_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"at 1.000 stop a\nat 0.900 stop a\n", "line 2 of the script: time goes back"},
		{"at 1 stop a\n", "at SECONDS.MMM ACTION"},
		{"at 1.000 \n", "at SECONDS.MMM ACTION"},
		{"stop a\n", "at SECONDS.MMM ACTION"},
		{"set luck 3\n", "there is no setting \"luck\""},
		{"set seed\n", "set SETTING VALUE"},
		{"at 1.000 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
			"longer"},
	};
	struct walk w;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_fails(walk_parse(&w, bad[i].text, &err), &err, ERR_INVALID, bad[i].why);
	assert_ok(walk_parse(&w, "# nothing\n\nset seed 9\nat 0.000 stop a", &err), &err);
	assert_int_equal(w.seed, 9);
	assert_int_equal(w.n, 1);
}

/* ---- shrinking ------------------------------------------------------------------------------- */

struct made_up {
	const char *const *needs; /* all of them, in this order; NULL ends */
	int asked;
};

static bool made_up_fails(void *ctx, const struct walk *w)
{
	struct made_up *m = ctx;
	const char *const *next = m->needs;
	m->asked++;
	for (size_t i = 0; i < w->n && *next; i++)
		next += !strcmp(w->step[i].text, *next);
	return !*next;
}

/* Forty steps, of which X is the fifth and Y the thirtieth. */
static void forty(struct walk *w)
{
	*w = (struct walk){.n = 40};
	for (size_t i = 0; i < w->n; i++) {
		w->step[i].ms = (int64_t)i * 100;
		strcpy(w->step[i].text, "other");
	}
	strcpy(w->step[4].text, "X");
	strcpy(w->step[29].text, "Y");
}

static void test_two_steps_are_left(void **state)
{
	(void)state;
	static const char *const both[] = {"X", "Y", NULL};
	struct made_up m = {.needs = both};
	struct walk w;
	forty(&w);
	int asked = walk_shrink(&w, made_up_fails, &m, 1000);
	assert_int_equal(asked, m.asked);
	assert_true(asked < 60);
	assert_int_equal(w.n, 2);
	assert_string_equal(w.step[0].text, "X");
	assert_int_equal(w.step[0].ms, 400);
	assert_string_equal(w.step[1].text, "Y");
	assert_int_equal(w.step[1].ms, 2900);
}

static void test_one_step_and_none(void **state)
{
	(void)state;
	static const char *const one[] = {"Y", NULL};
	static const char *const none[] = {NULL};
	struct made_up m = {.needs = one};
	struct walk w;
	forty(&w);
	walk_shrink(&w, made_up_fails, &m, 1000);
	assert_int_equal(w.n, 1);
	assert_string_equal(w.step[0].text, "Y");
	m.needs = none; /* fails whatever happens */
	forty(&w);
	walk_shrink(&w, made_up_fails, &m, 1000);
	assert_int_equal(w.n, 0);
}

/* What is left still fails, also when there is no time to find the shortest. */
static void test_few_tries(void **state)
{
	(void)state;
	static const char *const both[] = {"X", "Y", NULL};
	for (int tries = 0; tries < 30; tries++) {
		struct made_up m = {.needs = both};
		struct walk w;
		forty(&w);
		assert_true(walk_shrink(&w, made_up_fails, &m, tries) <= tries);
		assert_true(made_up_fails(&m, &w));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_seed_draws_the_same),
	cmocka_unit_test(test_text_comes_back),
	cmocka_unit_test(test_everything_is_drawn),
	cmocka_unit_test(test_bad_text_is_named),
	cmocka_unit_test(test_two_steps_are_left),
	cmocka_unit_test(test_one_step_and_none),
	cmocka_unit_test(test_few_tries),
};

UNIT_MAIN(tests, NULL, NULL)
