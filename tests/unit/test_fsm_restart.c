/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restart policies: which ends are followed by a next life, when, and when no more; the machine's way
 * from one life to the next, and what it tries again.
 */
/* LINK: fsm */
#include "unit.h"

#include "fsm/restart.h"
#include "fsm/table.h"

static struct restart_end an_end(enum pod_policy policy, enum pod_cause cause, int64_t code)
{
	return (struct restart_end){.policy = policy,
		.limit = RESTART_LIMIT,
		.want = WANT_UP,
		.cause = cause,
		.code = code,
		.ran = true};
}

static bool again(const struct restart_end *end)
{
	struct restart_verdict v;
	restart_judge(end, &v);
	return v.again;
}

/* The whole table by hand: a cause that is new has to be entered here, too. */
static const struct {
	enum pod_cause cause;
	int64_t code;
	bool on_failure, always;
} table[] = {
	{CAUSE_NONE, -1, false, false},
	{CAUSE_FINISHED, 0, false, true},
	{CAUSE_FINISHED, 1, true, true},
	{CAUSE_FINISHED, -1, true, true},
	{CAUSE_STOPPED, 0, false, false},
	{CAUSE_KILLED, -1, false, false},
	{CAUSE_RUN_LOST, 0, true, true},
	{CAUSE_SHUTDOWN, 0, false, false},
	{CAUSE_DESTROYED, -1, false, false},
	{CAUSE_GUEST_REBOOT, 0, true, true},
	{CAUSE_CRASHED, -1, true, true},
	{CAUSE_OOM, 137, true, true},
	{CAUSE_HOST_REBOOT, -1, true, true},
	{CAUSE_HOST_SHUTDOWN, 0, true, true},
	{CAUSE_QEMU_LOST, -1, true, true},
	{CAUSE_RECORD_LOST, -1, false, false},
	{CAUSE_EXPORT_FAILED, -1, true, true},
	{CAUSE_NETWORK_FAILED, -1, true, true},
	{CAUSE_CREATE_FAILED, -1, true, true},
	{CAUSE_START_FAILED, -1, true, true},
	{CAUSE_BOOT_TIMEOUT, -1, true, true},
	{CAUSE_GUEST_FAILED, -1, true, true},
	{CAUSE_RESTART_FAILED, 3, true, true},
	{CAUSE_STORE, -1, false, false},
};

static void test_every_cause(void **state)
{
	(void)state;
	bool decided[CAUSE_MAX_] = {false};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		for (enum pod_policy p = 0; p < POLICY_MAX_; p++) {
			struct restart_end e = an_end(p, table[i].cause, table[i].code);
			bool want = p == POLICY_ALWAYS       ? table[i].always
				    : p == POLICY_ON_FAILURE ? table[i].on_failure
							     : false;
			if (again(&e) != want)
				fail_msg("%s, %s, code %d: again is %d", restart_policy_name(p),
					pod_cause_name(e.cause), (int)e.code, !want);
		}
		decided[table[i].cause] = true;
	}
	for (enum pod_cause c = 0; c < CAUSE_MAX_; c++)
		if (!decided[c])
			fail_msg("%s: what follows is not in the test", pod_cause_name(c));
}

static void test_a_user_has_the_last_word(void **state)
{
	(void)state;
	for (enum pod_cause c = 0; c < CAUSE_MAX_; c++) {
		struct restart_end e = an_end(POLICY_ALWAYS, c, 1);
		e.want = WANT_DOWN;
		assert_false(again(&e));
		e.want = WANT_AGAIN;
		assert_int_equal(again(&e), pod_cause_again(c) != AGAIN_ASKED);
	}
}

static void test_a_first_start_is_not_repeated(void **state)
{
	(void)state;
	for (enum pod_cause c = 0; c < CAUSE_MAX_; c++) {
		struct restart_end e = an_end(POLICY_ALWAYS, c, 1);
		e.ran = false;
		assert_false(again(&e));
	}
}

