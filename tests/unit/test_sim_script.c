/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: sim proto base */
/* The simulated world's script language: what each line does, and what is wrong with a bad one. */
#include "unit.h"

#include <stdio.h>

#include "base/json.h"
#include "sim/sim.h"

#define UUID  "0f8a6e2c-5b1d-4e7f-9a3c-1d2e3f4a5b6c"
#define OTHER "0f8b0000-2222-4333-8444-555555555555"
#define MS    INT64_C(1000000)

static struct sim *sim;
static struct err err;
static char last_note[256];
static int failed_answers, watch_exits;

static void on_note(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(last_note, sizeof(last_note), "%s", text);
}

static void on_act(void *ctx, int64_t handle, const json_t *frame)
{
	(void)ctx;
	(void)handle;
	if (!strcmp(json_str_opt(frame, "message", ""), "no memory left"))
		failed_answers++;
}

static void on_watch_exit(void *ctx)
{
	(void)ctx;
	watch_exits++;
}

static int setup(void **state)
{
	(void)state;
	struct sim_config cfg = {
		.events = {.note = on_note, .act = on_act, .watch_exit = on_watch_exit}};
	sim = sim_new(&cfg);
	last_note[0] = '\0';
	failed_answers = watch_exits = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_free(sim);
	err_done(&err);
	return 0;
}

static void script(const char *text)
{
	assert_ok(sim_script(sim, text, &err), &err);
}

static void bad(const char *text, const char *why)
{
	assert_fails(sim_script(sim, text, &err), &err, ERR_INVALID, why);
	assert_int_equal(sim_next_due(sim), -1);
	assert_int_equal(sim_domains(sim), 0);
}

static void clear(int64_t op)
{
	_cleanup_json_ json_t *req = json_make("{s:s, s:I, s:s, s:s, s:s}", "t", "clear", "op",
		(json_int_t)op, "uuid", UUID, "store", "x", "lock", "/run/lock");
	assert_true(sim_act_start(sim, req, NULL, 0, &err) > 0);
	sim_advance(sim, sim_now(sim) + 1000 * MS);
}

static void test_bad_lines_are_named_and_nothing_is_done(void **state)
{
	(void)state;
	bad("stranger " UUID "\nfrobnicate " UUID, "line 2");
	bad("stranger " UUID "\n\n# x\nat 2s frobnicate", "line 4");
	bad("frobnicate", "unknown word \"frobnicate\"");
	bad("destroy", "it is: destroy UUID");
	bad("at 2s", "at TIME LINE");
	bad("at 2h stranger " UUID, "\"2h\" is not a time");
	bad("at 2s at 3s stranger " UUID, "one \"at\"");
	bad("fault create after 0 times 1", "fault POINT after N times M KIND");
	bad("fault create before 0 times 1 fail", "fault POINT after N times M KIND");
	bad("fault mars after 0 times 1 fail", "no point \"mars\"");
	bad("fault create after 0 times 1 explode", "no kind \"explode\"");
	bad("fault create after x times 1 fail", "\"x\" is not a number");
	bad("fault create after 0 times 1 fail \"no end", "quote is not closed");
	bad("latency boot", "latency WHAT TIME");
	bad("latency lunch 2s", "no latency \"lunch\"");
	bad("jitter 101", "more than 100");
	bad("xenstored sideways", "xenstored down|up");
	bad("sensors start", "sensors kill");
	bad("a b c d e f g h i j k l m", "too many words");
}

static void test_verbs_now_and_later(void **state)
{
	(void)state;
	script("# two of them\n"
	       "stranger " UUID "   # now\n"
	       "at 250ms stranger " OTHER "\n"
	       "\tat 2s destroy 0f8a\r\n"
	       "at 4s destroy 0f8\n"
	       "at 5s destroy 99\n");
	assert_int_equal(sim_domains(sim), 1);
	sim_advance(sim, 249 * MS);
	assert_int_equal(sim_domains(sim), 1);
	sim_advance(sim, 250 * MS);
	assert_int_equal(sim_domains(sim), 2);
	assert_string_equal(last_note, "stranger " OTHER);
	sim_advance(sim, 3000 * MS);
	assert_int_equal(sim_domains(sim), 1);
	sim_advance(sim, 4500 * MS);
	assert_int_equal(sim_domains(sim), 0); /* the prefix is one domain again */
	sim_advance(sim, 6000 * MS);
	assert_string_equal(last_note, "destroy: no domain \"99\"");
}

static void test_a_prefix_of_two_is_refused(void **state)
{
	(void)state;
	script("stranger " UUID "\nstranger " OTHER);
	assert_fails(sim_script(sim, "destroy 0f8", &err), &err, ERR_INVALID, "more than one");
	assert_fails(sim_script(sim, "destroy any", &err), &err, ERR_NOTFOUND, "no domain \"any\"");
	sim_advance(sim, 10000 * MS);
	assert_int_equal(sim_domains(sim), 2); /* `any` means ours */
}

static void test_faults_latencies_xenstored_sensors(void **state)
{
	(void)state;
	script("jitter 0\nlatency clear 500ms\nfault clear after 1 times 2 fail \"no memory "
	       "left\"");
	clear(1);
	clear(2);
	clear(3);
	clear(4);
	assert_int_equal(failed_answers, 2);
	sim_watch_start(sim);
	script("xenstored down\nat 1s xenstored up\nat 2s sensors kill");
	sim_advance(sim, sim_now(sim) + 1999 * MS);
	assert_true(sim_watch_alive(sim));
	sim_advance(sim, sim_now(sim) + 10 * MS);
	assert_false(sim_watch_alive(sim));
	assert_int_equal(watch_exits, 1);
}

static int64_t clock_now;

static int64_t test_clock(void)
{
	return clock_now;
}

/* Between two sim_advance of a real loop time goes on: latencies must not shrink by that. */
static void test_a_callers_clock_counts(void **state)
{
	(void)state;
	sim_set_clock(sim, test_clock);
	script("jitter 0");
	clock_now = 10000 * MS;
	script("at 2s stranger " UUID);
	assert_int_equal(sim_next_due(sim), 12000 * MS);
	sim_advance(sim, 11999 * MS);
	assert_int_equal(sim_domains(sim), 0);
	clock_now = 12500 * MS; /* the loop is late: the event keeps its own time */
	sim_advance(sim, clock_now);
	assert_int_equal(sim_domains(sim), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_bad_lines_are_named_and_nothing_is_done),
	T(test_verbs_now_and_later),
	T(test_a_prefix_of_two_is_refused),
	T(test_faults_latencies_xenstored_sensors),
	T(test_a_callers_clock_counts),
};

UNIT_MAIN(tests, NULL, NULL)
