/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: sim proto base */
/* WITH: simkit.c */
/*
 * Simulated helpers, and that each fault at each point does what it says.
 */
#include "simkit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* ---- helpers -----------------------------------------------------------------------------------
 */

static void test_requests_that_the_real_one_would_refuse(void **state)
{
	(void)state;
	_cleanup_json_ json_t *req = kit_request("dance");
	assert_call((int)sim_act_start(w.sim, req, NULL, 0, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "dance");
	_cleanup_json_ json_t *create = kit_create_request(EXEC("x"));
	assert_call((int)sim_act_start(w.sim, create, &w.fd, 1, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "3 descriptors, not 1");
	json_object_del(create, "generation");
	int fds[] = {w.fd, w.fd, w.fd};
	assert_call((int)sim_act_start(w.sim, create, fds, 3, &err), &err, -1);
	assert_err(&err, ERR_INVALID, "generation");
	kit_act(kit_request("clear"), 0);
	_cleanup_json_ json_t *again = kit_request("clear");
	json_object_set_new(again, "op", json_integer(w.op - 1));
	assert_call((int)sim_act_start(w.sim, again, NULL, 0, &err), &err, -1);
	assert_err(&err, ERR_EXISTS, "at work");
	kit_run(S);
	/* Trees that were never attached. */
	kit_act(kit_create_request(EXEC("x")), 3);
	kit_run(5 * S);
	assert_heard("1 trees to export, 0 are attached");
	assert_int_equal(sim_domains(w.sim), 0);
}

static void test_helpers_of_one_pod_wait_for_each_other(void **state)
{
	(void)state;
	int64_t h = kit_start(EXEC("sim", "forever"));
	(void)h;
	kit_forget();
	sim_set_jitter(w.sim, 0);
	int64_t first = kit_act(kit_request("destroy"), 0);
	kit_run(100000000);
	int64_t second = kit_act(kit_request("clear"), 0);
	kit_run(5 * S);
	_cleanup_free_ char *a = xasprintf("exit(0) %lld", (long long)first);
	_cleanup_free_ char *b = xasprintf("exit(0) %lld", (long long)second);
	const char *pa = strstr(kit_heard(), a);
	const char *pb = strstr(kit_heard(), b);
	assert_non_null(pa);
	assert_non_null(pb);
	assert_true(pa < pb);

	sim_fault(w.sim, SIM_AT_CLEAR, 0, 1, SIM_KIND_HANG, NULL);
	first = kit_act(kit_request("clear"), 0);
	kit_run(S);
	kit_act(kit_request("release"), 0);
	kit_run(20 * S);
	assert_heard("\"code\":\"TimedOut\"");
	sim_act_kill(w.sim, first);
	kit_run(S);
	assert_heard("exit(137)");
}

static void test_the_lock_is_held_as_long_as_qemu_lives(void **state)
{
	(void)state;
	char path[] = "/tmp/xenpod-sim-XXXXXX";
	int lock = mkstemp(path);
	assert_true(lock >= 0);
	int other = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	close(w.fd);
	w.fd = lock; /* the caller's copy */
	kit_start(EXEC("sim", "forever"));
	close(w.fd);
	w.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), -1);
	kit_operate(SIM_KILL_QEMU, UUID);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
	close(other);
}

static void test_killed_at_work_a_helper_leaves_the_half_done(void **state)
{
	(void)state;
	sim_set_jitter(w.sim, 0);
	kit_attach();
	int64_t h = kit_act(kit_create_request(EXEC("x")), 3);
	kit_run(1500000000); /* listed, but not built */
	assert_true(sim_helper_alive(w.sim, UUID));
	sim_helper_kill(w.sim, UUID);
	assert_false(sim_helper_alive(w.sim, UUID));
	(void)h;
	kit_run(10 * S);
	assert_heard("exit(137)");
	assert_not_heard("created");
	assert_int_equal(sim_domains(w.sim), 1);
	sim_watch_start(w.sim);
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	kit_run(S);
	assert_heard("\"generation\":1,\"n\":1}");
	assert_not_heard("built");
	w.domid = -1;
	kit_end();
}

static void test_death_of_the_supervisor(void **state)
{
	(void)state;
	/* Waiting for go: the domain stays paused and built. */
	sim_set_jitter(w.sim, 0);
	sim_watch_start(w.sim);
	kit_attach();
	kit_act(kit_create_request(EXEC("sim", "forever")), 3);
	kit_run(5 * S);
	kit_forget();
	sim_adopt(w.sim, &events);
	kit_run(5 * S);
	assert_string_equal(kit_heard(), "");
	assert_false(sim_helper_alive(w.sim, UUID));
	assert_false(sim_watch_alive(w.sim));
	/* At work: it goes on unheard. */
	kit_act(kit_request("unpause"), 0);
	kit_run(20000000);
	sim_adopt(w.sim, &events);
	kit_run(S);
	assert_string_equal(kit_heard(), "");
	sim_watch_start(w.sim);
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	kit_run(S);
	assert_heard("\"state\":\"running\"");
	assert_heard("\"built\":4200000");
	kit_end();
}

