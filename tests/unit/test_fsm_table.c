/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every row of the pod machine's table must obey, by itself: loops over states x events, no
 * examples. What needs the way a pod has come is test_fsm_walk.c.
 */
/* LINK: fsm */
#include "unit.h"

#include <stdbool.h>

#include "fsm/cause.h"
#include "fsm/pod.h"
#include "fsm/table.h"

#define FOR_STATES(s) for (enum pod_state s = 0; s < POD_STATE_MAX_; s++)
#define FOR_EVENTS(e) for (enum pod_event e = EV_NONE + 1; e < EV_MAX_; e++)
#define FOR_ROWS(s, e)                                                                             \
	FOR_STATES (s)                                                                             \
		FOR_EVENTS (e)                                                                     \
			if (pod_table[s][e].listed)

static bool lists(enum pod_state s, enum pod_event e)
{
	return pod_table[s][e].listed;
}

static bool asks(const struct pod_row_def *row, enum pod_effect fx)
{
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		if (row->effects[i] == fx)
			return true;
	return false;
}

static bool owns(enum pod_state s, unsigned what)
{
	return pod_state_owns(s) & what;
}

static void assert_row(bool ok, enum pod_state s, enum pod_event e, const char *law)
{
	if (!ok)
		fail_msg("%s --%s--> %s: %s", pod_state_name(s), pod_event_name(e),
			pod_state_name(pod_table[s][e].next), law);
}

static void assert_state(bool ok, enum pod_state s, const char *law)
{
	if (!ok)
		fail_msg("%s: %s", pod_state_name(s), law);
}

/* Every combination of facts that can make a difference to guard or deadline. */
#define N_FACTS (WANT_MAX_ * 128)
static struct pod_facts facts_of(int i)
{
	int bits = i / WANT_MAX_;
	return (struct pod_facts){
		.want = (enum pod_want)(i % WANT_MAX_),
		.failed = bits & 1,
		.started = bits & 2,
		.grace_ms = bits & 4 ? 8000 : 0,
		.deadlines = bits & 8 ? 3 : 0,
		.again = bits & 16,
		.closing = bits & 32,
		.backoff_ms = bits & 64 ? 4000 : 0,
	};
}

/* ---- ways ------------------------------------------------------------------------------------ */

static void mark(bool seen[POD_STATE_MAX_], enum pod_state from)
{
	if (seen[from])
		return;
	seen[from] = true;
	FOR_EVENTS (e)
		if (lists(from, e))
			mark(seen, pod_table[from][e].next);
}

static void test_all_reachable(void **state)
{
	(void)state;
	bool seen[POD_STATE_MAX_] = {false};
	mark(seen, POD_ACCEPTED);
	FOR_STATES (s)
		assert_state(seen[s], s, "no way leads here from accepted");
}

static void test_all_can_end(void **state)
{
	(void)state;
	FOR_STATES (s) {
		bool seen[POD_STATE_MAX_] = {false};
		mark(seen, s);
		assert_state(seen[POD_GONE], s, "no way leads from here to gone");
	}
}

static void test_gone_is_final(void **state)
{
	(void)state;
	FOR_STATES (s)
		assert_int_equal(pod_state_final(s), s == POD_GONE);
	FOR_EVENTS (e)
		assert_false(lists(POD_GONE, e));
}

/* The end is final: no way back into life, whatever is said to a pod that has ended. */
static void test_ended_stays_ended(void **state)
{
	(void)state;
	FOR_ROWS (s, e)
		if (pod_state_ended(s))
			assert_row(
				pod_state_ended(pod_table[s][e].next), s, e, "comes back to life");
}

/* ---- what must be answered ------------------------------------------------------------------- */

static void test_deadlines_are_answered(void **state)
{
	(void)state;
	FOR_STATES (s)
		assert_state(lists(s, EV_DEADLINE) == (pod_state_deadline_ms(s) > 0), s,
			"a deadline and its row come together");
}

/* A deadline that is answered by staying must be set again, or the pod waits for ever. */
static void test_deadlines_are_set_again(void **state)
{
	(void)state;
	FOR_STATES (s)
		for (int i = 0; lists(s, EV_DEADLINE) && i < N_FACTS; i++) {
			struct pod_facts facts = facts_of(i);
			struct pod_update u;
			pod_step(s, EV_DEADLINE, &facts, &u);
			bool set = u.deadline_ms > 0;
			/* Nothing is due before somebody says START, or the host is up again. */
			if (u.event == EV_HELD_BACK) {
				assert_int_equal(u.deadline_ms, 0);
				continue;
			}
			assert_row(u.next == s ? set : set == (pod_state_deadline_ms(u.next) > 0),
				s, EV_DEADLINE, "the next deadline is not set");
		}
}

