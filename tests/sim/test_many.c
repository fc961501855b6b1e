/* SPDX-License-Identifier: Apache-2.0 */
/* VALGRIND: no, valgrind 3.19 does not know pidfd_open(2), by which locks are taken over */
/* Many pods at once, gc, and lives of supervisors that are shorter than those of their pods. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
#include "kit_case.h"

/* ---- gc -------------------------------------------------------------------------------------- */

static void test_gc(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 0 after 1s", NULL);
	kit_until(a, POD_EXITED);
	kit_rest(&k);
	kit_drop_trace(&k);
	kit_ask(a, EV_GC);
	kit_rest(&k);
	kit_assert_trace(&k, "   10.59 a exited --gc--> releasing\n"
			     "   10.59   a clear\n"
			     "   10.65 a releasing --cleared--> releasing\n"
			     "   10.65   a release\n"
			     "   10.68 a releasing --released--> gone\n");
	assert_null(kit_find(a));
	kit_finish(&k);
}

static void test_gc_twice(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 0 after 1s", NULL);
	kit_until(a, POD_EXITED);
	kit_rest(&k);
	kit_ask(a, EV_GC);
	kit_until(a, POD_RELEASING);
	kit_ask(a, EV_GC);
	kit_rest(&k);
	assert_null(kit_find(a));
	assert_true(a->gc.acked);
	kit_ask(a, EV_GC);
	kit_rest(&k);
	assert_true(a->gc.acked);
	kit_finish(&k);
}

/* ---- many ------------------------------------------------------------------------------------ */

static void test_two_pods(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 1 after 3s", NULL);
	struct kit_pod *b = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_EXITED);
	assert_int_equal(kit_find(b)->core.state, POD_RUNNING);
	kit_ask(b, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 1);
	kit_assert_ended(b, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

/* Places and helpers are bounded, starts go in the order of their coming (kit_check.c counts). */
static void test_fifty_pods(void **state)
{
	(void)state;
	again(&(struct kit_options){
		.seed = 7, .jitter = 30, .max_starts = 3, .max_helpers = 2, .reuse_domids = true});
	struct kit_pod *pod[50];
	for (int i = 0; i < 50; i++)
		pod[i] = kit_accept(&k, "exit 9 after 30s", NULL);
	kit_until(pod[24], POD_RUNNING);
	assert_int_equal(kit_find(pod[49])->core.state, POD_ACCEPTED);
	kit_rest(&k);
	for (int i = 0; i < 50; i++)
		kit_assert_ended(pod[i], POD_EXITED, CAUSE_FINISHED, 9);
	kit_finish(&k);
}

/* Asks for the end of the first pod just when its admission is queued, so that one commit has both.
 */
static void kill_the_first(struct kit *kit)
{
	const struct pod *p = kit_find(&kit->pod[0]);
	if (kit->poked || !p || p->core.state != POD_ACCEPTED)
		return;
	kit->poked = 1;
	kit_post(&kit->pod[0], EV_KILL, CAUSE_NONE);
}

/* Its place is free again, and only once (kit_check.c counts). */
static void test_killed_as_it_is_admitted(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .max_starts = 1});
	k.poke = kill_the_first;
	struct kit_pod *pod[3];
	for (int i = 0; i < 3; i++)
		pod[i] = kit_accept(&k, "exit 0 after 1s", NULL);
	kit_rest(&k);
	kit_assert_ended(pod[0], POD_EXITED, CAUSE_KILLED, -1);
	kit_assert_ended(pod[1], POD_EXITED, CAUSE_FINISHED, 0);
	kit_assert_ended(pod[2], POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* ---- supervisors come and go ------------------------------------------------------------------
 */

static void dead_for(int64_t ms)
{
	kit_crash(&k);
	sim_advance(k.sim, sim_now(k.sim) + ms * 1000000);
	kit_start(&k);
}

static void test_adopts_what_runs(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 6 after 60s");
	dead_for(20000);
	assert_int_equal(kit_find(a)->lock_fd, -1);
	kit_run_for(&k, 80);
	assert_true(kit_find(a)->lock_fd >= 0 && kit_find(a)->status_fd >= 0);
	kit_rest(&k);
	kit_assert_trace_end(a, 68720,
		"   28.77   a ready\n"
		"   68.72 a running --guest-app--> running app0=exited:6\n"
		"   68.72 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 6);
	kit_finish(&k);
}

/* The guest is done and waits for us with its codes in its nodes. */
static void test_ended_while_nobody_was_there(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 6 after 3s");
	dead_for(20000);
	kit_rest(&k);
	kit_assert_trace_end(a, 28770,
		"   28.77 a running --guest-done--> destroying [finished]\n"
		"   28.77 a destroying --guest-app--> destroying app0=exited:6\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 6);
	kit_finish(&k);
}

static void test_destroyed_while_nobody_was_there(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_DESTROY);
	dead_for(20000);
	kit_rest(&k);
	kit_assert_trace(&k, "   28.77 a running --domain-dead--> dying [destroyed]\n"
			     "   28.77   a unmap\n"
			     "   28.77 a dying --domain-dead--> dying\n"
			     "   28.77 a dying --quiet--> clearing\n"
			     "   28.77   a clear\n"
			     "   28.83 a clearing --cleared--> collecting\n"
			     "   28.83   a lock closed\n"
			     "   28.83 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

/* Its domain's number belongs to somebody else by now. */
static void test_number_used_again_while_nobody_was_there(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .reuse_domids = true});
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct err err = {0};
	int64_t domid = kit_find(a)->core.domid;
	kit_operator(a, SIM_DESTROY);
	kit_crash(&k);
	sim_advance(k.sim, sim_now(k.sim) + 5 * KIT_S);
	assert_ok(sim_operator(k.sim, SIM_STRANGER, "99999999-0000-4000-8000-000000000000", &err),
		&err);
	assert_int_equal(domid, 1);
	kit_start(&k);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
	assert_int_equal(sim_domains(k.sim), 1);
}

/* A start whose `run` died together with the supervisor ends; its half-built domain goes. */
static void test_run_dies_with_the_supervisor(void **state)
{
	(void)state;
	static const enum pod_state at[] = {
		POD_EXPORTING, POD_CREATING, POD_UNPAUSING, POD_BOOTING, POD_RUNNING};
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		again(NULL);
		struct kit_pod *a = kit_accept(&k, "forever", NULL);
		kit_until(a, at[i]);
		kit_crash(&k);
		kit_kill_run(a);
		sim_advance(k.sim, sim_now(k.sim) + KIT_S);
		kit_start(&k);
		kit_run_for(&k, 30000);
		kit_kill_run(a); /* the beat finds that it is gone (daemon.c, check_run) */
		kit_rest(&k);
		const struct pod *p = kit_find(a);
		assert_true(pod_state_ended(p->core.state));
		assert_int_equal(p->core.cause, CAUSE_RUN_LOST);
		kit_finish(&k);
	}
}

/* Ten deaths in one life. */
static void test_dies_again_and_again(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 3, .jitter = 20});
	struct kit_pod *a = kit_accept(&k, "exit 2 after 20s", NULL);
	struct kit_pod *b = kit_accept(&k, "exit 0 after 1s", "exit 1 after 15s", NULL);
	for (int i = 0; i < 10; i++) {
		kit_run_for(&k, 700 + 300 * i);
		dead_for(100 * i);
	}
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 2);
	kit_assert_ended(b, POD_EXITED, CAUSE_FINISHED, 1);
	kit_finish(&k);
}