/* ---- faults ------------------------------------------------------------------------------------
 */

struct fault_case {
	const char *t;
	enum sim_point point;
};

static const struct fault_case plain[] = {
	{"unpause", SIM_AT_UNPAUSE}, {"pause", SIM_AT_PAUSE}, {"shutdown", SIM_AT_SHUTDOWN},
	{"clear", SIM_AT_CLEAR}, {"release", SIM_AT_RELEASE},
	{"destroy", SIM_AT_DESTROY}, /* last: the others need the domain */
};

static void fault_and_run(const struct fault_case *c, enum sim_kind kind)
{
	kit_forget();
	sim_fault(w.sim, c->point, 1, 1, kind, "no luck");
	kit_command(c->t); /* the first passes */
	assert_int_equal(kit_times_heard("exit(0)"), 1);
	kit_forget();
	kit_command(c->t);
}

static void test_each_command_fails_hangs_dies_doubles_and_is_lost(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		fault_and_run(&plain[i], SIM_KIND_FAIL);
		assert_heard("\"t\":\"failed\",\"code\":\"System\",\"message\":\"no luck\"");
		assert_heard("exit(1)");
		fault_and_run(&plain[i], SIM_KIND_DIE);
		assert_heard("exit(255)");
		assert_not_heard("act");
		fault_and_run(&plain[i], SIM_KIND_LOST);
		assert_heard("exit(255)");
		assert_not_heard("act");
		fault_and_run(&plain[i], SIM_KIND_DOUBLE);
		assert_int_equal(kit_times_heard("\"t\":\"done\""), 2);
		assert_int_equal(kit_times_heard("exit"), 1);
		fault_and_run(&plain[i], SIM_KIND_SLOW);
		assert_heard("exit(0)");
		fault_and_run(&plain[i], SIM_KIND_HANG);
		kit_run(LONG);
		assert_not_heard("exit");
		assert_true(sim_helper_alive(w.sim, UUID));
		sim_helper_kill(w.sim, UUID);
		kit_run(S);
		assert_heard("exit(137)");
	}
}

static void test_a_slow_command_takes_twenty_times_as_long(void **state)
{
	(void)state;
	sim_set_jitter(w.sim, 0);
	sim_fault(w.sim, SIM_AT_CLEAR, 0, 1, SIM_KIND_SLOW, NULL);
	kit_act(kit_request("clear"), 0);
	kit_run(819 * S / 1000); /* spawn 20 + 20 * 40 */
	assert_not_heard("done");
	kit_run(S / 1000);
	assert_heard("820 act");
}

