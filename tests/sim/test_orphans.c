/* SPDX-License-Identifier: Apache-2.0 */
/* Domains of ours that no pod accounts for: when they are collected, and when they are not. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind */
#include "kit_case.h"

#include "base/cleanup.h"
#include "base/json.h"

#define UUID    "0a0a0a0a-1111-4222-8333-444444444444"
#define ANOTHER "ffffffffffffffffffffffffffffffff"

static int64_t put(const char *uuid, int64_t generation)
{
	return sim_put_domain(k.sim, uuid, store_id(k.store), generation);
}

static void assert_nothing_left(void)
{
	_cleanup_free_ char *left = sim_left(k.sim);
	if (left)
		fail_msg("something is left:\n%s", left);
}

static int count_row(void *ctx, const struct history_row *h)
{
	int *n = ctx;
	n[0] += !strcmp(h->event, "orphan-collect");
	n[1] += !strcmp(h->event, "orphan-collected");
	n[2] += !strcmp(h->event, "orphan-gone");
	return 0;
}

static void assert_history(const char *uuid, int decided, int collected, int gone)
{
	struct err err = {0};
	int n[3] = {0};
	assert_ok(store_history(k.store, uuid, 0, 0, count_row, n, &err), &err);
	assert_int_equal(n[0], decided);
	assert_int_equal(n[1], collected);
	assert_int_equal(n[2], gone);
}

static int count_orphan(void *ctx, const struct orphan_row *r)
{
	(void)r;
	++*(int *)ctx;
	return 0;
}

static int rows(void)
{
	struct err err = {0};
	int n = 0;
	assert_ok(store_orphans(k.store, count_orphan, &n, &err), &err);
	return n;
}

/* The next look at all domains, and what follows from it at once. */
static void audit(void)
{
	sensors_list(k.sensors);
	kit_run_for(&k, 1000);
}

static const struct orphan_item *the_item(void)
{
	const struct orphan_item *i = orphans_first(k.orphans);
	assert_non_null(i);
	assert_null(i->next);
	return i;
}

/* ---- collected ------------------------------------------------------------------------------- */

static void test_after_the_grace(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	kit_drop_trace(&k);
	put(UUID, 3);
	audit();
	assert_true(the_item()->orphaned);
	assert_string_equal(the_item()->why, "no pod has this UUID");
	assert_int_equal(the_item()->audits, 1);
	kit_run_for(&k, 58000);
	assert_int_equal(sim_domains(k.sim), 1);
	assert_int_equal(rows(), 0);
	kit_run_for(&k, 3000);
	kit_assert_trace(&k, "   61.00   destroy\n"
			     "   61.72   clear\n"
			     "   61.78   release\n");
	assert_nothing_left();
	assert_history(UUID, 1, 1, 0);
	assert_int_equal(rows(), 0);
	assert_int_equal(orphans_collected(k.orphans), 1);
	assert_null(orphans_first(k.orphans));
	kit_finish(&k);
}

/* Its exports and its cgroup are those of the pod that has the UUID. */
static void test_of_another_generation_than_the_pods(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	put(a->uuid, 7);
	kit_run_for(&k, 125000);
	kit_assert_trace(&k, "  120.00   a destroy\n");
	assert_int_equal(sim_domains(k.sim), 1);
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	assert_history(a->uuid, 1, 1, 0);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

static void test_of_a_pod_that_has_ended(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_EXITED, "exit 0 after 1s");
	kit_rest(&k);
	k.orphan_runs = true;
	put(a->uuid, 1);
	audit();
	assert_string_equal(the_item()->why, "the pod is exited and has no domain");
	kit_run_for(&k, 65000);
	k.orphan_runs = false;
	assert_int_equal(sim_domains(k.sim), 0);
	assert_history(a->uuid, 1, 1, 0);
	kit_finish(&k);
}

static void test_at_once_when_asked_but_not_at_one_look(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	put(UUID, 1);
	orphans_ask(k.orphans);
	kit_run_for(&k, 4000);
	assert_int_equal(the_item()->audits, 1);
	assert_int_equal(sim_domains(k.sim), 1);
	orphans_ask(k.orphans);
	orphans_ask(k.orphans);
	kit_run_for(&k, 500);
	assert_int_equal(rows(), 0);
	kit_run_for(&k, 3000);
	assert_nothing_left();
	kit_finish(&k);
}

static void test_destroy_fails_twice(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	kit_drop_trace(&k);
	sim_fault(k.sim, SIM_AT_DESTROY, 0, 2, SIM_KIND_FAIL, "busy");
	put(UUID, 1);
	audit();
	kit_run_for(&k, 61000);
	assert_string_equal(the_item()->error, "busy");
	assert_int_equal(the_item()->tries, 1);
	assert_int_equal(rows(), 1);
	kit_run_for(&k, 190000);
	kit_assert_trace(&k, "   61.00   destroy\n"
			     "  121.02   destroy\n"
			     "  241.04   destroy\n"
			     "  241.76   clear\n"
			     "  241.82   release\n");
	assert_nothing_left();
	assert_history(UUID, 1, 1, 0);
	kit_finish(&k);
}

