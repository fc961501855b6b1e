/* SPDX-License-Identifier: Apache-2.0 */
/* Pods that come back: when they do, how late, how often; over restarts of the supervisor and reboots. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "kit_case.h"

#include "base/cleanup.h"

static struct kit_pod *pod_with(enum pod_policy policy, int limit, const char *app)
{
	struct kit_pod *a = kit_accept(&k, app, NULL);
	kit_restart(a, policy, limit);
	return a;
}

static bool lock_is_free(const struct kit_pod *kp)
{
	_cleanup_fd_ int fd = open(kp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return flock(fd, LOCK_SH | LOCK_NB) == 0;
}

static int64_t seconds(void)
{
	return (sim_now(k.sim) - k.began) / KIT_S;
}

/* From now until it runs once more. */
static int64_t until_it_runs(struct kit_pod *kp)
{
	int64_t from = seconds();
	kit_until(kp, POD_RUNNING);
	return seconds() - from;
}

#define STARTS_IN 9 /* seconds that the simulated world takes from accepted to running */

/* ---- who comes back -------------------------------------------------------------------------- */

static void a_failure_is_started_again(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 1, "exit 3 after 2s");
	kit_until(a, POD_BACKOFF);
	const struct pod *p = kit_find(a);
	assert_int_equal(p->core.cause, CAUSE_FINISHED);
	assert_int_equal(p->core.code, 3);
	assert_int_equal(p->core.tries, 1);
	assert_int_equal(kit_code_file(a, "app0"), 3);
	assert_true(a->told_end);
	assert_false(lock_is_free(a));
	kit_until(a, POD_EXPORTING);
	assert_int_equal(p->core.cause, CAUSE_NONE);
	assert_int_equal(p->core.code, -1);
	assert_int_equal(kit_code_file(a, "app0"), -1);
	assert_false(pod_app_ended(&p->app[0]));
	kit_until(a, POD_RUNNING);
	assert_int_equal(p->core.generation, 2);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	assert_true(p->core.given_up);
	assert_int_equal(p->core.tries, 1);
	assert_int_equal(p->core.lives, 2);
	assert_true(lock_is_free(a));
	kit_finish(&k);
}

static void success_ends_it_or_not(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 5, "exit 0 after 2s");
	struct kit_pod *b = pod_with(POLICY_ALWAYS, 2, "exit 0 after 2s");
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	assert_int_equal(kit_find(a)->core.lives, 1);
	assert_false(kit_find(a)->core.given_up);
	kit_assert_ended(b, POD_EXITED, CAUSE_FINISHED, 0);
	assert_int_equal(kit_find(b)->core.lives, 3);
	assert_true(kit_find(b)->core.given_up);
	kit_finish(&k);
}

static void a_first_start_that_fails_is_the_users(void **state)
{
	(void)state;
	sim_fault(k.sim, SIM_AT_BUILD, 0, 1, SIM_KIND_FAIL, "no memory");
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "forever");
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	assert_false(kit_find(a)->core.given_up);
	kit_finish(&k);
}

static void a_later_start_that_fails_is_tried_again(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 3, "exit 1 after 2s");
	kit_until(a, POD_RUNNING);
	sim_fault(k.sim, SIM_AT_BUILD, 0, 2, SIM_KIND_FAIL, "no memory");
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 1);
	assert_int_equal(kit_find(a)->core.lives, 2);
	assert_int_equal(kit_find(a)->core.starts, 3);
	kit_finish(&k);
}

static void what_is_not_asked_for_is_undone(void **state)
{
	(void)state;
	static const enum sim_verb verbs[] = {SIM_PANIC, SIM_REBOOT, SIM_KILL_QEMU};
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 0, "forever");
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		kit_until(a, POD_RUNNING);
		kit_operator(a, verbs[i]);
		kit_until(a, POD_BACKOFF);
	}
	kit_until(a, POD_RUNNING);
	kit_kill_run(a);
	kit_until(a, POD_BACKOFF);
	assert_int_equal(kit_find(a)->core.cause, CAUSE_RUN_LOST);
	kit_until(a, POD_RUNNING);
	assert_int_equal(kit_find(a)->core.lives, 5);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

