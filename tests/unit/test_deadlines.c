/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of deadlines against a plain look at all of them, over many random changes. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
#include "unit.h"

#include "daemon/deadlines.h"

#define PODS    24
#define CHANGES 4000

static uint64_t seed = 1;

static unsigned chance(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* The earliest of them; 0: none has a deadline. */
static int64_t earliest(const struct pod *pods)
{
	int64_t due = 0;
	for (size_t i = 0; i < PODS; i++)
		if (pods[i].heap_due && (!due || pods[i].heap_due < due))
			due = pods[i].heap_due;
	return due;
}

static void first_is_the_earliest(const struct deadlines *d, const struct pod *pods)
{
	const struct pod *first = deadlines_first(d);
	assert_int_equal(first ? first->heap_due : 0, earliest(pods));
}

static void the_first_is_the_earliest(void **state)
{
	(void)state;
	static struct pod pods[PODS];
	struct deadlines d = {0};
	assert_null(deadlines_first(&d));
	for (int i = 0; i < CHANGES; i++) {
		/* A third is taken out, so that holes appear in the middle. */
		int64_t due = chance(3) ? 1 + (int64_t)chance(1000) : 0;
		struct pod *p = &pods[chance(PODS)];
		deadlines_set(&d, p, due);
		assert_int_equal(p->heap_due, due);
		first_is_the_earliest(&d, pods);
	}
	/* In order, to the last. */
	struct pod *p;
	while ((p = deadlines_first(&d))) {
		first_is_the_earliest(&d, pods);
		deadlines_set(&d, p, 0);
	}
	assert_int_equal(earliest(pods), 0);
	deadlines_done(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_first_is_the_earliest),
};

UNIT_MAIN(tests, NULL, NULL)
