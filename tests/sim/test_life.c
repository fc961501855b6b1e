/* SPDX-License-Identifier: Apache-2.0 */
/* Ordinary lives of pods: they end by themselves, are paused, are stopped; told as traces. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
#include "kit_case.h"

/* ---- ends by itself -------------------------------------------------------------------------- */

/* The one that is told to its end; kit_assert_trace_end() tells the others. */
static void test_code_0(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 0 after 2s", NULL);
	kit_rest(&k);
	kit_assert_trace(&k, "    0.10 a accepted --accept--> accepted\n"
			     "    0.10 a accepted --admit--> exporting\n"
			     "    0.10   a exports\n"
			     "    0.15 a exporting --exported--> networking\n"
			     "    0.15 a networking --networked--> creating\n"
			     "    0.15   a create\n"
			     "    2.37 a creating --created--> unpausing\n"
			     "    2.37   go\n"
			     "    2.47 a unpausing --unpaused--> booting\n"
			     "    8.47 a booting --guest-app--> booting app0=starting\n"
			     "    8.72 a booting --guest-app--> booting app0=running\n"
			     "    8.72 a booting --guest-running--> running\n"
			     "    8.72   a ready\n"
			     "   10.72 a running --guest-app--> running app0=exited:0\n"
			     "   10.72 a running --guest-done--> destroying [finished]\n"
			     "   10.72   a destroy\n"
			     "   11.44 a destroying --destroyed--> dying\n"
			     "   11.44   a unmap\n"
			     "   11.44 a dying --domain-dead--> dying\n"
			     "   11.52 a dying --quiet--> clearing\n"
			     "   11.52   a clear\n"
			     "   11.58 a clearing --cleared--> collecting\n"
			     "   11.58   a lock closed\n"
			     "   11.58 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

static void test_code_3(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 3 after 2s");
	kit_rest(&k);
	kit_assert_trace_end(a, 10720,
		"   10.72 a running --guest-app--> running app0=exited:3\n"
		"   10.72 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	assert_int_equal(kit_code_file(a, "app0"), 3);
	kit_finish(&k);
}

static void test_signal(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "killed 11 after 2s");
	kit_rest(&k);
	kit_assert_trace_end(a, 10720,
		"   10.72 a running --guest-app--> running app0=killed:11\n"
		"   10.72 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 139);
	assert_int_equal(kit_code_file(a, "app0"), 11);
	kit_finish(&k);
}

static void test_first_failure_stops_the_other(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 7 after 2s", "forever", NULL);
	kit_until(a, POD_RUNNING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace_end(a, 10820,
		"   10.72 a running --guest-app--> running app0=exited:7 app1=running\n"
		"   10.72 a running --guest-stopping--> stopping [finished]\n"
		"   10.82 a stopping --guest-app--> stopping app0=exited:7 app1=exited:0\n"
		"   10.82 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 7);
	assert_int_equal(kit_code_file(a, "app1"), 0);
	kit_finish(&k);
}

static void test_all_apps_are_awaited(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 0 after 2s", "exit 0 after 90s", NULL);
	kit_until(a, POD_RUNNING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace_end(a, 98720,
		"   10.72 a running --guest-app--> running app0=exited:0 app1=running\n"
		"   98.72 a running --guest-app--> running app0=exited:0 app1=exited:0\n"
		"   98.72 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* Too short to be seen running: the codes count all the same. */
static void test_ends_at_once(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 9", NULL);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 9);
	kit_finish(&k);
}

/* ---- is ended -------------------------------------------------------------------------------- */

static void test_stop(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace_end(a, 8870,
		"    8.72 a running --stop--> stopping [stopped]\n"
		"    8.72   a shutdown\n"
		"    8.77 a stopping --shutdown-sent--> stopping\n"
		"    8.77 a stopping --guest-stopping--> stopping\n"
		"    8.87 a stopping --guest-app--> stopping app0=exited:0\n"
		"    8.87 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

/* The guest kills what does not go by itself; the supervisor's deadline is behind that. */
static void test_stop_of_a_stubborn_app(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "stubborn");
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace_end(a, 16770,
		"    8.72 a running --stop--> stopping [stopped]\n"
		"    8.72   a shutdown\n"
		"    8.77 a stopping --shutdown-sent--> stopping\n"
		"    8.77 a stopping --guest-stopping--> stopping\n"
		"   16.77 a stopping --guest-app--> stopping app0=killed:9\n"
		"   16.77 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 137);
	kit_finish(&k);
}

static void test_stop_of_a_frozen_guest(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_FREEZE);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace_end(a, 23720,
		"    8.72 a running --stop--> stopping [stopped]\n"
		"    8.72   a shutdown\n"
		"    8.77 a stopping --shutdown-sent--> stopping\n"
		"   23.72 a stopping --deadline--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, -1);
	kit_finish(&k);
}

static void test_kill(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_ask(a, EV_KILL);
	kit_rest(&k);
	kit_assert_trace_end(a, 8720, "    8.72 a running --kill--> destroying [killed]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_KILLED, -1);
	assert_true(kit_find(a)->core.forced);
	kit_finish(&k);
}

static void test_kill_overrides_stop(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "stubborn");
	kit_ask(a, EV_STOP);
	kit_run_for(&k, 3000);
	kit_ask(a, EV_KILL);
	kit_rest(&k);
	kit_assert_trace_end(a, 11720,
		"    8.72 a running --stop--> stopping [stopped]\n"
		"    8.72   a shutdown\n"
		"    8.77 a stopping --shutdown-sent--> stopping\n"
		"    8.77 a stopping --guest-stopping--> stopping\n"
		"   11.72 a stopping --kill--> destroying [killed]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_KILLED, -1);
	kit_finish(&k);
}

static void test_run_dies(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_kill_run(a);
	kit_rest(&k);
	kit_assert_trace_end(a, 8870,
		"    8.72 a running --stop--> stopping [run-lost]\n"
		"    8.72   a shutdown\n"
		"    8.77 a stopping --shutdown-sent--> stopping\n"
		"    8.77 a stopping --guest-stopping--> stopping\n"
		"    8.87 a stopping --guest-app--> stopping app0=exited:0\n"
		"    8.87 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_RUN_LOST, 0);
	kit_finish(&k);
}

/* ---- pause ----------------------------------------------------------------------------------- */

static void test_pause_and_resume(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 5 after 60s");
	kit_ask(a, EV_PAUSE);
	kit_run_for(&k, 100000);
	assert_int_equal(kit_find(a)->core.state, POD_PAUSED);
	kit_ask(a, EV_RESUME);
	kit_rest(&k);
	kit_assert_trace_end(a, 108840,
		"    8.72 a running --pause--> pausing\n"
		"    8.72   a pause\n"
		"    8.78 a pausing --pause-done--> paused\n"
		"  108.72 a paused --resume--> resuming\n"
		"  108.72   a unpause\n"
		"  108.84 a resuming --resume-done--> running\n"
		"  108.84   a ready\n"
		"  108.84 a running --guest-app--> running app0=exited:5\n"
		"  108.84 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 5);
	kit_finish(&k);
}

static void test_stop_of_a_paused_pod(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_ask(a, EV_PAUSE);
	kit_until(a, POD_PAUSED);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace_end(a, 9050,
		"    8.72 a running --pause--> pausing\n"
		"    8.72   a pause\n"
		"    8.78 a pausing --pause-done--> paused\n"
		"    8.78 a paused --stop--> resuming [stopped]\n"
		"    8.78   a unpause\n"
		"    8.90 a resuming --unwanted--> stopping\n"
		"    8.90   a shutdown\n"
		"    8.95 a stopping --shutdown-sent--> stopping\n"
		"    8.95 a stopping --guest-stopping--> stopping\n"
		"    9.05 a stopping --guest-app--> stopping app0=exited:0\n"
		"    9.05 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

/* A stop must not rest with a pod that cannot be woken (test_fsm_walk.c found that it did). */
static void test_stop_of_a_pod_that_does_not_wake(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_ask(a, EV_PAUSE);
	kit_until(a, POD_PAUSED);
	kit_drop_trace(&k);
	sim_fault(k.sim, SIM_AT_UNPAUSE, 0, 1, SIM_KIND_FAIL, "no");
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace_end(a, 23800,
		"    8.78 a paused --stop--> resuming [stopped]\n"
		"    8.78   a unpause\n"
		"    8.80 a resuming --unwanted--> stopping: no\n"
		"    8.80   a shutdown\n"
		"    8.85 a stopping --shutdown-sent--> stopping\n"
		"   23.80 a stopping --deadline--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, -1);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_code_0),
	T(test_code_3),
	T(test_signal),
	T(test_first_failure_stops_the_other),
	T(test_all_apps_are_awaited),
	T(test_ends_at_once),
	T(test_stop),
	T(test_stop_of_a_stubborn_app),
	T(test_stop_of_a_frozen_guest),
	T(test_kill),
	T(test_kill_overrides_stop),
	T(test_run_dies),
	T(test_pause_and_resume),
	T(test_stop_of_a_paused_pod),
	T(test_stop_of_a_pod_that_does_not_wake),
};

UNIT_MAIN(tests, NULL, NULL)