static void what_is_asked_for_stays(void **state)
{
	(void)state;
	static const enum sim_verb verbs[] = {SIM_DESTROY, SIM_SHUTDOWN, SIM_POWEROFF};
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "forever");
		kit_until(a, POD_RUNNING);
		kit_operator(a, verbs[i]);
		kit_until(a, POD_EXITED);
	}
	struct kit_pod *b = pod_with(POLICY_ALWAYS, 0, "stubborn");
	kit_until(b, POD_RUNNING);
	kit_ask(b, EV_KILL);
	kit_until(b, POD_EXITED);
	kit_rest(&k);
	kit_assert_ended(b, POD_EXITED, CAUSE_KILLED, -1);
	kit_finish(&k);
}

/* It ends by itself, and before all of it is gone somebody says stop. */
static void a_stop_while_it_ends_counts(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	kit_until(a, POD_DESTROYING);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 1);
	assert_false(kit_find(a)->core.given_up);
	kit_finish(&k);
}

/* ---- between two lives ----------------------------------------------------------------------- */

static void a_stop_in_backoff_ends_it(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	for (int i = 0; i < 4; i++)
		kit_until(a, i & 1 ? POD_RUNNING : POD_BACKOFF);
	kit_until(a, POD_BACKOFF);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 1);
	assert_true(lock_is_free(a));
	assert_int_equal(kit_code_file(a, "app0"), 1);
	kit_finish(&k);
}

static void a_stop_while_its_run_is_awaited(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	kit_until(a, POD_RESTARTING);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 1);
	assert_true(lock_is_free(a));
	kit_finish(&k);
}

static void the_back_off_doubles(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	for (int64_t wait = 1; wait <= 300; wait = wait == 256 ? 300 : wait * 2) {
		kit_until(a, POD_BACKOFF);
		assert_in_range(until_it_runs(a), wait + STARTS_IN - 1, wait + STARTS_IN + 1);
		if (wait == 300)
			break;
	}
	kit_until(a, POD_BACKOFF);
	kit_post(a, EV_START, CAUSE_NONE); /* whoever does not want to wait */
	assert_in_range(until_it_runs(a), STARTS_IN - 1, STARTS_IN + 1);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

static void a_long_life_forgives(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 1, "exit 1 after 601s");
	for (int i = 0; i < 3; i++) {
		kit_until(a, POD_RUNNING);
		kit_until(a, POD_BACKOFF);
		assert_int_equal(kit_find(a)->core.tries, 0);
	}
	kit_until(a, POD_RUNNING);
	kit_operator(a, SIM_PANIC);
	kit_until(a, POD_BACKOFF);
	assert_int_equal(kit_find(a)->core.tries, 1);
	kit_until(a, POD_RUNNING);
	kit_operator(a, SIM_PANIC);
	kit_until(a, POD_EXITED);
	assert_true(kit_find(a)->core.given_up);
	kit_finish(&k);
}

static void runs_that_do_not_come_are_tries(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 3, "exit 1 after 2s");
	kit_until(a, POD_RUNNING);
	k.fail_spawns = 99;
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_RESTART_FAILED, 1);
	assert_true(kit_find(a)->core.given_up);
	assert_int_equal(kit_find(a)->core.starts, 3);
	assert_int_equal(kit_code_file(a, "app0"), 1);
	kit_finish(&k);
}

static void who_does_not_fit_tries_later(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 0, "exit 1 after 20s");
	kit_until(a, POD_RUNNING);
	sim_set_host(k.sim, 1, 4);
	kit_until(a, POD_BACKOFF);
	kit_run_for(&k, 60000);
	assert_true(kit_find(a)->core.tries > 2);
	assert_int_equal(kit_find(a)->core.lives, 1);
	assert_non_null(strstr(kit_find(a)->core.message, "not enough memory"));
	sim_set_host(k.sim, INT64_C(8) << 20, 4);
	kit_until(a, POD_RUNNING);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

