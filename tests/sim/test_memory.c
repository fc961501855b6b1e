/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's memory: kept for pods that start, refused before anything is made, waited for when our
 * own pods are about to give it back.
 */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, six seconds long */
#include "kit_case.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/memory.h"

#define MIB  INT64_C(1024)
#define POD  (1024 * MIB)        /* what the kit's pods ask for */
#define NEED ((1024 + 14) * MIB) /* what is kept for one: 2 vCPUs, 8 MiB of page tables, 4 */

static void host(int64_t kib)
{
	sim_set_host(k.sim, kib, 8);
}

/* The supervisor has read the numbers, and has nothing to do. */
static void settle(void)
{
	kit_run_for(&k, 1000);
	assert_true(k.open);
}

static void assert_refused(struct kit_pod *kp, const char *why)
{
	assert_int_equal(kp->accept.refused, ERR_FULL);
	if (!strstr(kp->accept.why, why))
		fail_msg("\"%s\" is not in: %s", why, kp->accept.why);
	assert_null(kit_find(kp));
}

/* Its `run` ends when it is refused, and another one may come for the same pod. */
static void run_ends(struct kit_pod *kp)
{
	kp->run_alive = false;
	fd_close(&kp->lock_fd);
}

static void ask_again(struct kit_pod *kp)
{
	kp->accept.sent = kp->accept.acked = false;
	kp->accept.refused = ERR_OK;
}

static int count_pod(void *ctx, const struct pod_row *r)
{
	(void)r;
	++*(int *)ctx;
	return 0;
}

static int count_history(void *ctx, const struct history_row *r)
{
	(void)r;
	++*(int *)ctx;
	return 0;
}

static void assert_unknown_to_the_store(const struct kit_pod *kp)
{
	struct err err = {0};
	int pods = 0;
	int rows = 0;
	assert_ok(store_pods(k.store, count_pod, &pods, &err), &err);
	assert_int_equal(pods, (int)pods_count(engine_pods(k.engine)));
	assert_ok(store_history(k.store, kp->uuid, 0, 0, count_history, &rows, &err), &err);
	assert_int_equal(rows, 0);
}

static void test_need(void **state)
{
	(void)state;
	struct pod *p = pod_new("00000001-0000-4000-8000-0000000000ff");
	_cleanup_json_ json_t *request = json_make(
		"{s:I, s:i, s:s}", "memory_kib", (json_int_t)POD, "vcpus", 2, "type", "auto");
	pod_set_request(p, request);
	assert_int_equal(memory_need(p), NEED);
	json_object_set_new(request, "type", json_string("pv"));
	pod_set_request(p, request);
	assert_int_equal(memory_need(p), POD + 4 * MIB);
	pod_free(p);
}

/* Each of two fits, both do not: refused while the first starts, and while it runs; not after. */
static void test_two_that_do_not_fit_together(void **state)
{
	(void)state;
	host(3 * POD / 2);
	settle();
	struct kit_pod *a = kit_accept(&k, "exit 0 after 20s", NULL);
	struct kit_pod *b = kit_accept(&k, "exit 0", NULL);
	kit_until(a, POD_EXPORTING);
	kit_drop_trace(&k);
	kit_run_for(&k, 10);
	assert_refused(b, "it needs 1038 MiB, Xen has 1536 MiB free, of which 1038 MiB are kept");
	assert_unknown_to_the_store(b);
	static const enum pod_state states[] = {
		POD_CREATING, POD_UNPAUSING, POD_BOOTING, POD_RUNNING};
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		kit_until(a, states[i]);
		ask_again(b);
		kit_run_for(&k, 1);
		assert_refused(b, "not enough memory");
	}
	kit_run_for(&k, 1000);
	ask_again(b);
	kit_run_for(&k, 1);
	assert_refused(b, "Xen has 511 MiB free, of which 0 MiB are kept");
	assert_unknown_to_the_store(b);
	kit_until(a, POD_EXITED);
	ask_again(b);
	kit_run_for(&k, 1);
	assert_string_equal(b->accept.why, "");
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	kit_assert_ended(b, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* Whatever the supervisor knew, the next one knows it as well. */
static void test_restart_in_between(void **state)
{
	(void)state;
	static const enum pod_state states[] = {
		POD_EXPORTING, POD_CREATING, POD_BOOTING, POD_RUNNING};
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		again(&(struct kit_options){.seed = 1});
		host(3 * POD / 2);
		settle();
		struct kit_pod *a = kit_accept(&k, "forever", NULL);
		kit_until(a, states[i]);
		kit_crash(&k);
		kit_start(&k);
		struct kit_pod *b = kit_accept(&k, "exit 0", NULL);
		kit_run_for(&k, 150);
		assert_refused(b, "not enough memory");
		run_ends(b);
		kit_until(a, POD_RUNNING);
		kit_ask(a, EV_STOP);
		kit_rest(&k);
		kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
		kit_finish(&k);
	}
}

