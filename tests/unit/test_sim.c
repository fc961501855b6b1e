/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: sim proto base */
/* WITH: simkit.c */
/*
 * The simulated world: each frame of proto/world.h is produced and understood, the same seed gives
 * the same history, operators and the supervisor's death, nothing is left after a life.
 */
#include "simkit.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* ---- sensors ----------------------------------------------------------------------------------
 */

static void test_sensors_say_hello_and_answer(void **state)
{
	(void)state;
	_cleanup_json_ json_t *ping = json_make("{s:s, s:i}", "t", "ping", "n", 1);
	assert_fails(sim_watch_send(w.sim, ping, &err), &err, ERR_UNAVAILABLE, "not running");
	sim_watch_start(w.sim);
	assert_true(sim_watch_alive(w.sim));
	kit_watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 7));
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 8));
	kit_watch_send(json_make("{s:s}", "t", "dance"));
	kit_watch_send(json_make("{s:s, s:i}", "t", "watch", "domid", 3));
	kit_run(S);
	const char *hello = strstr(kit_heard(), "\"t\":\"hello\"");
	const char *pong = strstr(kit_heard(), "{\"t\":\"pong\",\"n\":7}");
	assert_non_null(hello);
	assert_non_null(pong);
	assert_true(hello < pong);
	assert_heard("\"version\":1,\"xen\":\"4.17");
	assert_heard("\"pv\":true,\"hvm\":true}");
	assert_heard("{\"t\":\"list-begin\",\"n\":8}");
	assert_heard("{\"t\":\"list-end\",\"n\":8}");
	assert_heard("\"t\":\"fault\",\"message\":\"unknown frame dance\"");
	assert_heard("\"t\":\"fault\",\"message\":\"watch: ");
}

static void test_sensors_are_killed_and_start_again(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	kit_forget();
	kit_watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 7));
	w.inside = true;
	sim_watch_kill(w.sim);
	w.inside = false;
	assert_false(sim_watch_alive(w.sim));
	kit_run(S);
	assert_heard("watch-exit");
	assert_not_heard("pong");
	kit_forget();
	sim_watch_start(w.sim);
	kit_run(S);
	assert_heard("hello");
	assert_ok(sim_operator(w.sim, SIM_PANIC, UUID, &err), &err);
	kit_run(S);
	assert_not_heard("crash"); /* not watched any more */
	kit_watch_domain(w.domid);
	kit_run(S);
	assert_heard("\"state\":\"stopped\",\"reason\":\"crash\"");
}

static void test_what_a_killed_sensor_had_to_say_is_lost(void **state)
{
	(void)state;
	sim_watch_start(w.sim);
	kit_run(S);
	kit_forget();
	w.kill_sensor_at = "list-begin";
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 8));
	kit_run(S);
	assert_heard("list-begin");
	assert_not_heard("list-end");
	assert_heard("watch-exit");
}

static void test_a_watch_of_another_domain_says_gone(void **state)
{
	(void)state;
	sim_watch_start(w.sim);
	kit_watch_domain(5);
	kit_run(S);
	assert_heard("{\"t\":\"gone\",\"domid\":5,\"uuid\":\"" UUID "\"}");
}

static void test_silence_while_xenstored_is_down(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	kit_forget();
	sim_xenstored(w.sim, false);
	kit_watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 7));
	kit_act(kit_request("shutdown"), 0);
	kit_run(100 * S);
	assert_string_equal(kit_heard(), "");
	assert_int_equal(sim_next_due(w.sim), -1);
	sim_xenstored(w.sim, true);
	kit_run(10 * S);
	assert_heard("pong");
	assert_heard("\"t\":\"done\"");
	assert_heard("done 0");
}

/* ---- a life ------------------------------------------------------------------------------------
 */

static void test_a_life_frame_by_frame(void **state)
{
	(void)state;
	int64_t h = kit_start(EXEC("sim", "exit", "3", "after", "2s"));
	assert_true(sim_qemu_alive(w.sim, w.qemu));
	assert_true(sim_qemu_start(w.sim, w.qemu) > 0);
	assert_int_equal(h, 2);
	kit_run(20 * S);
	kit_end();
	static const char story[] =
		"50 watch 0 {\"t\":\"hello\",\"version\":1,\"xen\":\"4.17.5-sim\",\"pv\":true,"
		"\"hvm\":true}\n"
		"50 act 1 {\"t\":\"done\",\"op\":1}\n"
		"50 exit(0) 1 \n"
		"3220 act 2 {\"t\":\"created\",\"op\":2,\"domid\":1,\"qemu_pid\":4200000}\n"
		"6002 watch 0 {\"t\":\"domain\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"state\":\"paused\",\"cpu_time_ns\":0,\"memory_kib\":262144,\"name\":\"" UUID
		"\",\"target_kib\":262144,\"store\":\"" STORE
		"\",\"generation\":1,\"built\":4200000}\n"
		"6100 act 2 {\"t\":\"done\",\"op\":2}\n"
		"6100 exit(0) 2 \n"
		"12102 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"pod\",\"value\":\"1 booting\"}\n"
		"12102 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"app/0\",\"value\":\"1 starting\"}\n"
		"12352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"app/0\",\"value\":\"2 running\"}\n"
		"12352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"pod\",\"value\":\"2 running\"}\n"
		"14352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"app/0\",\"value\":\"3 exited 3\"}\n"
		"14352 watch 0 {\"t\":\"guest\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"key\":\"pod\",\"value\":\"4 done 3\"}\n"
		"27720 act 3 {\"t\":\"done\",\"dying\":true,\"op\":3}\n"
		"27720 exit(0) 3 \n"
		"27722 watch 0 {\"t\":\"domain\",\"domid\":1,\"uuid\":\"" UUID
		"\",\"state\":\"dying\",\"cpu_time_ns\":2702750000,\"memory_kib\":262144}\n"
		"27800 qemu-exit 4200000 \n"
		"27872 watch 0 {\"t\":\"gone\",\"domid\":1,\"uuid\":\"" UUID "\"}\n"
		"47060 act 4 {\"t\":\"done\",\"lazy\":0,\"op\":4}\n"
		"47060 exit(0) 4 \n"
		"67030 act 5 {\"t\":\"done\",\"op\":5}\n"
		"67030 exit(0) 5 \n";
	assert_string_equal(kit_heard(), story);
}

