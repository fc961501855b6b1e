/* SPDX-License-Identifier: Apache-2.0 */
/* What we do fails, hangs, answers twice or not at all; and the disk is full. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, eight seconds long */
#include "kit_case.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static void fault(enum sim_point point, unsigned times, enum sim_kind kind, const char *text)
{
	sim_fault(k.sim, point, 0, times, kind, text);
}

/* ---- told in full ---------------------------------------------------------------------------- */

static void test_create_fails(void **state)
{
	(void)state;
	fault(SIM_AT_CREATE, 1, SIM_KIND_FAIL, "out of memory: 1024 MiB are not free");
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_rest(&k);
	kit_assert_trace(&k, "    0.10 a accepted --accept--> accepted\n"
			     "    0.10 a accepted --admit--> exporting\n"
			     "    0.10   a exports\n"
			     "    0.15 a exporting --exported--> networking\n"
			     "    0.15 a networking --networked--> creating\n"
			     "    0.15   a create\n"
			     "    0.17 a creating --create-failed--> destroying [create-failed]: "
			     "out of memory: 1024 MiB are not free\n"
			     "    0.17   a destroy\n"
			     "    0.89 a destroying --destroyed--> dying\n"
			     "    0.89   a unmap\n"
			     "    0.89 a dying --quiet--> clearing\n"
			     "    0.89   a clear\n"
			     "    0.95 a clearing --cleared--> collecting\n"
			     "    0.95   a lock closed\n"
			     "    0.95 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	assert_string_equal(kit_find(a)->core.message, "out of memory: 1024 MiB are not free");
	kit_finish(&k);
}

static void test_exports_fail(void **state)
{
	(void)state;
	fault(SIM_AT_EXPORTS, 1, SIM_KIND_FAIL, "attach tree 0: no such device");
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_rest(&k);
	kit_assert_trace(&k, "    0.10 a accepted --accept--> accepted\n"
			     "    0.10 a accepted --admit--> exporting\n"
			     "    0.10   a exports\n"
			     "    0.12 a exporting --export-failed--> clearing [export-failed]: "
			     "attach tree 0: no such device\n"
			     "    0.12   a clear\n"
			     "    0.18 a clearing --cleared--> collecting\n"
			     "    0.18   a lock closed\n"
			     "    0.18 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_EXPORT_FAILED, -1);
	kit_finish(&k);
}

static void test_go_fails(void **state)
{
	(void)state;
	fault(SIM_AT_GO, 1, SIM_KIND_FAIL, "unpause: no");
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_UNPAUSING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k,
		"    2.37 a unpausing --unpause-failed--> destroying [start-failed]: unpause: no\n"
		"    2.37   a destroy\n"
		"    3.09 a destroying --destroyed--> dying\n"
		"    3.09   a unmap\n"
		"    3.09 a dying --domain-dead--> dying\n"
		"    3.17 a dying --quiet--> clearing\n"
		"    3.17   a clear\n"
		"    3.23 a clearing --cleared--> collecting\n"
		"    3.23   a lock closed\n"
		"    3.23 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_START_FAILED, -1);
	kit_finish(&k);
}

static void test_destroy_fails_twice(void **state)
{
	(void)state;
	fault(SIM_AT_DESTROY, 2, SIM_KIND_FAIL, "device model does not answer");
	struct kit_pod *a = kit_accept(&k, "exit 3 after 2s", NULL);
	kit_until(a, POD_DESTROYING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "   10.74 a destroying --destroy-failed--> destroying: device model "
			     "does not answer\n"
			     "   12.74 a destroying --deadline--> destroying\n"
			     "   12.74   a destroy\n"
			     "   12.76 a destroying --destroy-failed--> destroying: device model "
			     "does not answer\n"
			     "   16.76 a destroying --deadline--> destroying\n"
			     "   16.76   a destroy\n"
			     "   17.48 a destroying --destroyed--> dying\n"
			     "   17.48   a unmap\n"
			     "   17.48 a dying --domain-dead--> dying\n"
			     "   17.56 a dying --quiet--> clearing\n"
			     "   17.56   a clear\n"
			     "   17.62 a clearing --cleared--> collecting\n"
			     "   17.62   a lock closed\n"
			     "   17.62 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_finish(&k);
}

static void test_qemu_hangs(void **state)
{
	(void)state;
	fault(SIM_AT_QEMU, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = kit_accept(&k, "exit 3 after 2s", NULL);
	kit_until(a, POD_DYING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "   11.44 a dying --domain-dead--> dying\n"
			     "   13.44 a dying --deadline--> dying\n"
			     "   13.44   kill qemu\n"
			     "   13.44   a evict\n"
			     "   13.44 a dying --quiet--> clearing\n"
			     "   13.44   a clear\n"
			     "   13.50 a clearing --cleared--> collecting\n"
			     "   13.50   a lock closed\n"
			     "   13.50 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_finish(&k);
}

/* Stopped while it was built, and its QEMU does not go: its pid is known all the same. */
static void test_qemu_of_an_unwanted_pod_hangs(void **state)
{
	(void)state;
	fault(SIM_AT_QEMU, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_CREATING);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_DYING);
	assert_true(kit_find(a)->core.domid > 0 && kit_find(a)->core.qemu_pid > 0);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "    5.09 a dying --deadline--> dying\n"
			     "    5.09   kill qemu\n"
			     "    5.09   a evict\n"
			     "    5.09 a dying --quiet--> clearing\n"
			     "    5.09   a clear\n"
			     "    5.15 a clearing --cleared--> collecting\n"
			     "    5.15   a lock closed\n"
			     "    5.15 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, -1);
	kit_finish(&k);
}

/* Killed before the answer of its create was read: that QEMU must go, too. */
static void test_qemu_of_a_late_create_hangs(void **state)
{
	(void)state;
	fault(SIM_AT_QEMU, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = pod_in(POD_CREATING, "forever");
	kit_post(a, EV_KILL, CAUSE_NONE);
	sim_advance(k.sim, sim_now(k.sim) + 3 * KIT_S);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_KILLED, -1);
	kit_finish(&k);
}

static void test_create_dies(void **state)
{
	(void)state;
	fault(SIM_AT_BUILD, 1, SIM_KIND_DIE, NULL);
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_CREATING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "    2.37 a creating --create-failed--> destroying [create-failed]: "
			     "xenpod-act create ended without an answer (status 255)\n"
			     "    2.37   a destroy\n"
			     "    3.09 a destroying --destroyed--> dying\n"
			     "    3.09   a unmap\n"
			     "    3.09 a dying --quiet--> clearing\n"
			     "    3.09   a clear\n"
			     "    3.15 a clearing --cleared--> collecting\n"
			     "    3.15   a lock closed\n"
			     "    3.15 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	kit_finish(&k);
}

static void test_create_hangs(void **state)
{
	(void)state;
	fault(SIM_AT_BUILD, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_CREATING);
	kit_drop_trace(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "  180.15 a creating --deadline--> destroying [create-failed]\n"
			     "  180.15   kill the helper\n"
			     "  180.15   a destroy\n"
			     "  180.87 a destroying --destroyed--> dying\n"
			     "  180.87   a unmap\n"
			     "  180.87 a dying --quiet--> clearing\n"
			     "  180.87   a clear\n"
			     "  180.93 a clearing --cleared--> collecting\n"
			     "  180.93   a lock closed\n"
			     "  180.93 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	kit_finish(&k);
}

/* The one place that there is was the killed helper's. */
static void test_a_killed_helper_gives_its_place_back(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .max_helpers = 1});
	fault(SIM_AT_BUILD, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = pod_in(POD_CREATING, "forever");
	kit_ask(a, EV_KILL);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_KILLED, -1);
	kit_finish(&k);
}

/* ---- every helper, every way ------------------------------------------------------------------
 */

/*
 * Whatever a helper does wrong once: a pod that is stopped ends and leaves nothing, and no lock
 * lies (checked after every step).
 */
static void test_every_fault_of_every_helper(void **state)
{
	(void)state;
	int n = 0;
	for (enum sim_point at = SIM_AT_EXPORTS; at <= SIM_AT_DYING; at++)
		for (enum sim_kind kind = 0; kind < SIM_KIND_MAX_; kind++) {
			if (at == SIM_AT_DYING && kind == SIM_KIND_HANG)
				continue; /* a zombie for ever: test_outside.c */
			if (n++ % unit_step(5))
				continue;
			again(NULL);
			k.clear_fails = at == SIM_AT_CLEAR || at == SIM_AT_START;
			struct kit_pod *a = kit_accept(&k, "forever", NULL);
			fault(at, 1, kind, "no");
			kit_run_for(&k, 400000);
			const struct pod *p = kit_find(a);
			if (p->core.state == POD_RUNNING)
				kit_ask(a, EV_PAUSE);
			kit_run_for(&k, 40000);
			kit_ask(a, EV_STOP);
			kit_rest(&k);
			p = kit_find(a);
			if (p->core.state != POD_EXITED && p->core.state != POD_FAILED)
				fail_msg("point %d, kind %d: %s", (int)at, (int)kind,
					pod_state_name(p->core.state));
			kit_finish(&k);
		}
}

static void test_double_answers_change_nothing(void **state)
{
	(void)state;
	for (enum sim_point at = SIM_AT_EXPORTS; at < SIM_POINT_MAX_; at++)
		if (at != SIM_AT_START && at != SIM_AT_PONG)
			fault(at, 99, SIM_KIND_DOUBLE, NULL);
	struct kit_pod *a = kit_accept(&k, "exit 3 after 2s", NULL);
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
			     "    8.47 a booting --guest-app--> booting app0=starting\n"
			     "    8.72 a booting --guest-app--> booting app0=running\n"
			     "    8.72 a booting --guest-app--> booting app0=running\n"
			     "    8.72 a booting --guest-running--> running\n"
			     "    8.72   a ready\n"
			     "   10.72 a running --guest-app--> running app0=exited:3\n"
			     "   10.72 a running --guest-app--> running app0=exited:3\n"
			     "   10.72 a running --guest-done--> destroying [finished]\n"
			     "   10.72   a destroy\n"
			     "   11.44 a destroying --destroyed--> dying\n"
			     "   11.44   a unmap\n"
			     "   11.44 a dying --domain-dead--> dying\n"
			     "   11.44 a dying --domain-dead--> dying\n"
			     "   11.52 a dying --quiet--> clearing\n"
			     "   11.52   a clear\n"
			     "   11.58 a clearing --cleared--> collecting\n"
			     "   11.58   a lock closed\n"
			     "   11.58 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_finish(&k);
}

/* ---- the disk -------------------------------------------------------------------------------- */

/* Nothing is done that is not on disk; when there is room again everything goes on. */
static void test_disk_full(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 3 after 2s", NULL);
	kit_until(a, POD_RUNNING);
	kit_drop_trace(&k);
	k.fail_commits = 6;
	kit_run_for(&k, 4000);
	assert_false(pod_app_ended(&kit_find(a)->app[0])); /* it has, but that is not stored */
	kit_rest(&k);
	kit_assert_trace_end(a, 17020,
		"   17.02 a running --guest-app--> running app0=exited:3\n"
		"   17.02 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_finish(&k);
}

/* The disk is full just when the first admission is to be written. */
static void fill_the_disk(struct kit *kit)
{
	const struct pod *p = kit_find(&kit->pod[0]);
	if (kit->poked || !p || p->core.state != POD_ACCEPTED)
		return;
	kit->poked = 1;
	kit->fail_commits = 5;
}

/* While commits fail, no pod more is admitted than there are places (kit_check.c counts). */
static void test_disk_full_at_admission(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .max_starts = 1});
	k.poke = fill_the_disk;
	struct kit_pod *pod[4];
	for (int i = 0; i < 4; i++)
		pod[i] = kit_accept(&k, "exit 0 after 1s", NULL);
	kit_rest(&k);
	assert_int_equal(k.fail_commits, 0);
	for (int i = 0; i < 4; i++)
		kit_assert_ended(pod[i], POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* A deadline is one state's: what was done in time and only stored late has not missed it. */
static void test_disk_full_past_a_deadline(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_EXPORTING);
	k.fail_commits = 20; /* for longer than exports may take */
	kit_until(a, POD_RUNNING);
	assert_int_equal(k.fail_commits, 0);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

/* What a restart finds cannot be written at first: it waits for the disk, it does not spin. */
static void test_disk_full_while_recovering(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_crash(&k);
	kit_operator(a, SIM_DESTROY);
	kit_start(&k);
	k.fail_commits = 5;
	kit_rest(&k);
	assert_int_equal(k.fail_commits, 0);
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

/* A free lock tells rkt that the codes are there: it is held until they are (kit_check.c looks). */
static void test_codes_cannot_be_written(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 3 after 2s");
	_cleanup_free_ char *codes = xasprintf("%s/stage1/rootfs/rkt/status", a->dir);
	_cleanup_free_ char *away = xasprintf("%s/away", a->dir);
	assert_int_equal(rename(codes, away), 0);
	kit_run_for(&k, 30000);
	assert_int_equal(kit_find(a)->core.state, POD_COLLECTING);
	assert_int_equal(rename(away, codes), 0);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_finish(&k);
}

/* A row that the store refuses stops its own pod, no other; a restart reads it again. */
static void test_one_bad_row(void **state)
{
	(void)state;
	struct err err = {0};
	struct pod_row row;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct kit_pod *b = pod_in(POD_RUNNING, "forever");
	pod_to_row(kit_find(a), k.boot_id, &row);
	row.seq++; /* somebody else wrote it */
	assert_ok(store_begin(k.store, &err), &err);
	assert_ok(store_pod_update(k.store, &row, &err), &err);
	assert_ok(store_commit(k.store, &err), &err);
	kit_ask(a, EV_STOP);
	kit_ask(b, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(b, POD_EXITED, CAUSE_STOPPED, 0);
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	assert_int_equal(kit_find(a)->core.want, WANT_UP);
	kit_crash(&k);
	kit_start(&k);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_create_fails),
	T(test_exports_fail),
	T(test_go_fails),
	T(test_destroy_fails_twice),
	T(test_qemu_hangs),
	T(test_qemu_of_an_unwanted_pod_hangs),
	T(test_qemu_of_a_late_create_hangs),
	T(test_create_dies),
	T(test_create_hangs),
	T(test_a_killed_helper_gives_its_place_back),
	T(test_every_fault_of_every_helper),
	T(test_double_answers_change_nothing),
	T(test_disk_full),
	T(test_disk_full_at_admission),
	T(test_disk_full_past_a_deadline),
	T(test_disk_full_while_recovering),
	T(test_codes_cannot_be_written),
	T(test_one_bad_row),
};

UNIT_MAIN(tests, NULL, NULL)