/* Both in one commit: the second is not known to anybody yet. */
static void test_two_at_the_same_moment(void **state)
{
	(void)state;
	host(3 * POD);
	settle();
	struct kit_pod *a = kit_accept(&k, "exit 0", NULL);
	struct kit_pod *b = kit_accept(&k, "exit 0", NULL);
	struct kit_pod *c = kit_accept(&k, "exit 0", NULL);
	struct engine_stats before;
	struct engine_stats after;
	engine_stats_get(k.engine, &before);
	kit_run_for(&k, 1);
	engine_stats_get(k.engine, &after);
	assert_int_equal(before.commit_retries, after.commit_retries);
	assert_non_null(kit_find(a));
	assert_non_null(kit_find(b));
	assert_refused(c, "2076 MiB are kept");
	run_ends(c);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	kit_assert_ended(b, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

static void test_larger_than_the_host(void **state)
{
	(void)state;
	host(POD);
	settle();
	struct kit_pod *a = kit_accept(&k, "exit 0", NULL);
	kit_run_for(&k, 10);
	assert_refused(a, "the whole host has 1024 MiB");
	run_ends(a);
	kit_finish(&k);
}

/* Accepted while the other still has the memory; started when that has come back, and not before. */
static void test_wait_for_what_comes_back(void **state)
{
	(void)state;
	host(3 * POD / 2);
	settle();
	struct kit_pod *a = pod_in(POD_RUNNING, "stubborn");
	kit_run_for(&k, 1000);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_STOPPING);
	struct kit_pod *b = kit_accept(&k, "exit 0", NULL);
	kit_run_for(&k, 5000); /* of a grace of eight seconds */
	assert_int_equal(b->accept.refused, ERR_OK);
	assert_int_equal(kit_find(a)->core.state, POD_STOPPING);
	assert_int_equal(kit_find(b)->core.state, POD_ACCEPTED);
	kit_rest(&k);
	kit_assert_ended(b, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* Who fits now does not stand behind who waits. */
static void test_others_pass(void **state)
{
	(void)state;
	host(5 * POD / 2);
	settle();
	struct kit_pod *a = pod_in(POD_RUNNING, "stubborn");
	kit_run_for(&k, 1000);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_STOPPING);
	struct kit_pod *large = kit_accept(&k, "exit 0", NULL);
	json_object_set_new(large->request, "memory_kib", json_integer(3 * POD / 2));
	struct kit_pod *small = kit_accept(&k, "exit 0", NULL);
	json_object_set_new(small->request, "memory_kib", json_integer(POD / 2));
	kit_run_for(&k, 3000);
	assert_int_equal(kit_find(large)->core.state, POD_ACCEPTED);
	assert_true(kit_find(small)->core.state > POD_ACCEPTED);
	kit_rest(&k);
	kit_assert_ended(large, POD_EXITED, CAUSE_FINISHED, 0);
	kit_assert_ended(small, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* A domain that somebody holds has its last page only. */
static void test_a_zombie_gives_back_what_it_can(void **state)
{
	(void)state;
	host(3 * POD / 2);
	settle();
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	sim_fault(k.sim, SIM_AT_DYING, 0, 1, SIM_KIND_HANG, NULL);
	kit_ask(a, EV_KILL);
	kit_until(a, POD_DYING);
	struct kit_pod *b = kit_accept(&k, "exit 0", NULL);
	kit_run_for(&k, 10);
	assert_int_equal(b->accept.refused, ERR_OK);
	assert_int_equal(kit_find(b)->core.state, POD_ACCEPTED);
	kit_rest(&k);
	kit_assert_ended(b, POD_EXITED, CAUSE_FINISHED, 0);
	kit_operator(a, SIM_UNHOLD);
	kit_finish(&k);
}

/* Somebody else takes what was to come back: who was accepted fails, and is told why. */
static void test_somebody_else_was_faster(void **state)
{
	(void)state;
	host(3 * POD / 2);
	settle();
	struct kit_pod *a = kit_accept(&k, "exit 0", NULL);
	kit_until(a, POD_EXPORTING);
	host(POD / 2);
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	assert_non_null(strstr(kit_find(a)->core.message, "not enough memory for the domain"));
	kit_finish(&k);
}

/* No numbers: nobody is refused, and the create says what there is. */
static void test_unknown(void **state)
{
	(void)state;
	settle();
	host(POD / 2);
	sim_watch_kill(k.sim);
	kit_run_for(&k, 20);
	assert_null(engine_host(k.engine));
	struct kit_pod *a = kit_accept(&k, "exit 0", NULL);
	kit_run_for(&k, 10);
	assert_int_equal(a->accept.refused, ERR_OK);
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	kit_finish(&k);
}

/* Stranger's domains are in Xen's numbers, and pods that run are not counted twice. */
static void test_many_one_after_the_other(void **state)
{
	(void)state;
	host(4 * NEED);
	settle();
	struct kit_pod *pod[4];
	for (size_t i = 0; i < 4; i++) {
		pod[i] = pod_in(POD_RUNNING, "forever");
		kit_run_for(&k, 100);
	}
	struct kit_pod *more = kit_accept(&k, "exit 0", NULL);
	kit_run_for(&k, 10);
	assert_refused(more, "of which 0 MiB are kept");
	run_ends(more);
	for (size_t i = 0; i < 4; i++)
		kit_ask(pod[i], EV_STOP);
	kit_finish(&k);
}

/* From dying on it is in Xen's own number of what is on its way back. */
static void test_what_is_dying_is_counted_once(void **state)
{
	(void)state;
	host(4 * POD);
	settle();
	sim_fault(k.sim, SIM_AT_QEMU, 0, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	settle();
	kit_ask(a, EV_KILL);
	kit_until(a, POD_DESTROYING);
	assert_int_equal(memory_sum(k.engine, MEMORY_RETURNING), NEED);
	kit_until(a, POD_DYING);
	kit_run_for(&k, 1000);
	assert_int_equal(kit_find(a)->core.state, POD_DYING);
	assert_int_equal(memory_sum(k.engine, MEMORY_RETURNING), 0);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_need),
	T(test_two_that_do_not_fit_together),
	T(test_restart_in_between),
	T(test_two_at_the_same_moment),
	T(test_larger_than_the_host),
	T(test_wait_for_what_comes_back),
	T(test_others_pass),
	T(test_a_zombie_gives_back_what_it_can),
	T(test_somebody_else_was_faster),
	T(test_unknown),
	T(test_many_one_after_the_other),
	T(test_what_is_dying_is_counted_once),
};

UNIT_MAIN(tests, NULL, NULL)