static void test_back_off_doubles(void **state)
{
	(void)state;
	static const int64_t want[] = {
		1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000};
	struct restart_end e = an_end(POLICY_ALWAYS, CAUSE_CRASHED, -1);
	e.limit = 0;
	for (int i = 0; i < 100000; i++) {
		struct restart_verdict v;
		restart_judge(&e, &v);
		assert_true(v.again);
		assert_int_equal(v.tries, i + 1);
		assert_int_equal(v.backoff_ms, want[i < 10 ? i : 10]);
		e.tries = v.tries;
	}
}

static void test_given_up(void **state)
{
	(void)state;
	struct restart_end e = an_end(POLICY_ON_FAILURE, CAUSE_FINISHED, 1);
	struct restart_verdict v;
	e.limit = 3;
	for (int i = 0; i < 3; i++) {
		restart_judge(&e, &v);
		assert_true(v.again);
		assert_false(v.given_up);
		e.tries = v.tries;
	}
	restart_judge(&e, &v);
	assert_false(v.again);
	assert_true(v.given_up);
	assert_int_equal(v.tries, 3);
}

/* An end that no policy would follow is none that was given up. */
static void test_an_asked_end_is_not_given_up(void **state)
{
	(void)state;
	struct restart_end e = an_end(POLICY_ALWAYS, CAUSE_STOPPED, 0);
	struct restart_verdict v;
	e.tries = RESTART_LIMIT;
	restart_judge(&e, &v);
	assert_false(v.again);
	assert_false(v.given_up);
}

static void test_a_long_life_forgives(void **state)
{
	(void)state;
	struct restart_end e = an_end(POLICY_ALWAYS, CAUSE_CRASHED, -1);
	struct restart_verdict v;
	e.tries = RESTART_LIMIT;
	e.lasted = true;
	restart_judge(&e, &v);
	assert_true(v.again);
	assert_int_equal(v.tries, 0);
	assert_int_equal(v.backoff_ms, RESTART_FIRST_MS);
}

/* Neither counted nor forgiven, however often; at once, unless it is just going down. */
static void test_the_hosts_doing(void **state)
{
	(void)state;
	static const enum pod_cause causes[] = {CAUSE_HOST_REBOOT, CAUSE_HOST_SHUTDOWN};
	for (size_t i = 0; i < 2; i++) {
		struct restart_end e = an_end(POLICY_ON_FAILURE, causes[i], 0);
		struct restart_verdict v;
		e.tries = RESTART_LIMIT;
		restart_judge(&e, &v);
		assert_true(v.again);
		assert_int_equal(v.tries, RESTART_LIMIT);
		assert_int_equal(v.backoff_ms, RESTART_AT_ONCE_MS);
		e.closing = true;
		restart_judge(&e, &v);
		assert_true(v.again);
		assert_int_equal(v.backoff_ms, 0);
	}
	struct restart_end e = an_end(POLICY_ALWAYS, CAUSE_CRASHED, -1);
	struct restart_verdict v;
	e.closing = true;
	restart_judge(&e, &v);
	assert_int_equal(v.backoff_ms, 0);
}

static void test_causes_between_lives(void **state)
{
	(void)state;
	assert_int_equal(pod_cause_now(POD_RUNNING, CAUSE_CRASHED, CAUSE_DESTROYED), CAUSE_CRASHED);
	assert_int_equal(pod_cause_now(POD_STOPPING, CAUSE_STOPPED, CAUSE_KILLED), CAUSE_KILLED);
	assert_int_equal(pod_cause_now(POD_RUNNING, CAUSE_FINISHED, CAUSE_KILLED), CAUSE_FINISHED);
	assert_int_equal(pod_cause_now(POD_BACKOFF, CAUSE_CRASHED, CAUSE_STOPPED), CAUSE_STOPPED);
	assert_int_equal(pod_cause_now(POD_RESTARTING, CAUSE_CRASHED,
				 pod_cause_of(POD_RESTARTING, EV_DEADLINE)),
		CAUSE_RESTART_FAILED);
	assert_int_equal(pod_cause_now(POD_BACKOFF, CAUSE_CRASHED,
				 pod_cause_of(POD_BACKOFF, EV_HOST_REBOOT)),
		CAUSE_CRASHED);
}