static void test_requests_to_end_are_answered(void **state)
{
	(void)state;
	FOR_STATES (s) {
		if (s == POD_GONE)
			continue;
		assert_state(lists(s, EV_STOP), s, "does not answer stop");
		assert_state(lists(s, EV_KILL), s, "does not answer kill");
		assert_state(lists(s, EV_HOST_REBOOT), s, "does not answer the host's reboot");
	}
}

static void test_death_is_answered(void **state)
{
	(void)state;
	FOR_STATES (s)
		if (owns(s, POD_OWNS_DOMAIN))
			assert_state(
				lists(s, EV_DOMAIN_DEAD), s, "does not answer the domain's death");
}

/* What a guest or its domain can say at any moment while the domain runs. */
static void test_the_world_is_answered(void **state)
{
	(void)state;
	static const enum pod_event said[] = {EV_GUEST_APP, EV_GUEST_RUNNING, EV_GUEST_STOPPING,
		EV_GUEST_DONE, EV_GUEST_FAILED, EV_DOMAIN_STOPPED, EV_DOMAIN_CRASHED,
		EV_DOMAIN_RUNS, EV_DOMAIN_PAUSED, EV_QEMU_GONE};
	for (enum pod_state s = POD_UNPAUSING; s <= POD_STOPPING; s++)
		for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
			if (!lists(s, said[i]))
				fail_msg("%s does not answer %s", pod_state_name(s),
					pod_event_name(said[i]));
}

/* The codes of apps that end while everything is being torn down are still wanted. */
static void test_codes_are_taken_until_quiet(void **state)
{
	(void)state;
	for (enum pod_state s = POD_UNPAUSING; s <= POD_DYING; s++) {
		assert_state(lists(s, EV_GUEST_APP), s, "an app's exit code would be lost");
		assert_state(lists(s, EV_GUEST_DONE), s, "the pod's exit code would be lost");
	}
}

static void test_no_event_or_effect_is_idle(void **state)
{
	(void)state;
	bool event[EV_MAX_] = {false};
	bool effect[FX_MAX_] = {false};
	FOR_ROWS (s, e) {
		event[e] = true;
		for (int i = 0; i < POD_EFFECTS_MAX; i++)
			effect[pod_table[s][e].effects[i]] = true;
	}
	FOR_EVENTS (e)
		if (!event[e])
			fail_msg("event %s is listed nowhere", pod_event_name(e));
	for (enum pod_effect f = FX_NONE + 1; f < FX_MAX_; f++)
		if (!effect[f])
			fail_msg("effect %s is asked for nowhere", pod_effect_name(f));
}

/* ---- effects --------------------------------------------------------------------------------- */

static void test_effect_lists(void **state)
{
	(void)state;
	FOR_ROWS (s, e) {
		const enum pod_effect *fx = pod_table[s][e].effects;
		int async = 0;
		for (int i = 0; i < POD_EFFECTS_MAX; i++) {
			async += pod_effect_done(fx[i]) != EV_NONE;
			for (int j = 0; fx[i] != FX_NONE && j < i; j++) {
				assert_row(
					fx[j] != FX_NONE, s, e, "an effect after the list's end");
				assert_row(fx[j] != fx[i], s, e, "the same effect twice");
			}
		}
		assert_row(async <= 1, s, e, "two asynchronous effects under way at once");
	}
}

static bool answers(enum pod_state s, enum pod_event e)
{
	for (int i = 0; i < N_FACTS; i++) {
		struct pod_facts facts = facts_of(i);
		if (!lists(s, pod_guard(s, e, &facts)))
			return false;
	}
	return true;
}

static void test_completions_are_awaited(void **state)
{
	(void)state;
	FOR_ROWS (s, e)
		for (int i = 0; i < POD_EFFECTS_MAX; i++) {
			enum pod_effect fx = pod_table[s][e].effects[i];
			enum pod_state to = pod_table[s][e].next;
			if (pod_effect_done(fx) == EV_NONE)
				continue;
			assert_row(answers(to, pod_effect_done(fx)), s, e,
				"its success is not awaited");
			assert_row(answers(to, pod_effect_failed(fx)), s, e,
				"its failure is not awaited");
		}
}

/* ---- ownership ------------------------------------------------------------------------------- */

static void test_ended_owns_nothing(void **state)
{
	(void)state;
	FOR_STATES (s)
		assert_state(pod_state_ended(s) == (pod_state_owns(s) == POD_OWNS_NOTHING), s,
			"ended means nothing is owned, and only that");
}

