/* SPDX-License-Identifier: Apache-2.0 */
/* The table of pods, visited in parts while it changes. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
#include "unit.h"

#include "daemon/pod.h"

#define OLD 500

static int seen[4 * OLD];

static void uuid_of(int n, char ret[UUID_TEXT_SIZE])
{
	snprintf(ret, UUID_TEXT_SIZE, "%08x-0000-4000-8000-0000000000ff", (unsigned)n);
}

static void add(struct pods *t, int from, int to)
{
	for (int i = from; i < to; i++) {
		char uuid[UUID_TEXT_SIZE];
		uuid_of(i, uuid);
		pods_add(t, pod_new(uuid));
	}
}

static void see(void *ctx, struct pod *p)
{
	++*(int *)ctx;
	seen[strtol(p->uuid, NULL, 16)]++;
}

static void test_parts(void **state)
{
	(void)state;
	struct pods *t = pods_new();
	struct pods_cursor c = {0};
	int n = 0;
	int parts = 0;
	memset(seen, 0, sizeof seen);
	add(t, 0, OLD);
	bool more = true;
	while (more) {
		int before = n;
		more = pods_some(t, &c, 10, see, &n);
		assert_true(!more || n - before >= 10);
		assert_true(n - before < 100);
		parts++;
	}
	assert_int_equal(n, OLD);
	assert_in_range(parts, 10, OLD / 10 + 1);
	for (int i = 0; i < OLD; i++)
		assert_int_equal(seen[i], 1);
	pods_free(t);
}

/* The table grows twice meanwhile: who was there all the time is seen once all the same. */
static void test_growth(void **state)
{
	(void)state;
	struct pods *t = pods_new();
	struct pods_cursor c = {0};
	int n = 0;
	memset(seen, 0, sizeof seen);
	add(t, 0, OLD);
	assert_true(pods_some(t, &c, OLD / 3, see, &n));
	add(t, OLD, 2 * OLD);
	assert_true(pods_some(t, &c, OLD / 3, see, &n));
	add(t, 2 * OLD, 4 * OLD);
	while (pods_some(t, &c, 50, see, &n))
		;
	for (int i = 0; i < 4 * OLD; i++)
		assert_true(i < OLD ? seen[i] == 1 : seen[i] <= 1);
	pods_free(t);
}

static void test_empty(void **state)
{
	(void)state;
	struct pods *t = pods_new();
	struct pods_cursor c = {0};
	int n = 0;
	assert_false(pods_some(t, &c, 1, see, &n));
	assert_int_equal(n, 0);
	pods_free(t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_parts),
	cmocka_unit_test(test_growth),
	cmocka_unit_test(test_empty),
};
UNIT_MAIN(tests, NULL, NULL)