/* Also when its end is decided: the pod's own helper comes first. */
static void test_a_retry_waits_for_the_pods_helper(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	sim_fault(k.sim, SIM_AT_DESTROY, 0, 1, SIM_KIND_FAIL, "busy");
	put(a->uuid, 7);
	k.orphan_runs = true;
	kit_run_for(&k, 112000);
	assert_int_equal(rows(), 1);
	sim_set_latency(k.sim, SIM_LAT_SHUTDOWN, 20 * KIT_S);
	kit_run_for(&k, 52000);
	kit_drop_trace(&k);
	kit_ask(a, EV_STOP);
	kit_run_for(&k, 14000);
	kit_assert_trace(&k, "  172.72 a running --stop--> stopping [stopped]\n"
			     "  172.72   a shutdown\n");
	kit_run_for(&k, 20000);
	assert_int_equal(rows(), 0);
	assert_history(a->uuid, 1, 1, 0);
	k.orphan_runs = false;
	kit_finish(&k);
}

/* A helper that hangs is killed, and holds up neither pods nor other orphans for ever. */
static void test_a_helper_that_hangs(void **state)
{
	(void)state;
	sim_fault(k.sim, SIM_AT_DESTROY, 0, 1, SIM_KIND_HANG, NULL);
	put(UUID, 1);
	kit_run_for(&k, 280000);
	assert_int_equal(sim_domains(k.sim), 1);
	kit_run_for(&k, 120000);
	assert_nothing_left();
	kit_finish(&k);
}

/* ---- not collected --------------------------------------------------------------------------- */

static void test_a_stranger_and_another_stores(void **state)
{
	(void)state;
	struct err err = {0};
	assert_ok(sim_operator(k.sim, SIM_STRANGER, UUID, &err), &err);
	sim_put_domain(k.sim, UUID, ANOTHER, 1);
	kit_run_for(&k, 400000);
	orphans_ask(k.orphans);
	kit_run_for(&k, 100000);
	assert_int_equal(sim_domains(k.sim), 2);
	assert_null(orphans_first(k.orphans));
	assert_history(UUID, 0, 0, 0);
}

/* Two that are alike: nobody can tell which is the pod's. */
static void test_of_the_pods_own_generation(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	put(a->uuid, kit_find(a)->core.generation);
	kit_run_for(&k, 400000);
	assert_int_equal(sim_domains(k.sim), 2);
	assert_false(the_item()->orphaned);
}

static void test_while_the_pod_is_created(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_CREATING, "forever");
	sim_set_latency(k.sim, SIM_LAT_BUILD, 150 * KIT_S);
	kit_run_for(&k, 2000);
	assert_int_equal(sim_domains(k.sim), 1);
	put(a->uuid, 7);
	audit();
	audit();
	assert_int_equal(kit_find(a)->core.state, POD_CREATING);
	assert_false(the_item()->orphaned);
	assert_string_equal(the_item()->why, "a helper of the pod is at work");
	kit_run_for(&k, 90000);
	assert_int_equal(kit_find(a)->core.state, POD_CREATING);
	assert_int_equal(rows(), 0);
	assert_int_equal(sim_domains(k.sim), 2);
}

/* What was seen before counts for nothing, and the list of the start is one look only. */
static void test_when_the_supervisor_has_just_started(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	put(UUID, 1);
	audit();
	kit_run_for(&k, 57000);
	kit_crash(&k);
	kit_start(&k);
	kit_run_for(&k, 55000);
	assert_true(k.open);
	assert_int_equal(rows(), 0);
	assert_int_equal(sim_domains(k.sim), 1);
	kit_run_for(&k, 8000);
	assert_nothing_left();
}

/* A pod of that UUID may be in the store, with a row that makes no sense to us. */
static void test_a_pod_whose_record_cannot_be_read(void **state)
{
	(void)state;
	struct err err = {0};
	char up[] = "up";
	char running[] = "running";
	char request[] = "{}";
	struct pod_row row = {.uuid = UUID,
		.state = running,
		.want = up,
		.domid = -1,
		.request = request,
		.code = -1};
	assert_ok(store_begin(k.store, &err), &err);
	assert_ok(store_pod_insert(k.store, &row, &err), &err);
	assert_ok(store_commit(k.store, &err), &err);
	put(UUID, 1);
	kit_run_for(&k, 400000);
	assert_string_equal(the_item()->why, "the pod's record cannot be read");
	assert_int_equal(sim_domains(k.sim), 1);
}