static void test_names(void **state)
{
	(void)state;
	for (enum pod_policy p = 0; p < POLICY_MAX_; p++)
		assert_int_equal(restart_policy_from_name(restart_policy_name(p)), p);
	assert_int_equal(restart_policy_from_name("onfailure"), -1);
	assert_int_equal(restart_policy_from_name(""), -1);
}

/* ---- the machine ---------------------------------------------------------------------------- */

static bool asks(const struct pod_row_def *row, enum pod_effect fx)
{
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		if (row->effects[i] == fx)
			return true;
	return false;
}

static void assert_row(bool ok, enum pod_state s, enum pod_event e, const char *law)
{
	if (!ok)
		fail_msg("%s --%s--> %s: %s", pod_state_name(s), pod_event_name(e),
			pod_state_name(pod_table[s][e].next), law);
}

#define FOR_ROWS(s, e)                                                                             \
	for (enum pod_state s = 0; s < POD_STATE_MAX_; s++)                                        \
		for (enum pod_event e = EV_NONE + 1; e < EV_MAX_; e++)                             \
			if (pod_table[s][e].listed)

/* A `run` that is not waited for any more must not hold the lock, or hand the pod over later. */
static void test_nobody_waits_for_a_dismissed_run(void **state)
{
	(void)state;
	FOR_ROWS (s, e)
		if (s == POD_RESTARTING && pod_table[s][e].next != s)
			assert_row(asks(&pod_table[s][e], FX_DISMISS) == (e != EV_HANDED_OVER), s,
				e, "leaves its run to itself");
}

/* The only way to another life leads over collect, backoff and a run that hands the pod over. */
static void test_the_way_to_another_life(void **state)
{
	(void)state;
	FOR_ROWS (s, e) {
		enum pod_state to = pod_table[s][e].next;
		if (to == POD_BACKOFF && s != to)
			assert_row(s == POD_COLLECTING && e == EV_COLLECTED_AGAIN, s, e,
				"comes to backoff uncollected");
		if (to == POD_RESTARTING && s != to)
			assert_row(s == POD_BACKOFF, s, e, "is restarted out of something else");
		if (to == POD_ACCEPTED)
			assert_row(s == POD_RESTARTING && e == EV_HANDED_OVER, s, e,
				"is accepted again");
	}
}

static void test_retries_back_off(void **state)
{
	(void)state;
	static const struct {
		enum pod_state s;
		enum pod_event e;
	} retried[] = {
		{POD_DESTROYING, EV_DESTROY_FAILED},
		{POD_COLLECTING, EV_COLLECT_FAILED},
		{POD_RELEASING, EV_CLEAR_FAILED},
		{POD_RELEASING, EV_RELEASE_FAILED},
	};
	for (size_t i = 0; i < sizeof retried / sizeof retried[0]; i++) {
		int64_t last = 0;
		for (int n = 0; n < 1000; n++) {
			struct pod_facts facts = {.want = WANT_DOWN, .deadlines = n};
			struct pod_update u;
			pod_step(retried[i].s, retried[i].e, &facts, &u);
			assert_int_equal(u.next, retried[i].s);
			assert_in_range(u.deadline_ms, n < 5 ? last + 1 : last, 64000);
			last = u.deadline_ms;
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_cause),
	cmocka_unit_test(test_a_user_has_the_last_word),
	cmocka_unit_test(test_a_first_start_is_not_repeated),
	cmocka_unit_test(test_back_off_doubles),
	cmocka_unit_test(test_given_up),
	cmocka_unit_test(test_an_asked_end_is_not_given_up),
	cmocka_unit_test(test_a_long_life_forgives),
	cmocka_unit_test(test_the_hosts_doing),
	cmocka_unit_test(test_causes_between_lives),
	cmocka_unit_test(test_names),
	cmocka_unit_test(test_nobody_waits_for_a_dismissed_run),
	cmocka_unit_test(test_the_way_to_another_life),
	cmocka_unit_test(test_retries_back_off),
};

UNIT_MAIN(tests, NULL, NULL)
