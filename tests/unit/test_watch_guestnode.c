/* SPDX-License-Identifier: Apache-2.0 */
/* Guest nodes: only the names that are expected, whatever the guest writes; floods are counted. */
/* LINK: watch base */
#include "unit.h"

#include "watch/flood.h"
#include "watch/guestnode.h"

#define BASE "/local/domain/7/data/xenpod"

static void keys_are_the_contracts(void **state)
{
	(void)state;
	char key[GUESTNODE_KEY_SIZE];
	guestnode_key(0, key);
	assert_string_equal(key, "pod");
	guestnode_key(1, key);
	assert_string_equal(key, "app/0");
	guestnode_key(SPEC_MAX_APPS, key);
	assert_string_equal(key, "app/31");
	assert_int_equal(guestnode_all(0), 1);
	assert_int_equal(guestnode_all(2), 7);
	assert_true(guestnode_all(SPEC_MAX_APPS) == (UINT64_C(1) << GUESTNODE_MAX) - 1);
}

static void a_path_marks_its_node(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		uint64_t nodes;
	} cases[] = {
		{BASE "/pod", 1}, {BASE "/app/0", 2}, {BASE "/app/1", 4},
		{BASE "/app/2", 0}, /* the pod has two apps */
		{BASE "/app/00", 0}, {BASE "/app/-1", 0}, {BASE "/app/", 0}, {BASE "/app/1/x", 0},
		{BASE "/next", 0}, {BASE "/", 0}, {BASE "2/pod", 0},
		{BASE "/app", 6}, /* the directory has gone or come */
		{BASE, 7}, {"/local/domain/7/data", 7}, {"/local/domain/7", 7},
		{"/local/domain/8", 0}, {"", 7}, /* xenstored says no more: look at all */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (guestnode_changed(BASE, cases[i].path, 2) != cases[i].nodes)
			fail_msg("%s", cases[i].path);
}

static void values_are_made_harmless(void **state)
{
	(void)state;
	char out[GSTATE_VALUE_MAX + 1];
	guestnode_clean("1 running", 9, out);
	assert_string_equal(out, "1 running");
	guestnode_clean("a\0b\n\x7f\xc3\xa9~ ", 9, out);
	assert_string_equal(out, "a?b????~ ");
	guestnode_clean("", 0, out);
	assert_string_equal(out, "");
	char big[4096];
	memset(big, 'x', sizeof big);
	memset(out, 'y', sizeof out);
	guestnode_clean(big, sizeof big, out);
	assert_int_equal(strlen(out), GSTATE_VALUE_MAX);
}

static unsigned events_until_flood(struct flood *f, double now)
{
	unsigned n = 1;
	while (!flood_event(f, now))
		n++;
	return n;
}

static void more_than_the_limit_in_a_second(void **state)
{
	(void)state;
	struct flood f;
	flood_init(&f, 2);
	assert_int_equal(events_until_flood(&f, 100.0), FLOOD_MAX + 1);
	flood_init(&f, 2);
	for (int second = 0; second < 100; second++)
		for (int i = 0; i < FLOOD_MAX; i++)
			assert_false(flood_event(&f, 100.0 + second + i * 0.019));
	/* a clock that goes back begins a new second instead of counting for ever */
	for (int i = 0; i < FLOOD_MAX; i++)
		assert_false(flood_event(&f, 50.0));
	assert_true(flood_event(&f, 50.1));
}

static void many_apps_may_write_more(void **state)
{
	(void)state;
	struct flood f;
	flood_init(&f, 33);
	assert_int_equal(events_until_flood(&f, 1.0), 33 * FLOOD_PER_NODE + 1);
}

static void pauses_grow_to_a_limit(void **state)
{
	(void)state;
	struct flood f;
	flood_init(&f, 1);
	assert_true(flood_pause(&f) == FLOOD_QUIET);
	assert_true(flood_pause(&f) == FLOOD_QUIET * 2);
	for (int i = 0; i < 20; i++)
		flood_pause(&f);
	assert_true(flood_pause(&f) == FLOOD_QUIET_MAX);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keys_are_the_contracts),
	cmocka_unit_test(a_path_marks_its_node),
	cmocka_unit_test(values_are_made_harmless),
	cmocka_unit_test(more_than_the_limit_in_a_second),
	cmocka_unit_test(many_apps_may_write_more),
	cmocka_unit_test(pauses_grow_to_a_limit),
};

UNIT_MAIN(tests, NULL, NULL)