static void test_a_list_that_is_not_complete(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	json_t *begin = json_make("{s:s, s:I}", "t", "list-begin", "n", (json_int_t)999);
	json_t *domain = json_make("{s:s, s:s, s:I, s:I, s:s, s:s}", "t", "domain", "uuid", UUID,
		"domid", (json_int_t)9, "generation", (json_int_t)1, "store", store_id(k.store),
		"state", "running");
	sensors_frame(k.sensors, begin);
	sensors_frame(k.sensors, domain);
	kit_run_for(&k, 1000);
	assert_null(orphans_first(k.orphans));
	json_decref(begin);
	json_decref(domain);
}

/* Time alone is no evidence. */
static void test_one_look_and_then_none(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	put(UUID, 1);
	audit();
	sim_xenstored(k.sim, false);
	kit_run_for(&k, 300000);
	assert_int_equal(the_item()->audits, 1);
	assert_int_equal(rows(), 0);
	sim_xenstored(k.sim, true);
	kit_run_for(&k, 100000);
	assert_nothing_left();
}

/* Not even what is decided goes on before the world is known again. */
static void test_behind_the_barrier(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	sim_fault(k.sim, SIM_AT_DESTROY, 0, 1, SIM_KIND_FAIL, "busy");
	put(UUID, 1);
	audit();
	kit_run_for(&k, 62000);
	assert_int_equal(rows(), 1);
	kit_crash(&k);
	sim_xenstored(k.sim, false);
	kit_start(&k);
	kit_drop_trace(&k);
	kit_run_for(&k, 200000);
	assert_false(k.open);
	kit_assert_trace(&k, "");
	sim_xenstored(k.sim, true);
	kit_run_for(&k, 20000);
	assert_true(k.open);
	assert_nothing_left();
	assert_history(UUID, 1, 1, 0);
}

/* ---- the number is another's by then --------------------------------------------------------- */

/* Between the decision and the destroy: the helper has been told the number of a domain that went. */
static void number_reused(const char *uuid, const char *store)
{
	const struct kit_options opt = {.seed = 1, .reuse_domids = true};
	struct err err = {0};
	again(&opt);
	kit_run_for(&k, 1000);
	sim_set_latency(k.sim, SIM_LAT_DESTROY, 5 * KIT_S);
	int64_t domid = put(UUID, 1);
	audit();
	while (!rows())
		kit_run_for(&k, 100);
	assert_ok(sim_operator(k.sim, SIM_DESTROY, UUID, &err), &err);
	kit_run_for(&k, 1000);
	assert_int_equal(sim_domains(k.sim), 0);
	assert_int_equal(sim_put_domain(k.sim, uuid, store, 1), domid);
	kit_run_for(&k, 20000);
	assert_int_equal(sim_domains(k.sim), 1);
	assert_int_equal(rows(), 0);
}

static void test_the_number_is_another_pods(void **state)
{
	(void)state;
	number_reused("0b0b0b0b-1111-4222-8333-444444444444", ANOTHER);
	assert_history(UUID, 1, 1, 0);
}

static void test_the_number_is_anothers_with_the_same_uuid(void **state)
{
	(void)state;
	number_reused(UUID, ANOTHER);
	assert_history(UUID, 1, 0, 1);
	assert_int_equal(orphans_collected(k.orphans), 0);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void test_nothing_is_done_that_is_not_on_disk(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	put(UUID, 1);
	audit();
	k.fail_commits = 1000;
	kit_run_for(&k, 300000);
	assert_int_equal(sim_domains(k.sim), 1);
	k.fail_commits = 0;
	kit_run_for(&k, 600000);
	assert_nothing_left();
	assert_history(UUID, 1, 1, 0);
}

static void test_the_host_is_started_anew(void **state)
{
	(void)state;
	kit_run_for(&k, 1000);
	sim_fault(k.sim, SIM_AT_DESTROY, 0, 99, SIM_KIND_FAIL, "busy");
	put(UUID, 1);
	audit();
	kit_run_for(&k, 62000);
	assert_int_equal(rows(), 1);
	kit_reboot(&k);
	kit_run_for(&k, 10000);
	assert_int_equal(rows(), 0);
	assert_history(UUID, 1, 0, 1);
}

static const struct CMUnitTest tests[] = {
	T(test_after_the_grace),
	T(test_of_another_generation_than_the_pods),
	T(test_of_a_pod_that_has_ended),
	T(test_at_once_when_asked_but_not_at_one_look),
	T(test_destroy_fails_twice),
	T(test_a_retry_waits_for_the_pods_helper),
	T(test_a_helper_that_hangs),
	T(test_a_stranger_and_another_stores),
	T(test_of_the_pods_own_generation),
	T(test_while_the_pod_is_created),
	T(test_when_the_supervisor_has_just_started),
	T(test_a_pod_whose_record_cannot_be_read),
	T(test_a_list_that_is_not_complete),
	T(test_one_look_and_then_none),
	T(test_behind_the_barrier),
	T(test_the_number_is_another_pods),
	T(test_the_number_is_anothers_with_the_same_uuid),
	T(test_nothing_is_done_that_is_not_on_disk),
	T(test_the_host_is_started_anew),
};

UNIT_MAIN(tests, NULL, NULL)
