/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds on every way that a pod can take: all combinations of state, effect under way, wish
 * and known cause are walked through, by every event that can happen there.
 */
/* LINK: fsm */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "fsm/cause.h"
#include "fsm/pod.h"

/* Where a pod can be. The effect under way: asked for, not answered, not replaced by another. */
struct spot {
	enum pod_state state;
	enum pod_effect under_way;
	enum pod_want want;
	enum pod_cause cause;
	bool started;    /* the guest has said once that all apps are started */
	bool comes_back; /* its policy is always, and it has been running in a life before */
};

#define SPOTS (POD_STATE_MAX_ * FX_MAX_ * WANT_MAX_ * CAUSE_MAX_ * 4)

static struct spot spots[SPOTS];
static size_t n_spots;
static bool seen[POD_STATE_MAX_][FX_MAX_][WANT_MAX_][CAUSE_MAX_][2][2];

static void visit(struct spot s)
{
	bool *was = &seen[s.state][s.under_way][s.want][s.cause][s.started][s.comes_back];
	if (*was)
		return;
	*was = true;
	spots[n_spots++] = s;
}

/* Completions come only of what is under way; the guard's events only by the guard. */
static bool can_happen(const struct spot *s, enum pod_event e)
{
	switch (pod_event_who(e)) {
	case 'C':
		return pod_effect_done(s->under_way) == e || pod_effect_failed(s->under_way) == e;
	case 'G':
		return false;
	default:
		return e != EV_NONE;
	}
}

static struct pod_facts facts_of(const struct spot *s)
{
	return (struct pod_facts){
		.want = s->want,
		.failed = pod_cause_failed(s->cause),
		.started = s->started,
		.again = s->comes_back && s->want != WANT_DOWN &&
			 pod_cause_again(s->cause) != AGAIN_ASKED,
		.backoff_ms = 1000,
	};
}

/* As the engine does it; false: the event is not answered here. */
static bool follow(const struct spot *s, enum pod_event e, struct spot *ret)
{
	struct pod_facts facts = facts_of(s);
	struct pod_update u;
	pod_step(s->state, e, &facts, &u);
	*ret = *s;
	if (pod_event_who(e) == 'C')
		ret->under_way = FX_NONE;
	if (!u.listed)
		return false;
	ret->state = u.next;
	ret->cause = pod_cause_now(s->state, s->cause, pod_cause_of(s->state, u.event));
	if (u.event == EV_STOP || u.event == EV_KILL)
		ret->want = WANT_DOWN;
	ret->started = s->started || u.event == EV_GUEST_RUNNING;
	if (u.event == EV_COLLECTED_AGAIN)
		ret->want = WANT_UP;
	if (u.event == EV_HANDED_OVER) {
		ret->cause = CAUSE_NONE;
		ret->started = false;
	}
	for (int i = 0; i < POD_EFFECTS_MAX; i++)
		if (pod_effect_done(u.effects[i]) != EV_NONE)
			ret->under_way = u.effects[i];
	return true;
}

static int walk_all(void **state)
{
	(void)state;
	visit((struct spot){.state = POD_ACCEPTED});
	visit((struct spot){.state = POD_ACCEPTED, .comes_back = true});
	for (size_t i = 0; i < n_spots; i++)
		for (enum pod_event e = EV_NONE; e < EV_MAX_; e++) {
			struct spot next;
			if (!can_happen(&spots[i], e))
				continue;
			follow(&spots[i], e, &next); /* unanswered: a late completion is over */
			visit(next);
			/* Its `run` has died, or the host goes down: this life only. */
			if (e != EV_STOP || !next.comes_back || spots[i].want == WANT_DOWN)
				continue;
			next.want = WANT_AGAIN;
			next.cause =
				pod_cause_now(spots[i].state, spots[i].cause, CAUSE_HOST_SHUTDOWN);
			visit(next);
		}
	return 0;
}

static void assert_spot(bool ok, const struct spot *s, const char *law)
{
	if (!ok)
		fail_msg("%s (%s under way, wanted %s, cause \"%s\"): %s", pod_state_name(s->state),
			pod_effect_name(s->under_way), pod_want_name(s->want),
			pod_cause_name(s->cause), law);
}

static void test_walk_is_whole(void **state)
{
	(void)state;
	bool reached[POD_STATE_MAX_] = {false};
	assert_true(n_spots > 3 * POD_STATE_MAX_);
	for (size_t i = 0; i < n_spots; i++)
		reached[spots[i].state] = true;
	for (enum pod_state s = 0; s < POD_STATE_MAX_; s++)
		if (!reached[s])
			fail_msg("%s is not reached on any real way", pod_state_name(s));
}

static void test_an_end_has_a_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++)
		if (spots[i].state >= POD_DESTROYING)
			assert_spot(spots[i].cause != CAUSE_NONE, &spots[i], "ends for no reason");
}

static void test_failed_is_a_failure(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++) {
		if (spots[i].state == POD_FAILED)
			assert_spot(pod_cause_failed(spots[i].cause), &spots[i], "failed without");
		if (spots[i].state == POD_EXITED)
			assert_spot(!pod_cause_failed(spots[i].cause), &spots[i], "not said");
	}
}

/* Nobody who asked for an end waits without end: wanted down, something is always due. */
static void test_a_stop_never_rests(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++)
		if (spots[i].want != WANT_UP && !pod_state_ended(spots[i].state))
			assert_spot(pod_state_deadline_ms(spots[i].state) > 0, &spots[i],
				"was asked to stop, and rests");
}

