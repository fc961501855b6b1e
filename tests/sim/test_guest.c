/* SPDX-License-Identifier: Apache-2.0 */
/* What guests do: they crash, reboot, never boot, write nonsense. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, four seconds long */
#include "kit_case.h"

#include "base/json.h"

/* ---- guests ---------------------------------------------------------------------------------- */

static void test_panic(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "panic after 3s");
	kit_rest(&k);
	kit_assert_trace(&k, "   11.72 a running --domain-crashed--> destroying [crashed]\n"
			     "   11.72   a destroy\n"
			     "   12.44 a destroying --destroyed--> dying\n"
			     "   12.44   a unmap\n"
			     "   12.44 a dying --domain-dead--> dying\n"
			     "   12.52 a dying --quiet--> clearing\n"
			     "   12.52   a clear\n"
			     "   12.58 a clearing --cleared--> collecting\n"
			     "   12.58   a lock closed\n"
			     "   12.58 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_CRASHED, -1);
	kit_finish(&k);
}

static void test_guest_reboot(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "reboot after 3s");
	kit_rest(&k);
	kit_assert_trace(&k, "   11.72 a running --domain-stopped--> destroying [guest-reboot]\n"
			     "   11.72   a destroy\n"
			     "   12.44 a destroying --destroyed--> dying\n"
			     "   12.44   a unmap\n"
			     "   12.44 a dying --domain-dead--> dying\n"
			     "   12.52 a dying --quiet--> clearing\n"
			     "   12.52   a clear\n"
			     "   12.58 a clearing --cleared--> collecting\n"
			     "   12.58   a lock closed\n"
			     "   12.58 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_GUEST_REBOOT, -1);
	kit_finish(&k);
}

static void test_never_boots(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "never-boots", NULL);
	kit_until(a, POD_BOOTING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "  242.47 a booting --deadline--> destroying [boot-timeout]\n"
			     "  242.47   a destroy\n"
			     "  243.19 a destroying --destroyed--> dying\n"
			     "  243.19   a unmap\n"
			     "  243.19 a dying --domain-dead--> dying\n"
			     "  243.27 a dying --quiet--> clearing\n"
			     "  243.27   a clear\n"
			     "  243.33 a clearing --cleared--> collecting\n"
			     "  243.33   a lock closed\n"
			     "  243.33 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_BOOT_TIMEOUT, -1);
	kit_finish(&k);
}

static void test_init_fails(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "init-fails", NULL);
	kit_until(a, POD_BOOTING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "    8.47 a booting --guest-failed--> destroying [guest-failed]: "
			     "cannot mount the root of app 0: simulated\n"
			     "    8.47   a destroy\n"
			     "    9.19 a destroying --destroyed--> dying\n"
			     "    9.19   a unmap\n"
			     "    9.19 a dying --domain-dead--> dying\n"
			     "    9.27 a dying --quiet--> clearing\n"
			     "    9.27   a clear\n"
			     "    9.33 a clearing --cleared--> collecting\n"
			     "    9.33   a lock closed\n"
			     "    9.33 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_GUEST_FAILED, -1);
	kit_finish(&k);
}

static void test_exec_fails(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exec-fails", NULL);
	kit_until(a, POD_BOOTING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "    8.47 a booting --guest-app--> booting app0=starting\n"
			     "    8.72 a booting --guest-app--> booting app0=failed:203\n"
			     "    8.72 a booting --guest-done--> destroying [finished]\n"
			     "    8.72   a destroy\n"
			     "    9.44 a destroying --destroyed--> dying\n"
			     "    9.44   a unmap\n"
			     "    9.44 a dying --domain-dead--> dying\n"
			     "    9.52 a dying --quiet--> clearing\n"
			     "    9.52   a clear\n"
			     "    9.58 a clearing --cleared--> collecting\n"
			     "    9.58   a lock closed\n"
			     "    9.58 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 203);
	kit_finish(&k);
}

/* Nonsense is passed over: such a pod runs as far as the kernel can tell, and can be stopped. */
static void test_garbage(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "garbage");
	kit_run_for(&k, 300000);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace(&k, "  308.72 a running --stop--> stopping [stopped]\n"
			     "  308.72   a shutdown\n"
			     "  308.77 a stopping --shutdown-sent--> stopping\n"
			     "  308.77 a stopping --guest-stopping--> stopping\n"
			     "  308.87 a stopping --guest-done--> destroying\n"
			     "  308.87   a destroy\n"
			     "  309.59 a destroying --destroyed--> dying\n"
			     "  309.59   a unmap\n"
			     "  309.59 a dying --domain-dead--> dying\n"
			     "  309.67 a dying --quiet--> clearing\n"
			     "  309.67   a clear\n"
			     "  309.73 a clearing --cleared--> collecting\n"
			     "  309.73   a lock closed\n"
			     "  309.73 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

static void writes(const struct kit_pod *kp, int64_t domid, const char *key, const char *value)
{
	json_t *f = json_make("{s:s, s:s, s:I, s:s, s:s}", "t", "guest", "uuid", kp->uuid, "domid",
		(json_int_t)domid, "key", key, "value", value);
	sensors_frame(k.sensors, f);
	json_decref(f);
}

/* Apps that it does not have, apps that have ended, and what an earlier domain of it wrote. */
static void test_what_a_guest_has_no_say_in(void **state)
{
	(void)state;
	static const char *const no_apps[] = {"app/2", "app/63", "app/-1", "app/1x", "app/", "x"};
	struct kit_pod *a = kit_accept(&k, "exit 0 after 2s", "forever", NULL);
	kit_until(a, POD_RUNNING);
	kit_run_for(&k, 5000);
	assert_true(pod_app_ended(&kit_find(a)->app[0]));
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	kit_drop_trace(&k);
	int64_t domid = kit_find(a)->core.domid;
	for (size_t i = 0; i < sizeof no_apps / sizeof *no_apps; i++)
		writes(a, domid, no_apps[i], "99 exited 1");
	writes(a, domid, "app/0", "99 running");
	writes(a, domid - 1, "app/1", "99 exited 1");
	writes(a, domid - 1, "pod", "99 done 1");
	kit_run_for(&k, 1000);
	kit_assert_trace(&k, "");
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	assert_int_equal(kit_code_file(a, "app0"), 0);
	kit_finish(&k);
}

static void test_guest_powers_off(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .powers_off = true});
	sim_fault(k.sim, SIM_AT_GUEST, 5, 99, SIM_KIND_LOST, NULL);
	struct kit_pod *a = kit_accept(&k, "exit 3 after 20s", NULL);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_SHUTDOWN, -1);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_panic),
	T(test_guest_reboot),
	T(test_never_boots),
	T(test_init_fails),
	T(test_exec_fails),
	T(test_garbage),
	T(test_what_a_guest_has_no_say_in),
	T(test_guest_powers_off),
};

UNIT_MAIN(tests, NULL, NULL)
