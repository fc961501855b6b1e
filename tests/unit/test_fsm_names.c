/* SPDX-License-Identifier: Apache-2.0 */
/* The names that are stored, sent and shown: unique, well formed, found again, none missing. */
/* LINK: fsm */
#include "unit.h"

#include <ctype.h>

#include "fsm/cause.h"
#include "fsm/pod.h"

static const char *state_name(int i)
{
	return pod_state_name((enum pod_state)i);
}

static const char *event_name(int i)
{
	return pod_event_name((enum pod_event)i);
}

static const char *effect_name(int i)
{
	return pod_effect_name((enum pod_effect)i);
}

static const char *want_name(int i)
{
	return pod_want_name((enum pod_want)i);
}

static const char *cause_name(int i)
{
	return pod_cause_name((enum pod_cause)i);
}

static const struct list {
	const char *of;
	int n;
	const char *(*name)(int i);
	int (*from)(const char *name);
} lists[] = {
	{"state", POD_STATE_MAX_, state_name, pod_state_from_name},
	{"event", EV_MAX_, event_name, pod_event_from_name},
	{"effect", FX_MAX_, effect_name, pod_effect_from_name},
	{"want", WANT_MAX_, want_name, pod_want_from_name},
	{"cause", CAUSE_MAX_, cause_name, pod_cause_from_name},
};
#define N_LISTS (sizeof lists / sizeof lists[0])

/* A wrong name found again would be the first of two equal ones: this shows uniqueness as well. */
static void test_round_trip(void **state)
{
	(void)state;
	for (size_t l = 0; l < N_LISTS; l++)
		for (int i = 0; i < lists[l].n; i++) {
			const char *name = lists[l].name(i);
			if (!name)
				fail_msg("%s %d has no name", lists[l].of, i);
			if (lists[l].from(name) != i)
				fail_msg("%s \"%s\" is %d, found as %d", lists[l].of, name, i,
					lists[l].from(name));
		}
}

static bool is_word(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!islower((unsigned char)*s) && (*s != '-' || !islower((unsigned char)s[1])))
			return false;
	return true;
}

static void test_form(void **state)
{
	(void)state;
	for (size_t l = 0; l < N_LISTS; l++)
		for (int i = 0; i < lists[l].n; i++) {
			const char *name = lists[l].name(i);
			bool no_cause = lists[l].from == pod_cause_from_name && i == CAUSE_NONE;
			if (no_cause ? *name : !is_word(name))
				fail_msg("%s %d: \"%s\"", lists[l].of, i, name);
		}
}

static void test_strangers(void **state)
{
	(void)state;
	static const char *const names[] = {"RUNNING", "run", "running ", "no-such-thing", "\xff"};
	for (size_t l = 0; l < N_LISTS; l++)
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			assert_int_equal(lists[l].from(names[i]), -1);
}

/* Fine states inside, few words outside; a word that ended pods share means the same for all. */
static void test_words(void **state)
{
	(void)state;
	static const char *const words[] = {"starting", "running", "paused", "stopping", "exited",
		"failed", "removing", "removed", "restarting"};
	for (int s = 0; s < POD_STATE_MAX_; s++) {
		const char *word = pod_state_word((enum pod_state)s);
		bool known = false;
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
			known = known || !strcmp(word, words[i]);
		if (!known)
			fail_msg("state %s: unknown word \"%s\"", state_name(s), word);
		for (int o = 0; o < POD_STATE_MAX_; o++)
			if (!strcmp(word, pod_state_word((enum pod_state)o)))
				assert_int_equal(pod_state_ended((enum pod_state)s),
					pod_state_ended((enum pod_state)o));
	}
}

static void test_causes_have_texts(void **state)
{
	(void)state;
	assert_string_equal(pod_cause_text(CAUSE_NONE), "");
	assert_false(pod_cause_failed(CAUSE_NONE));
	for (int c = CAUSE_NONE + 1; c < CAUSE_MAX_; c++)
		if (strlen(pod_cause_text((enum pod_cause)c)) < 10)
			fail_msg("cause %s: \"%s\" tells nobody anything", cause_name(c),
				pod_cause_text((enum pod_cause)c));
}

static void test_who_speaks(void **state)
{
	(void)state;
	assert_int_equal(pod_event_who(EV_NONE), '-');
	for (int e = EV_NONE + 1; e < EV_MAX_; e++)
		if (!strchr("RWCTG", pod_event_who((enum pod_event)e)))
			fail_msg("event %s is said by nobody", event_name(e));
}

static int effects_answered_by(enum pod_event e)
{
	int n = 0;
	for (int f = FX_NONE + 1; f < FX_MAX_; f++)
		n += (pod_effect_done((enum pod_effect)f) == e) +
		     (pod_effect_failed((enum pod_effect)f) == e);
	return n;
}

/* A completion belongs to one effect, and what an effect answers is a completion. */
static void test_completions(void **state)
{
	(void)state;
	for (int e = EV_NONE + 1; e < EV_MAX_; e++)
		if (effects_answered_by((enum pod_event)e) !=
			(pod_event_who((enum pod_event)e) == 'C'))
			fail_msg("event %s completes %d effects", event_name(e),
				effects_answered_by((enum pod_event)e));
	for (int f = FX_NONE; f < FX_MAX_; f++)
		if ((pod_effect_done((enum pod_effect)f) == EV_NONE) !=
			(pod_effect_failed((enum pod_effect)f) == EV_NONE))
			fail_msg("effect %s can end in one way only", effect_name(f));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_round_trip),
	cmocka_unit_test(test_form),
	cmocka_unit_test(test_strangers),
	cmocka_unit_test(test_words),
	cmocka_unit_test(test_causes_have_texts),
	cmocka_unit_test(test_who_speaks),
	cmocka_unit_test(test_completions),
};

UNIT_MAIN(tests, NULL, NULL)