static void test_lock_never_comes_back(void **state)
{
	(void)state;
	FOR_ROWS (s, e)
		if (!owns(s, POD_OWNS_LOCK))
			assert_row(!owns(pod_table[s][e].next, POD_OWNS_LOCK), s, e,
				"takes the lock again");
}

static void test_domain_is_under_the_lock(void **state)
{
	(void)state;
	FOR_STATES (s)
		if (owns(s, POD_OWNS_DOMAIN | POD_OWNS_EXPORTS))
			assert_state(
				owns(s, POD_OWNS_LOCK), s, "something lives outside of the lock");
}

/* Nothing is owned but by asking for it: exports by export, a domain by create. */
static void test_gained_by_effect(void **state)
{
	(void)state;
	FOR_ROWS (s, e) {
		const struct pod_row_def *row = &pod_table[s][e];
		if (!owns(s, POD_OWNS_EXPORTS) && owns(row->next, POD_OWNS_EXPORTS))
			assert_row(asks(row, FX_EXPORT), s, e, "exports out of nothing");
		if (!owns(s, POD_OWNS_DOMAIN) && owns(row->next, POD_OWNS_DOMAIN))
			assert_row(asks(row, FX_CREATE), s, e, "a domain out of nothing");
	}
}

/*
 * What a state does not own any more is gone: a domain when everything about it is quiet, exports
 * when clear was tried, the lock when collect is through; or all of it when the host has rebooted.
 */
static void test_given_up_by_effect(void **state)
{
	(void)state;
	FOR_ROWS (s, e) {
		const struct pod_row_def *row = &pod_table[s][e];
		unsigned lost = pod_state_owns(s) & ~pod_state_owns(row->next);
		if (lost & POD_OWNS_DOMAIN)
			assert_row(e == EV_HOST_REBOOT || (s == POD_DYING && e == EV_QUIET), s, e,
				"the domain may still be there");
		if (lost & POD_OWNS_EXPORTS)
			assert_row(e == EV_HOST_REBOOT || s == POD_CLEARING, s, e,
				"the exports may still be there");
		if (lost & POD_OWNS_LOCK)
			assert_row(s == POD_COLLECTING &&
					   (e == EV_COLLECTED || e == EV_COLLECTED_FAILED),
				s, e, "the lock goes before the codes are on disk");
	}
}

/* And whoever enters a state that takes something down asks for it. */
static void test_enters_with_effect(void **state)
{
	(void)state;
	static const struct {
		enum pod_state in;
		enum pod_effect fx;
	} laws[] = {
		{POD_EXPORTING, FX_EXPORT},
		{POD_NETWORKING, FX_NETWORK},
		{POD_CREATING, FX_CREATE},
		{POD_UNPAUSING, FX_GO},
		{POD_PAUSING, FX_PAUSE},
		{POD_RESUMING, FX_RESUME},
		{POD_DESTROYING, FX_DESTROY},
		{POD_DYING, FX_UNMAP},
		{POD_CLEARING, FX_CLEAR},
		{POD_COLLECTING, FX_COLLECT},
		{POD_BACKOFF, FX_TELL},
		{POD_RESTARTING, FX_SPAWN},
		{POD_EXITED, FX_UNLOCK},
		{POD_EXITED, FX_TELL},
		{POD_FAILED, FX_UNLOCK},
		{POD_FAILED, FX_TELL},
		{POD_RELEASING, FX_CLEAR},
		{POD_GONE, FX_FORGET},
	};
	FOR_ROWS (s, e)
		for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++)
			if (pod_table[s][e].next == laws[i].in && s != laws[i].in)
				assert_row(asks(&pod_table[s][e], laws[i].fx), s, e,
					"enters without the effect that the state is about");
}

/* No domain runs that nobody watches: the death event comes before the first instruction. */
static void test_watched_before_it_goes(void **state)
{
	(void)state;
	FOR_ROWS (s, e) {
		const struct pod_row_def *row = &pod_table[s][e];
		if (asks(row, FX_GO))
			assert_row(row->effects[0] == FX_WATCH && row->effects[1] == FX_GO, s, e,
				"goes unwatched");
	}
}

/* ---- the step -------------------------------------------------------------------------------- */

static void assert_same(const struct pod_update *a, const struct pod_update *b)
{
	assert_int_equal(a->listed, b->listed);
	assert_int_equal(a->event, b->event);
	assert_int_equal(a->next, b->next);
	assert_int_equal(a->deadline_ms, b->deadline_ms);
	assert_memory_equal(a->effects, b->effects, sizeof a->effects);
}