static void test_faults_of_create(void **state)
{
	(void)state;
	static const struct {
		enum sim_point point;
		enum sim_kind kind;
		const char *heard;
		size_t domains;
		bool qemu;
	} cases[] = {
		{SIM_AT_CREATE, SIM_KIND_FAIL, "no luck", 0, false},
		{SIM_AT_CREATE, SIM_KIND_DIE, "exit(255)", 0, false},
		{SIM_AT_CREATE, SIM_KIND_LOST, "exit(255)", 1, true},
		{SIM_AT_BUILD, SIM_KIND_FAIL, "cannot create the domain: no luck", 0, false},
		{SIM_AT_BUILD, SIM_KIND_DIE, "exit(255)", 1, false},
		{SIM_AT_BUILD, SIM_KIND_LOST, "exit(255)", 1, true},
		{SIM_AT_BUILD, SIM_KIND_SLOW, "created", 1, true},
		{SIM_AT_BUILD, SIM_KIND_DOUBLE, "created", 1, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		kit_attach();
		kit_forget();
		sim_fault(w.sim, cases[i].point, 0, 1, cases[i].kind, "no luck");
		kit_act(kit_create_request(EXEC("x")), 3);
		kit_run(60 * S);
		assert_heard(cases[i].heard);
		_cleanup_free_ char *left = sim_left(w.sim);
		assert_int_equal(sim_domains(w.sim), cases[i].domains);
		assert_int_equal(strstr(left, "qemu ") != NULL, cases[i].qemu);
		sim_helper_kill(w.sim, UUID);
		w.domid = -1;
		kit_end();
	}
}

static void test_faults_of_go(void **state)
{
	(void)state;
	static const enum sim_kind kinds[] = {
		SIM_KIND_FAIL, SIM_KIND_DIE, SIM_KIND_HANG, SIM_KIND_LOST, SIM_KIND_SLOW};
	static const char *const said[] = {
		"no luck", "exit(255)", "created", "exit(255)", "exit(0)"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		sim_fault(w.sim, SIM_AT_GO, 0, 1, kinds[i], "no luck");
		kit_forget();
		kit_start(EXEC("sim", "forever"));
		kit_run(20 * S);
		assert_heard(said[i]);
		bool runs = kinds[i] == SIM_KIND_LOST || kinds[i] == SIM_KIND_SLOW;
		assert_int_equal(kit_times_heard("2 running") > 0, runs);
		sim_helper_kill(w.sim, UUID);
		kit_end();
	}
}

static void test_a_helper_that_cannot_be_started(void **state)
{
	(void)state;
	sim_fault(w.sim, SIM_AT_START, 0, 1, SIM_KIND_FAIL, "no processes left");
	_cleanup_json_ json_t *req = kit_request("clear");
	assert_call((int)sim_act_start(w.sim, req, NULL, 0, &err), &err, -1);
	assert_err(&err, ERR_SYSTEM, "no processes left");
	kit_run(S);
	assert_string_equal(kit_heard(), "");
	kit_command("clear");
	assert_heard("done");
}

static void test_a_stuck_qemu_ends_by_kill_only(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	sim_fault(w.sim, SIM_AT_QEMU, 0, 1, SIM_KIND_HANG, NULL);
	kit_command("destroy");
	kit_run(LONG);
	assert_true(sim_qemu_alive(w.sim, w.qemu));
	assert_heard("\"gone\"");
	sim_qemu_kill(w.sim, w.qemu);
	kit_run(S);
	assert_false(sim_qemu_alive(w.sim, w.qemu));
	assert_int_equal(sim_qemu_start(w.sim, w.qemu), 0);
	assert_heard("qemu-exit");
}

static void test_a_zombie_by_fault(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	sim_fault(w.sim, SIM_AT_DYING, 0, 1, SIM_KIND_HANG, NULL);
	kit_command("destroy");
	kit_run(LONG);
	assert_heard("\"state\":\"dying\"");
	assert_not_heard("\"gone\"");
	kit_operate(SIM_UNHOLD, UUID);
	assert_heard("\"gone\"");
}

static void test_lost_events_are_seen_by_the_next_list(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	sim_fault(w.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_LOST, NULL);
	kit_operate(SIM_PANIC, UUID);
	assert_not_heard("crash");
	kit_watch_send(json_make("{s:s, s:i}", "t", "list", "n", 1));
	kit_run(S);
	assert_heard("\"reason\":\"crash\"");
}

static void test_doubled_and_late_reports(void **state)
{
	(void)state;
	sim_fault(w.sim, SIM_AT_GUEST, 0, 100, SIM_KIND_DOUBLE, NULL);
	kit_start(EXEC("sim", "forever"));
	kit_run(10 * S);
	assert_int_equal(kit_times_heard("1 booting"), 2);
	sim_fault(w.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_DOUBLE, NULL);
	kit_operate(SIM_PANIC, UUID);
	assert_int_equal(kit_times_heard("\"reason\":\"crash\""), 2);
	sim_fault(w.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_SLOW, NULL);
	kit_command("destroy");
	assert_int_equal(kit_times_heard("\"state\":\"dying\""), 1);
	sim_fault(w.sim, SIM_AT_PONG, 0, 1, SIM_KIND_LOST, NULL);
	kit_watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 1));
	kit_watch_send(json_make("{s:s, s:i}", "t", "ping", "n", 2));
	kit_run(S);
	assert_not_heard("{\"t\":\"pong\",\"n\":1}");
	assert_heard("{\"t\":\"pong\",\"n\":2}");
}

static void test_domids_count_up_or_are_used_again(void **state)
{
	(void)state;
	kit_start(EXEC("sim", "forever"));
	kit_end();
	kit_start(EXEC("sim", "forever"));
	assert_int_equal(w.domid, 2);
	kit_end();
	sim_free(w.sim);
	struct sim_config cfg = {.reuse_domids = true, .events = events};
	w.sim = sim_new(&cfg);
	for (int i = 0; i < 3; i++) {
		kit_start(EXEC("sim", "forever"));
		assert_int_equal(w.domid, 1);
		kit_end();
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_requests_that_the_real_one_would_refuse),
	T(test_helpers_of_one_pod_wait_for_each_other),
	T(test_the_lock_is_held_as_long_as_qemu_lives),
	T(test_killed_at_work_a_helper_leaves_the_half_done),
	T(test_death_of_the_supervisor),
	T(test_each_command_fails_hangs_dies_doubles_and_is_lost),
	T(test_a_slow_command_takes_twenty_times_as_long),
	T(test_faults_of_create),
	T(test_faults_of_go),
	T(test_a_helper_that_cannot_be_started),
	T(test_a_stuck_qemu_ends_by_kill_only),
	T(test_a_zombie_by_fault),
	T(test_lost_events_are_seen_by_the_next_list),
	T(test_doubled_and_late_reports),
	T(test_domids_count_up_or_are_used_again),
};

UNIT_MAIN(tests, NULL, NULL)
