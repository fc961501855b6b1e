/* SPDX-License-Identifier: Apache-2.0 */
/* The loop says how long its turns take, the work before its sleep included, and sleep not. */
/* LINK: daemon base */
/* LIBS: ev pthread */
#include <time.h>

#include "unit.h"

#include "daemon/loop.h"

#define MS INT64_C(1000000)

struct case_ {
	struct loop *loop;
	struct loop_timer *timer;
	int left;
	int64_t pause_ns, busy_ns; /* between two turns; of one */
	bool before_sleep;         /* the work is queued and done there */
	bool queued;
};

static void work(int64_t ns)
{
	int64_t until = clock_boot_ns() + ns;
	while (clock_boot_ns() < until)
		;
}

static void on_timer(void *ctx)
{
	struct case_ *c = ctx;
	if (c->left-- == 0) {
		loop_stop(c->loop);
		return;
	}
	loop_timer_set(c->timer, c->pause_ns);
	if (c->before_sleep)
		c->queued = true;
	else
		work(c->busy_ns);
}

static void on_idle(void *ctx)
{
	struct case_ *c = ctx;
	if (c->queued)
		work(c->busy_ns);
	c->queued = false;
}

static struct loop_stall run(struct case_ *c)
{
	struct loop_stall stall;
	c->loop = loop_new();
	c->timer = loop_timer_new(c->loop, on_timer, c);
	loop_on_idle(c->loop, on_idle, c);
	loop_timer_set(c->timer, 0);
	loop_run(c->loop);
	loop_stall(c->loop, &stall);
	loop_timer_free(c->timer);
	loop_free(c->loop);
	return stall;
}

/* Ten sleeps of 20 ms are 200; another process may have the CPU for a while. */
static void test_sleep_is_none(void **state)
{
	(void)state;
	struct case_ c = {.left = 10, .pause_ns = 20 * MS};
	struct loop_stall stall = run(&c);
	assert_true(stall.max_ns > 0);
	assert_true(stall.p99_ns <= stall.max_ns);
	assert_true(stall.max_ns < 200 * MS);
}

static void test_work(void **state)
{
	(void)state;
	struct case_ c = {.left = 3, .busy_ns = 30 * MS};
	assert_true(run(&c).max_ns >= 30 * MS);
}

static void test_work_before_sleep(void **state)
{
	(void)state;
	struct case_ c = {.left = 3, .busy_ns = 30 * MS, .before_sleep = true};
	assert_true(run(&c).max_ns >= 30 * MS);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_sleep_is_none),
	cmocka_unit_test(test_work),
	cmocka_unit_test(test_work_before_sleep),
};
UNIT_MAIN(tests, NULL, NULL)