/* With silence from everybody, deadlines alone bring a pod that shall end to its end or a retry. */
static void test_deadlines_lead_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++) {
		struct spot at = spots[i];
		if (at.want != WANT_DOWN || pod_state_ended(at.state))
			continue;
		for (int n = 0; n < POD_STATE_MAX_; n++)
			assert_true(follow(&at, EV_DEADLINE, &at));
		bool retries = at.state == POD_DESTROYING || at.state == POD_DYING ||
			       at.state == POD_COLLECTING;
		assert_spot(retries, &spots[i], "time alone does not bring it near its end");
	}
}

/*
 * What makes something must be waited for or be replaced by what undoes it: an answer that comes
 * too late would leave behind what nobody knows of.
 */
static void test_no_maker_is_left_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++) {
		const struct spot *s = &spots[i];
		if (s->under_way == FX_EXPORT)
			assert_spot(s->state == POD_EXPORTING, s, "exports left to themselves");
		if (s->under_way == FX_NETWORK)
			assert_spot(s->state == POD_NETWORKING, s, "a network left to itself");
		if (s->under_way == FX_CREATE)
			assert_spot(s->state == POD_CREATING, s, "a domain left to itself");
	}
}

/* A state whose end is an answer has that effect under way, or a deadline that asks again. */
static void test_whoever_waits_is_answered(void **state)
{
	(void)state;
	static const struct {
		enum pod_state in;
		enum pod_effect fx;
	} waits[] = {
		{POD_EXPORTING, FX_EXPORT},
		{POD_NETWORKING, FX_NETWORK},
		{POD_CREATING, FX_CREATE},
		{POD_UNPAUSING, FX_GO},
		{POD_PAUSING, FX_PAUSE},
		{POD_CLEARING, FX_CLEAR},
		{POD_RESTARTING, FX_SPAWN},
	};
	for (size_t i = 0; i < n_spots; i++)
		for (size_t w = 0; w < sizeof waits / sizeof waits[0]; w++)
			if (spots[i].state == waits[w].in)
				assert_spot(spots[i].under_way == waits[w].fx, &spots[i],
					"waits for what is not under way");
}

/* An answer that is not listed where it arrives is over; the state must not have waited for it. */
static void test_late_answers_are_harmless(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++) {
		const struct spot *s = &spots[i];
		enum pod_event answers[] = {
			pod_effect_done(s->under_way), pod_effect_failed(s->under_way)};
		struct spot next;
		for (int a = 0; a < 2 && answers[a] != EV_NONE; a++)
			if (!follow(s, answers[a], &next))
				assert_spot(s->under_way != FX_CREATE &&
						    s->under_way != FX_EXPORT &&
						    s->under_way != FX_DESTROY &&
						    s->under_way != FX_CLEAR &&
						    s->under_way != FX_COLLECT &&
						    s->under_way != FX_RELEASE,
					s, "an answer that matters is thrown away");
	}
}

/* The lock is held on every way until collect has said that the codes are on disk. */
static void test_lock_until_collected(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++) {
		struct spot next;
		for (enum pod_event e = EV_NONE + 1; e < EV_MAX_; e++) {
			if (!can_happen(&spots[i], e) || !follow(&spots[i], e, &next))
				continue;
			if (pod_state_ended(spots[i].state) || !pod_state_ended(next.state))
				continue;
			assert_spot(spots[i].under_way == FX_COLLECT && e == EV_COLLECTED,
				&spots[i], "ends without having collected");
		}
	}
}

/* No pod runs again after somebody has asked for its end. */
static void test_down_stays_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++)
		if (spots[i].want != WANT_UP)
			assert_spot(spots[i].state != POD_RUNNING &&
					    spots[i].state != POD_BOOTING &&
					    spots[i].state != POD_UNPAUSING,
				&spots[i], "goes on although it was told to stop");
}

/* Whoever has asked for the end of a pod does not meet it again; who has no policy has one life. */
static void test_another_life_is_wanted(void **state)
{
	(void)state;
	bool reached = false;
	for (size_t i = 0; i < n_spots; i++) {
		const struct spot *s = &spots[i];
		if (s->state != POD_BACKOFF && s->state != POD_RESTARTING)
			continue;
		reached = true;
		assert_spot(s->comes_back, s, "comes back without a policy");
		assert_spot(s->want == WANT_UP, s, "comes back against its user's will");
		assert_spot(pod_cause_again(s->cause) != AGAIN_ASKED, s, "was asked to end");
	}
	assert_true(reached);
}

/* `ready` is a promise to whoever waits for it: only the guest can say that its apps are started. */
static void test_running_is_what_the_guest_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_spots; i++)
		if (spots[i].state == POD_RUNNING)
			assert_spot(spots[i].started, &spots[i], "its apps are not started");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_walk_is_whole),
	cmocka_unit_test(test_an_end_has_a_cause),
	cmocka_unit_test(test_failed_is_a_failure),
	cmocka_unit_test(test_a_stop_never_rests),
	cmocka_unit_test(test_deadlines_lead_out),
	cmocka_unit_test(test_no_maker_is_left_alone),
	cmocka_unit_test(test_whoever_waits_is_answered),
	cmocka_unit_test(test_late_answers_are_harmless),
	cmocka_unit_test(test_lock_until_collected),
	cmocka_unit_test(test_down_stays_down),
	cmocka_unit_test(test_another_life_is_wanted),
	cmocka_unit_test(test_running_is_what_the_guest_said),
};

UNIT_MAIN(tests, walk_all, NULL)