static void test_step_is_a_function(void **state)
{
	(void)state;
	FOR_STATES (s)
		FOR_EVENTS (e)
			for (int i = 0; i < N_FACTS; i++) {
				struct pod_facts facts = facts_of(i);
				struct pod_update a;
				struct pod_update b;
				memset(&a, 0x55, sizeof a);
				memset(&b, 0xaa, sizeof b);
				pod_step(s, e, &facts, &a);
				struct pod_facts again = facts_of(i);
				pod_step(s, e, &again, &b);
				assert_same(&a, &b);
				assert_int_equal(a.event, pod_guard(s, e, &facts));
				assert_int_equal(facts.want, again.want);
			}
}

static void test_unlisted_changes_nothing(void **state)
{
	(void)state;
	FOR_STATES (s)
		FOR_EVENTS (e)
			for (int i = 0; i < N_FACTS; i++) {
				struct pod_facts facts = facts_of(i);
				struct pod_update u;
				pod_step(s, e, &facts, &u);
				assert_int_equal(u.listed, lists(s, u.event));
				assert_int_equal(u.next, u.listed ? pod_table[s][u.event].next : s);
				if (u.listed)
					continue;
				assert_int_equal(u.deadline_ms, -1);
				assert_int_equal(u.effects[0], FX_NONE);
			}
}

/* Events made by the guard come out of a listed event, and only where a row waits for them. */
static void test_guard(void **state)
{
	(void)state;
	bool made[POD_STATE_MAX_][EV_MAX_] = {{false}};
	FOR_ROWS (s, e)
		for (int i = 0; i < N_FACTS; i++) {
			struct pod_facts facts = facts_of(i);
			enum pod_event really = pod_guard(s, e, &facts);
			assert_row(lists(s, really), s, e,
				"the guard makes an event that is not listed");
			assert_row(really == e || pod_event_who(really) == 'G', s, e,
				"the guard speaks for somebody else");
			if (pod_event_who(e) != 'G')
				made[s][really] = true;
		}
	FOR_ROWS (s, e)
		assert_row(made[s][e], s, e, "a row for what the guard never makes");
}

static void test_deadline_of_a_move(void **state)
{
	(void)state;
	FOR_ROWS (s, e) {
		struct pod_facts facts = {
			.want = WANT_UP, .started = true, .grace_ms = 1234, .backoff_ms = 4321};
		struct pod_update u;
		pod_step(s, e, &facts, &u);
		int64_t own = pod_state_deadline_ms(u.next);
		if (u.next != s && e == EV_GUEST_STOPPING)
			assert_row(u.deadline_ms == 600000, s, e, "no time for a slow reader");
		else if (u.next == POD_BACKOFF)
			assert_row(u.deadline_ms == (e == EV_COLLECTED_AGAIN ? 4321 : 0), s, e,
				"not the back-off");
		else if (u.next != s && u.next == POD_STOPPING)
			assert_row(u.deadline_ms == own + 1234, s, e, "the grace is not granted");
		else if (u.next != s)
			assert_row(u.deadline_ms == own, s, e, "not the state's own deadline");
		/* Staying with nothing to do: noise prolongs nothing. */
		else if (u.effects[0] == FX_NONE)
			assert_row(
				u.deadline_ms == -1 || (u.deadline_ms > 0 && u.deadline_ms <= own),
				s, e, "staying prolongs the deadline");
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_all_reachable),
	cmocka_unit_test(test_all_can_end),
	cmocka_unit_test(test_gone_is_final),
	cmocka_unit_test(test_ended_stays_ended),
	cmocka_unit_test(test_deadlines_are_answered),
	cmocka_unit_test(test_deadlines_are_set_again),
	cmocka_unit_test(test_requests_to_end_are_answered),
	cmocka_unit_test(test_death_is_answered),
	cmocka_unit_test(test_the_world_is_answered),
	cmocka_unit_test(test_codes_are_taken_until_quiet),
	cmocka_unit_test(test_no_event_or_effect_is_idle),
	cmocka_unit_test(test_effect_lists),
	cmocka_unit_test(test_completions_are_awaited),
	cmocka_unit_test(test_ended_owns_nothing),
	cmocka_unit_test(test_lock_never_comes_back),
	cmocka_unit_test(test_domain_is_under_the_lock),
	cmocka_unit_test(test_gained_by_effect),
	cmocka_unit_test(test_given_up_by_effect),
	cmocka_unit_test(test_enters_with_effect),
	cmocka_unit_test(test_watched_before_it_goes),
	cmocka_unit_test(test_step_is_a_function),
	cmocka_unit_test(test_unlisted_changes_nothing),
	cmocka_unit_test(test_guard),
	cmocka_unit_test(test_deadline_of_a_move),
};

UNIT_MAIN(tests, NULL, NULL)