static void a_network_is_made_again(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 1, "exit 0 after 2s");
	kit_network(a, 80);
	kit_until(a, POD_RUNNING);
	kit_reboot(&k);
	kit_until(a, POD_RUNNING);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	assert_int_equal(kit_find(a)->core.lives, 3);
	kit_finish(&k);
}

/* ---- what survives ---------------------------------------------------------------------------- */

static void another_supervisor_goes_on(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	for (int i = 0; i < 6; i++) {
		kit_until(a, POD_RUNNING);
		kit_until(a, POD_BACKOFF);
	}
	kit_run_for(&k, 10000);
	int64_t due = kit_find(a)->core.deadline_ns;
	kit_crash(&k);
	k.wall_offset += INT64_C(315360000) * KIT_S; /* and the clock is stepped by ten years */
	kit_start(&k);
	assert_int_equal(kit_find(a)->core.deadline_ns, due);
	assert_int_equal(kit_find(a)->core.tries, 6);
	kit_run_for(&k, 1000);
	assert_false(lock_is_free(a));
	assert_in_range(until_it_runs(a), 21 + STARTS_IN - 2, 21 + STARTS_IN + 1);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

/* While it was dead the time came. */
static void a_dead_supervisor_is_late(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	kit_until(a, POD_BACKOFF);
	kit_crash(&k);
	sim_advance(k.sim, sim_now(k.sim) + 100 * KIT_S);
	assert_true(lock_is_free(a)); /* no systemd here that has it */
	kit_start(&k);
	assert_in_range(until_it_runs(a), STARTS_IN - 1, STARTS_IN + 1);
	assert_false(lock_is_free(a));
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

static void a_reboot_brings_it_back_at_once(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ON_FAILURE, 2, "exit 1 after 30s");
	kit_until(a, POD_RUNNING);
	for (int i = 0; i < 4; i++) {
		kit_reboot(&k);
		kit_until(a, POD_RESTARTING);
		assert_int_equal(kit_find(a)->core.cause, CAUSE_HOST_REBOOT);
		assert_in_range(until_it_runs(a), STARTS_IN - 1, STARTS_IN + 1);
		assert_int_equal(kit_find(a)->core.tries, 0);
	}
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 1);
	assert_int_equal(kit_find(a)->core.tries, 2);
	kit_finish(&k);
}

static void a_reboot_in_backoff_ends_the_wait(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "exit 1 after 2s");
	for (int i = 0; i < 8; i++) {
		kit_until(a, POD_RUNNING);
		kit_until(a, POD_BACKOFF);
	}
	kit_reboot(&k);
	assert_in_range(until_it_runs(a), STARTS_IN - 1, STARTS_IN + 1);
	assert_int_equal(kit_find(a)->core.tries, 8);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

static void given_up_stays_given_up(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 1, "exit 1 after 2s");
	kit_rest(&k);
	assert_true(kit_find(a)->core.given_up);
	kit_crash(&k);
	kit_start(&k);
	kit_rest(&k);
	assert_true(kit_find(a)->core.given_up);
	kit_reboot(&k);
	kit_rest(&k);
	assert_true(kit_find(a)->core.given_up);
	assert_int_equal(kit_find(a)->core.state, POD_EXITED);
	kit_finish(&k);
}

/* ---- the host shuts down --------------------------------------------------------------------- */