/* ---- commits --------------------------------------------------------------------------------- */

static int64_t commits(void)
{
	struct engine_stats st;
	engine_stats_get(k.engine, &st);
	return st.commits;
}

/* Its death and that nothing holds it are one commit, its clearing is one; then files, lock, and one. */
static void test_commits_of_an_end(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	int64_t before = commits();
	k.orphan_runs = true;
	kit_find(a)->qemu_alive = false;
	kit_post(a, EV_DOMAIN_DEAD, CAUSE_NONE);
	kit_until(a, POD_EXITED);
	assert_int_equal(commits() - before, 3);
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
}

/* A commit that fails takes the death back and what followed from it: both come again, once. */
static void test_death_taken_back(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct engine_stats st;
	k.fail_commits = 2;
	k.orphan_runs = true;
	kit_find(a)->qemu_alive = false;
	kit_post(a, EV_DOMAIN_DEAD, CAUSE_NONE);
	kit_until(a, POD_EXITED);
	engine_stats_get(k.engine, &st);
	assert_int_equal(st.commit_retries, 2);
	assert_int_equal(st.unlisted, 0);
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_gc),
	T(test_gc_twice),
	T(test_two_pods),
	T(test_fifty_pods),
	T(test_killed_as_it_is_admitted),
	T(test_adopts_what_runs),
	T(test_ended_while_nobody_was_there),
	T(test_destroyed_while_nobody_was_there),
	T(test_number_used_again_while_nobody_was_there),
	T(test_run_dies_with_the_supervisor),
	T(test_dies_again_and_again),
	T(test_commits_of_an_end),
	T(test_death_taken_back),
};

UNIT_MAIN(tests, NULL, NULL)
