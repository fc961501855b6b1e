/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: sim proto base */
/* WITH: simkit.c */
/* Simulated guests: what each exec does, stop, pause, power off. */
#include "simkit.h"

#include "base/cleanup.h"
#include "proto/gstate.h"

/* ---- guests ------------------------------------------------------------------------------------
 */

static void assert_guest(const char *const *exec, const char *const *expected)
{
	kit_start(exec);
	kit_run(30 * S);
	for (size_t i = 0; expected[i]; i++)
		assert_heard(expected[i]);
}

static void test_app_ends_by_signal(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "killed", "9", "after", "1s"),
		EXEC("\"app/0\",\"value\":\"3 killed 9\"", "\"value\":\"4 done 137\""));
}

static void test_app_that_cannot_be_executed(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "exec-fails"), EXEC("failed 203", "done 203"));
	assert_not_heard("running\"");
}

static void test_init_that_fails(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "init-fails"), EXEC("\"2 failed cannot mount"));
	assert_not_heard("\"value\":\"3");
}

static void test_panic_and_reboot(void **state)
{
	(void)state;
	assert_guest(EXEC("sim", "panic", "after", "1s"), EXEC("stopped\",\"reason\":\"crash\""));
	kit_end();
	assert_guest(EXEC("sim", "reboot", "after", "1s"), EXEC("stopped\",\"reason\":\"reboot\""));
}

static void test_guest_that_never_boots(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "never-boots"));
	kit_run(LONG);
	assert_not_heard("\"guest\"");
	kit_command("shutdown");
	assert_not_heard("\"guest\"");
	kit_end();
}

static void test_garbage_is_nonsense_but_printable(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "garbage"));
	kit_run(20 * S);
	size_t i;
	size_t n = 0;
	const char *p = kit_heard();
	while ((p = strstr(p, "\"key\":\"app/0\",\"value\":\""))) {
		struct gstate g;
		p += strlen("\"key\":\"app/0\",\"value\":\"");
		i = strcspn(p, "\"");
		for (size_t k = 0; k < i; k++)
			assert_in_range(p[k], 0x20, 0x7e);
		assert_int_equal(gstate_parse(GSTATE_APP, p, i, &g), -1);
		n++;
	}
	assert_true(n > 0);
	assert_heard("2 running");
}

static void test_flood_is_noisy_for_a_while(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "flood"));
	kit_run(30 * S);
	assert_heard("\"t\":\"noisy\",\"domid\":1,\"uuid\":\"" UUID "\",\"on\":true");
	assert_heard("\"on\":false");
}

static void test_willing_and_stubborn_apps_stop(void **state)
{
	(void)state;
	kit_start(EXEC("/bin/sleep", "1"));
	kit_run(20 * S);
	kit_forget();
	kit_act(kit_request("shutdown"), 0);
	kit_run(S);
	assert_heard("3 stopping");
	assert_heard("3 exited 0");
	assert_heard("4 done 0");
	kit_end();

	kit_start(EXEC("sim", "stubborn"));
	kit_run(20 * S);
	kit_forget();
	kit_act(kit_request("shutdown"), 0);
	kit_run(2 * S);
	assert_heard("stopping");
	assert_not_heard("done 137");
	kit_run(2 * S);
	assert_heard("killed 9");
	assert_heard("done 137");
}

static void test_a_stop_before_init_is_up_is_remembered(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_act(kit_request("shutdown"), 0);
	kit_run(2 * S);
	assert_not_heard("\"guest\"");
	kit_run(20 * S);
	assert_heard("stopping");
	assert_heard("done 0");
}

static void test_first_failure_stops_the_others(void **state)
{
	(void)state;
	sim_set_jitter(w.sim, 0);
	sim_watch_start(w.sim);
	kit_attach();
	json_t *req = kit_create_request(EXEC("sim", "forever"));
	json_array_append_new(json_object_get(json_object_get(req, "spec"), "apps"),
		json_make("{s:s, s:[s, s, s, s, s]}", "name", "b", "exec", "sim", "exit", "5",
			"after", "1s"));
	int64_t h = kit_act(req, 3);
	kit_run(5 * S);
	kit_watch_send(json_make("{s:s, s:s, s:I, s:i}", "t", "watch", "uuid", UUID, "domid",
		(json_int_t)w.domid, "apps", 2));
	kit_go(h);
	kit_run(30 * S);
	assert_heard("\"app/1\",\"value\":\"3 exited 5\"");
	assert_heard("\"app/0\",\"value\":\"3 exited 0\"");
	assert_heard("done 5");
}

static void test_a_paused_guest_stands_still(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	kit_forget();
	kit_command("pause");
	assert_heard("done");
	assert_not_heard("\"domain\""); /* Xen tells nobody */
	kit_command("shutdown");
	kit_run(100 * S);
	assert_not_heard("stopping");
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	kit_run(S);
	assert_heard("\"state\":\"paused\"");
	kit_command("unpause");
	assert_heard("stopping");
	assert_heard("done 0");
}

static void test_a_guest_that_powers_off(void **state)
{
	(void)state;
	kit_close();
	struct sim_config cfg = {.powers_off = true, .events = events};
	kit_open(1);
	sim_free(w.sim);
	w.sim = sim_new(&cfg);
	kit_start(EXEC("sim", "exit", "0"));
	kit_run(20 * S);
	assert_heard("\"state\":\"stopped\",\"reason\":\"poweroff\"");
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_app_ends_by_signal),
	T(test_app_that_cannot_be_executed),
	T(test_init_that_fails),
	T(test_panic_and_reboot),
	T(test_guest_that_never_boots),
	T(test_garbage_is_nonsense_but_printable),
	T(test_flood_is_noisy_for_a_while),
	T(test_willing_and_stubborn_apps_stop),
	T(test_a_stop_before_init_is_up_is_remembered),
	T(test_first_failure_stops_the_others),
	T(test_a_paused_guest_stands_still),
	T(test_a_guest_that_powers_off),
};

UNIT_MAIN(tests, NULL, NULL)