static void all_pods_are_stopped_for_it(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_NEVER, 0, "forever");
	struct kit_pod *b = pod_with(POLICY_ALWAYS, 0, "forever");
	struct kit_pod *c = pod_with(POLICY_ALWAYS, 0, "exit 1 after 1s");
	struct kit_pod *d = pod_with(POLICY_ON_FAILURE, 0, "stubborn");
	kit_until(a, POD_RUNNING);
	kit_until(b, POD_RUNNING);
	kit_until(d, POD_RUNNING);
	kit_until(c, POD_BACKOFF);
	engine_close(k.engine, true);
	assert_true(engine_alive(k.engine) >= 3);
	struct kit_pod *late = pod_with(POLICY_NEVER, 0, "forever");
	kit_rest(&k);
	assert_int_equal(engine_alive(k.engine), 0);
	assert_int_equal(late->accept.refused, ERR_STATE);
	late->run_alive = false;
	fd_close(&late->lock_fd);
	kit_assert_ended(a, POD_EXITED, CAUSE_HOST_SHUTDOWN, 0);
	struct kit_pod *back[] = {b, c, d};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(kit_find(back[i])->core.state, POD_BACKOFF);
		assert_int_equal(kit_find(back[i])->core.deadline_ns, 0);
	}
	assert_int_equal(kit_find(b)->core.cause, CAUSE_HOST_SHUTDOWN);
	assert_int_equal(kit_code_file(b, "app0"), 0);
	kit_reboot(&k);
	for (size_t i = 0; i < 3; i++)
		kit_until(back[i], POD_RUNNING);
	assert_int_equal(kit_find(b)->core.tries, 0);
	kit_assert_ended(a, POD_EXITED, CAUSE_HOST_SHUTDOWN, 0);
	for (size_t i = 0; i < 3; i++)
		kit_ask(back[i], EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

static void a_shutdown_is_called_off(void **state)
{
	(void)state;
	struct kit_pod *b = pod_with(POLICY_ALWAYS, 0, "forever");
	kit_until(b, POD_RUNNING);
	engine_close(k.engine, true);
	kit_until(b, POD_BACKOFF);
	kit_run_for(&k, 600000);
	assert_int_equal(kit_find(b)->core.state, POD_BACKOFF);
	engine_close(k.engine, false);
	kit_until(b, POD_RUNNING);
	kit_ask(b, EV_STOP);
	kit_rest(&k);
	kit_finish(&k);
}

/* A user's stop is a user's stop, also while the host goes down. */
static void a_stopped_pod_does_not_come_with_the_next_boot(void **state)
{
	(void)state;
	struct kit_pod *a = pod_with(POLICY_ALWAYS, 0, "stubborn");
	struct kit_pod *b = pod_with(POLICY_ALWAYS, 0, "forever");
	kit_until(a, POD_RUNNING);
	kit_until(b, POD_RUNNING);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_STOPPING);
	engine_close(k.engine, true);
	kit_until(b, POD_BACKOFF);
	kit_ask(b, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 137);
	kit_assert_ended(b, POD_EXITED, CAUSE_STOPPED, 0);
	kit_reboot(&k);
	kit_rest(&k);
	assert_int_equal(kit_find(a)->core.state, POD_EXITED);
	assert_int_equal(kit_find(b)->core.state, POD_EXITED);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(a_failure_is_started_again),
	T(success_ends_it_or_not),
	T(a_first_start_that_fails_is_the_users),
	T(a_later_start_that_fails_is_tried_again),
	T(what_is_not_asked_for_is_undone),
	T(what_is_asked_for_stays),
	T(a_stop_while_it_ends_counts),
	T(a_stop_in_backoff_ends_it),
	T(a_stop_while_its_run_is_awaited),
	T(the_back_off_doubles),
	T(a_long_life_forgives),
	T(runs_that_do_not_come_are_tries),
	T(who_does_not_fit_tries_later),
	T(a_network_is_made_again),
	T(another_supervisor_goes_on),
	T(a_dead_supervisor_is_late),
	T(a_reboot_brings_it_back_at_once),
	T(a_reboot_in_backoff_ends_the_wait),
	T(given_up_stays_given_up),
	T(all_pods_are_stopped_for_it),
	T(a_shutdown_is_called_off),
	T(a_stopped_pod_does_not_come_with_the_next_boot),
};

UNIT_MAIN(tests, NULL, NULL)