static char *life_of(uint64_t seed)
{
	kit_close();
	kit_open(seed);
	sim_watch_start(w.sim);
	kit_attach();
	int64_t h = kit_act(kit_create_request(EXEC("sim", "stubborn")), 3);
	kit_run(5 * S);
	kit_watch_domain(w.domid);
	kit_go(h);
	kit_run(10 * S);
	kit_command("shutdown");
	kit_end();
	return xstrdup(kit_heard());
}

static void test_one_seed_is_one_history(void **state)
{
	(void)state;
	_cleanup_free_ char *a = life_of(7);
	_cleanup_free_ char *b = life_of(7);
	_cleanup_free_ char *c = life_of(8);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

static void test_nothing_is_called_back_from_inside_a_call(void **state)
{
	(void)state;
	int64_t h = kit_start(EXEC("sim", "forever"));
	w.inside = true;
	sim_act_kill(w.sim, h);
	sim_qemu_kill(w.sim, w.qemu);
	sim_watch_kill(w.sim);
	assert_ok(sim_operator(w.sim, SIM_DESTROY, UUID, &err), &err);
	w.inside = false;
	assert_true(sim_next_due(w.sim) >= 0);
	kit_run(10 * S);
	assert_heard("qemu-exit");
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static void test_operators_act_from_outside(void **state)
{
	(void)state;
	assert_fails(sim_operator(w.sim, SIM_DESTROY, UUID, &err), &err, ERR_NOTFOUND, UUID);
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	kit_operate(SIM_SHUTDOWN, UUID);
	assert_heard("done 0");
	kit_operate(SIM_POWEROFF, UUID);
	assert_heard("\"reason\":\"poweroff\"");
	kit_operate(SIM_DESTROY, UUID);
	assert_heard("\"state\":\"dying\"");
	assert_heard("qemu-exit");
	assert_heard("\"gone\"");
	kit_command("destroy"); /* nothing there: done */
	assert_heard("\"dying\":false");
}

static void test_a_frozen_guest_and_a_lost_qemu(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	kit_forget();
	kit_operate(SIM_FREEZE, UUID);
	kit_command("shutdown");
	assert_not_heard("stopping");
	kit_end();

	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	kit_forget();
	kit_operate(SIM_KILL_QEMU, UUID);
	assert_heard("qemu-exit");
	kit_command("shutdown");
	assert_not_heard("stopping");
	kit_end();
}

static void test_a_held_domain_stays_listed_as_dying(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_operate(SIM_HOLD, UUID);
	kit_command("destroy");
	kit_run(LONG);
	assert_not_heard("\"gone\"");
	assert_int_equal(sim_domains(w.sim), 1);
	/* No second one beside it. */
	kit_act(kit_create_request(EXEC("sim", "forever")), 3);
	kit_run(10 * S);
	assert_heard("\"code\":\"Exists\"");
	kit_operate(SIM_UNHOLD, UUID);
	assert_heard("\"gone\"");
	assert_int_equal(sim_domains(w.sim), 0);
}

static void test_a_stranger_is_never_touched(void **state)
{
	(void)state;
	sim_watch_start(w.sim);
	kit_operate(SIM_STRANGER, UUID);
	w.domid = 1;
	kit_command("destroy");
	assert_heard("\"code\":\"NotPossibleNow\"");
	kit_command("pause");
	assert_int_equal(kit_times_heard("NotPossibleNow"), 2);
	assert_int_equal(sim_domains(w.sim), 1);
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	kit_run(S);
	assert_not_heard("\"store\"");
	assert_heard("\"state\":\"running\"");
}

static void test_another_generation_or_store_is_left_alone(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_forget();
	json_t *req = kit_request("destroy");
	json_object_set_new(req, "generation", json_integer(2));
	kit_act(req, 0);
	kit_run(5 * S);
	req = kit_request("destroy");
	json_object_set_new(req, "store", json_string("another"));
	json_object_set_new(req, "domid", json_integer(-1));
	kit_act(req, 0);
	kit_run(5 * S);
	assert_int_equal(kit_times_heard("\"code\":\"NotPossibleNow\""), 2);
	assert_int_equal(sim_domains(w.sim), 1);
	kit_end();
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_sensors_say_hello_and_answer),
	T(test_sensors_are_killed_and_start_again),
	T(test_what_a_killed_sensor_had_to_say_is_lost),
	T(test_a_watch_of_another_domain_says_gone),
	T(test_silence_while_xenstored_is_down),
	T(test_a_life_frame_by_frame),
	T(test_one_seed_is_one_history),
	T(test_nothing_is_called_back_from_inside_a_call),
	T(test_operators_act_from_outside),
	T(test_a_frozen_guest_and_a_lost_qemu),
	T(test_a_held_domain_stays_listed_as_dying),
	T(test_a_stranger_is_never_touched),
	T(test_another_generation_or_store_is_left_alone),
};

UNIT_MAIN(tests, NULL, NULL)
