/* SPDX-License-Identifier: Apache-2.0 */
/* Pods that are stopped on their way up. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, four seconds long */
#include "kit_case.h"

/* ---- is stopped on its way up ---------------------------------------------------------------- */

static void stop_in(enum pod_state at)
{
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, at);
	kit_drop_trace(&k);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
}

static void test_stop_while_accepted(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .max_starts = 1});
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	struct kit_pod *b = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_CREATING);
	kit_drop_trace(&k);
	kit_ask(b, EV_STOP);
	kit_until(b, POD_EXITED);
	kit_assert_trace(&k, "    0.15 b accepted --stop--> collecting [stopped]\n"
			     "    0.15   b lock closed\n"
			     "    0.15 b collecting --collected--> exited\n");
	kit_assert_ended(b, POD_EXITED, CAUSE_STOPPED, -1);
	kit_ask(a, EV_KILL);
	kit_finish(&k);
}

static void test_stop_while_exporting(void **state)
{
	(void)state;
	stop_in(POD_EXPORTING);
	kit_assert_trace(&k, "    0.10 a exporting --stop--> exporting [stopped]\n"
			     "    0.15 a exporting --unwanted--> clearing\n"
			     "    0.15   a clear\n"
			     "    0.21 a clearing --cleared--> collecting\n"
			     "    0.21   a lock closed\n"
			     "    0.21 a collecting --collected--> exited\n");
	kit_assert_ended(&k.pod[0], POD_EXITED, CAUSE_STOPPED, -1);
	kit_finish(&k);
}

static void test_stop_while_creating(void **state)
{
	(void)state;
	stop_in(POD_CREATING);
	kit_assert_trace(&k, "    0.15 a creating --stop--> creating [stopped]\n"
			     "    2.37 a creating --unwanted--> destroying\n"
			     "    2.37   kill the helper\n"
			     "    2.37   a destroy\n"
			     "    3.09 a destroying --destroyed--> dying\n"
			     "    3.09   a unmap\n"
			     "    3.17 a dying --quiet--> clearing\n"
			     "    3.17   a clear\n"
			     "    3.23 a clearing --cleared--> collecting\n"
			     "    3.23   a lock closed\n"
			     "    3.23 a collecting --collected--> exited\n");
	kit_assert_ended(&k.pod[0], POD_EXITED, CAUSE_STOPPED, -1);
	kit_finish(&k);
}

static void test_stop_while_unpausing(void **state)
{
	(void)state;
	stop_in(POD_UNPAUSING);
	kit_assert_trace_end(&k.pod[0], 2370,
		"    2.37 a unpausing --stop--> destroying [stopped]\n"
		"    2.37   kill the helper\n");
	kit_assert_ended(&k.pod[0], POD_EXITED, CAUSE_STOPPED, -1);
	kit_finish(&k);
}

/* The kernel remembers what it was told before its init was up. */
static void test_stop_while_booting(void **state)
{
	(void)state;
	stop_in(POD_BOOTING);
	kit_assert_trace_end(&k.pod[0], 8570,
		"    2.47 a booting --stop--> stopping [stopped]\n"
		"    2.47   a shutdown\n"
		"    2.52 a stopping --shutdown-sent--> stopping\n"
		"    8.47 a stopping --guest-stopping--> stopping\n"
		"    8.47 a stopping --guest-app--> stopping app0=starting\n"
		"    8.57 a stopping --guest-app--> stopping app0=exited:0\n"
		"    8.57 a stopping --guest-done--> destroying\n");
	kit_assert_ended(&k.pod[0], POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

static void test_kill_in_every_state(void **state)
{
	(void)state;
	static const enum pod_state at[] = {POD_EXPORTING, POD_CREATING, POD_UNPAUSING, POD_BOOTING,
		POD_RUNNING, POD_STOPPING, POD_DESTROYING, POD_DYING, POD_CLEARING};
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct kit_pod *a = kit_accept(&k, "stubborn", NULL);
		if (at[i] >= POD_STOPPING) {
			kit_until(a, POD_RUNNING);
			kit_ask(a, EV_STOP);
		}
		kit_until(a, at[i]);
		kit_ask(a, EV_KILL);
		kit_rest(&k);
		const struct pod *p = kit_find(a);
		assert_int_equal(p->core.state, POD_EXITED);
		assert_int_equal(p->core.cause, CAUSE_KILLED);
		assert_true(p->core.forced);
	}
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_stop_while_accepted),
	T(test_stop_while_exporting),
	T(test_stop_while_creating),
	T(test_stop_while_unpausing),
	T(test_stop_while_booting),
	T(test_kill_in_every_state),
};

UNIT_MAIN(tests, NULL, NULL)
