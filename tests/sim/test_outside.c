/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to pods without our doing: xl, QEMU, strangers, sensors, hosts. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, five seconds long */
#include "kit_case.h"

#include "base/json.h"
#include "daemon/podjson.h"

/* ---- xl -------------------------------------------------------------------------------------- */

static void test_xl_destroy(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
	kit_assert_trace(&k, "    8.72 a running --domain-dead--> dying [destroyed]\n"
			     "    8.72   a unmap\n"
			     "    8.80 a dying --quiet--> clearing\n"
			     "    8.80   a clear\n"
			     "    8.86 a clearing --cleared--> collecting\n"
			     "    8.86   a lock closed\n"
			     "    8.86 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

static void test_xl_shutdown(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_SHUTDOWN);
	kit_rest(&k);
	kit_assert_trace_end(a, 8820,
		"    8.72 a running --guest-stopping--> stopping [shutdown]\n"
		"    8.82 a stopping --guest-app--> stopping app0=exited:0\n"
		"    8.82 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_SHUTDOWN, 0);
	kit_finish(&k);
}

static void test_poweroff_without_a_word(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_POWEROFF);
	kit_rest(&k);
	kit_assert_trace_end(
		a, 8720, "    8.72 a running --domain-stopped--> destroying [shutdown]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_SHUTDOWN, -1);
	kit_finish(&k);
}

static void test_paused_and_unpaused(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_PAUSE);
	kit_run_for(&k, 130000);
	assert_int_equal(kit_find(a)->core.state, POD_PAUSED);
	kit_operator(a, SIM_UNPAUSE);
	kit_run_for(&k, 130000);
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	kit_assert_trace(&k, "   60.00 a running --domain-paused--> paused: external\n"
			     "  180.00 a paused --domain-runs--> running: external\n"
			     "  180.00   a ready\n");
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

static json_t *shown(const struct kit_pod *a)
{
	_cleanup_json_ json_t *pod = podjson_pod(kit_find(a));
	return json_incref(json_object_get(pod, "domain"));
}

/* Nobody is told that a domain was paused or goes on: what is shown of it is what was made of it. */
static void test_shown_as_it_was_made(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	assert_string_equal(kit_find(a)->seen.state, "running");
	kit_ask(a, EV_PAUSE);
	kit_run_for(&k, 2000);
	assert_string_equal(kit_find(a)->seen.state, "paused");
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

/* Obeyed, told, shown; the pod goes on under its UUID. */
static void test_renamed_and_shrunk(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	_cleanup_json_ json_t *before = shown(a);
	assert_string_equal(json_str_opt(before, "name", ""), a->uuid);
	assert_int_equal(json_array_size(json_object_get(before, "external")), 0);
	int64_t kib = json_int_opt(before, "memory_kib", 0);
	assert_true(kib > 0);
	kit_operator(a, SIM_RENAME);
	kit_operator(a, SIM_MEM_SET);
	kit_run_for(&k, 130000);
	_cleanup_json_ json_t *after = shown(a);
	assert_string_equal(json_str_opt(after, "state", ""), "running");
	assert_non_null(strstr(json_str_opt(after, "name", ""), "renamed-"));
	assert_int_equal(json_int_opt(after, "memory_kib", 0), kib / 2);
	assert_int_equal(json_array_size(json_object_get(after, "external")), 2);
	kit_assert_trace(&k, "");
	kit_crash(&k);
	kit_start(&k);
	kit_run_for(&k, 5000);
	_cleanup_json_ json_t *again = shown(a);
	assert_int_equal(json_array_size(json_object_get(again, "external")), 2);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

/* The guest said "running" before it was paused; that it can be read again is no news. */
static void test_paused_over_a_restart(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_ask(a, EV_PAUSE);
	kit_until(a, POD_PAUSED);
	kit_drop_trace(&k);
	kit_crash(&k);
	kit_start(&k);
	kit_run_for(&k, 5000);
	kit_assert_trace(&k, "");
	assert_int_equal(kit_find(a)->core.state, POD_PAUSED);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

/* Unpaused, it goes on with its start: ready is what its guest says, and this one never does. */
static void test_paused_while_it_boots(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_BOOTING, "never-boots");
	kit_operator(a, SIM_PAUSE);
	kit_run_for(&k, 130000);
	assert_int_equal(kit_find(a)->core.state, POD_PAUSED);
	kit_operator(a, SIM_UNPAUSE);
	kit_until(a, POD_DESTROYING);
	kit_assert_trace(&k, "   60.00 a booting --domain-paused--> paused: external\n"
			     "  180.00 a paused --boots-on--> booting: external\n"
			     "  420.00 a booting --deadline--> destroying [boot-timeout]\n"
			     "  420.00   a destroy\n");
	kit_finish(&k);
}

static void test_destroyed_while_it_is_built(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_until(a, POD_CREATING);
	kit_drop_trace(&k);
	kit_run_for(&k, 1500);
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
	kit_assert_trace(&k, "    2.37 a creating --create-failed--> destroying [create-failed]: "
			     "cannot create the domain: it was destroyed meanwhile\n"
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

/* ---- QEMU, zombies, strangers ---------------------------------------------------------------- */

static void test_qemu_killed(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_KILL_QEMU);
	kit_rest(&k);
	kit_assert_trace(&k, "    8.72 a running --qemu-gone--> destroying [qemu-lost]\n"
			     "    8.72   a destroy\n"
			     "    9.44 a destroying --destroyed--> dying\n"
			     "    9.44   a unmap\n"
			     "    9.44 a dying --quiet--> clearing\n"
			     "    9.44   a clear\n"
			     "    9.50 a clearing --cleared--> collecting\n"
			     "    9.50   a lock closed\n"
			     "    9.50 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_QEMU_LOST, -1);
	kit_finish(&k);
}

/* So does whoever destroys it: pauses it, ends QEMU. Its death is awaited, and nobody is to blame. */
static void test_qemu_of_a_paused_domain_ends(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_PAUSE);
	kit_until(a, POD_PAUSED);
	kit_drop_trace(&k);
	kit_operator(a, SIM_KILL_QEMU);
	kit_run_for(&k, 130000);
	kit_assert_trace(&k, "");
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

/* A page mapped by somebody keeps the dead domain listed; it can do no harm and holds nothing. */
static void test_a_zombie_does_not_hold_the_pod(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 0 after 2s");
	kit_operator(a, SIM_HOLD);
	kit_rest(&k);
	kit_assert_trace_end(a, 10720,
		"   10.72 a running --guest-app--> running app0=exited:0\n"
		"   10.72 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	assert_int_equal(sim_domains(k.sim), 1);
	kit_run_for(&k, 70000);
	const struct orphan *o = NULL;
	assert_int_equal(sensors_orphans(k.sensors, &o), 1);
	assert_string_equal(o->uuid, a->uuid);
	assert_string_equal(o->state, "dying");
	kit_operator(a, SIM_UNHOLD);
	kit_finish(&k);
}

/* It was dead before its start time could be read: its number is somebody else's by now. */
static void test_a_qemu_without_a_start_time_is_not_adopted(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_find(a)->core.qemu_start = 0;
	kit_post(a, EV_GUEST_RUNNING, CAUSE_NONE);
	kit_run_for(&k, 10);
	kit_crash(&k);
	kit_start(&k);
	assert_true(kit_find(a)->core.qemu_pid > 0);
	assert_false(kit_find(a)->qemu_alive);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_QEMU_LOST, -1);
	kit_finish(&k);
}

static void test_a_stranger_is_left_alone(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_STRANGER);
	kit_run_for(&k, 130000);
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_trace_end(a, 138870,
		"  138.72 a running --stop--> stopping [stopped]\n"
		"  138.72   a shutdown\n"
		"  138.77 a stopping --shutdown-sent--> stopping\n"
		"  138.77 a stopping --guest-stopping--> stopping\n"
		"  138.87 a stopping --guest-app--> stopping app0=exited:0\n"
		"  138.87 a stopping --guest-done--> destroying\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	assert_int_equal(sim_domains(k.sim), 1);
	kit_finish(&k);
	assert_int_equal(sim_domains(k.sim), 1);
}

/*
 * It carries no marker, as a domain of ours that is hardly begun: so the pod waits, and says why,
 * until its owner takes it away.
 */
static void test_a_stranger_with_our_uuid_comes_first(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_operator(a, SIM_STRANGER);
	kit_until(a, POD_DESTROYING);
	kit_run_for(&k, 20000);
	assert_int_equal(kit_find(a)->core.state, POD_DESTROYING);
	assert_int_equal(sim_domains(k.sim), 1);
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
	kit_assert_trace(&k,
		"    0.10 a accepted --accept--> accepted\n"
		"    0.10 a accepted --admit--> exporting\n"
		"    0.10   a exports\n"
		"    0.15 a exporting --exported--> networking\n"
		"    0.15 a networking --networked--> creating\n"
		"    0.15   a create\n"
		"    1.07 a creating --create-failed--> destroying [create-failed]: domain 1 with "
		"the UUID 00000001-0000-4000-8000-0000000000ff is there already\n"
		"    1.07   a destroy\n"
		"    1.79 a destroying --destroy-failed--> destroying: domain 1 carries the UUID "
		"00000001-0000-4000-8000-0000000000ff but is not ours: left alone\n"
		"    3.79 a destroying --deadline--> destroying\n"
		"    3.79   a destroy\n"
		"    4.51 a destroying --destroy-failed--> destroying: domain 1 carries the UUID "
		"00000001-0000-4000-8000-0000000000ff but is not ours: left alone\n"
		"    8.51 a destroying --deadline--> destroying\n"
		"    8.51   a destroy\n"
		"    9.23 a destroying --destroy-failed--> destroying: domain 1 carries the UUID "
		"00000001-0000-4000-8000-0000000000ff but is not ours: left alone\n"
		"   17.23 a destroying --deadline--> destroying\n"
		"   17.23   a destroy\n"
		"   17.95 a destroying --destroy-failed--> destroying: domain 1 carries the UUID "
		"00000001-0000-4000-8000-0000000000ff but is not ours: left alone\n"
		"   33.95 a destroying --deadline--> destroying\n"
		"   33.95   a destroy\n"
		"   34.67 a destroying --destroyed--> dying\n"
		"   34.67   a unmap\n"
		"   34.67 a dying --quiet--> clearing\n"
		"   34.67   a clear\n"
		"   34.73 a clearing --cleared--> collecting\n"
		"   34.73   a lock closed\n"
		"   34.73 a collecting --collected-failed--> failed\n");
	kit_assert_ended(a, POD_FAILED, CAUSE_CREATE_FAILED, -1);
	kit_finish(&k);
}

static void says_dying(const struct kit_pod *kp, const char *store, int64_t domid)
{
	json_t *f = json_make("{s:s, s:s, s:I, s:I, s:s, s:s}", "t", "domain", "uuid", kp->uuid,
		"domid", (json_int_t)domid, "generation", (json_int_t)kit_find(kp)->core.generation,
		"store", store, "state", "dying");
	sensors_frame(k.sensors, f);
	json_decref(f);
}

static void says_gone(const struct kit_pod *kp, int64_t domid)
{
	json_t *f = json_make(
		"{s:s, s:s, s:I}", "t", "gone", "uuid", kp->uuid, "domid", (json_int_t)domid);
	sensors_frame(k.sensors, f);
	json_decref(f);
}

/* Identity is store, UUID, generation and number: whatever else carries the UUID says nothing. */
static void test_another_domain_with_the_uuid_dies(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	int64_t domid = kit_find(a)->core.domid;
	says_dying(a, "ffffffffffffffffffffffffffffffff", domid);
	says_dying(a, store_id(k.store), domid + 1);
	says_gone(a, domid - 1);
	kit_rest(&k);
	kit_assert_trace(&k, "");
	kit_operator(a, SIM_DESTROY);
	says_dying(a, store_id(k.store), domid);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

/* ---- sensors, hosts -------------------------------------------------------------------------- */

static void test_a_lost_event_is_found_by_the_list(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	sim_fault(k.sim, SIM_AT_EVENT, 0, 1, SIM_KIND_LOST, NULL);
	kit_operator(a, SIM_POWEROFF);
	kit_until(a, POD_EXITED);
	kit_assert_trace_end(
		a, 60000, "   60.00 a running --domain-stopped--> destroying [shutdown]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_SHUTDOWN, -1);
	kit_finish(&k);
}

static void test_sensors_killed(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 4 after 3s");
	sim_watch_kill(k.sim);
	kit_rest(&k);
	kit_assert_trace_end(a, 11720,
		"   11.72 a running --guest-app--> running app0=exited:4\n"
		"   11.72 a running --guest-done--> destroying [finished]\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 4);
	kit_finish(&k);
}

static void test_death_while_nobody_looks(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	sim_watch_kill(k.sim);
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
	kit_assert_trace(&k, "    8.77 a running --domain-dead--> dying [destroyed]\n"
			     "    8.77   a unmap\n"
			     "    8.77 a dying --domain-dead--> dying\n"
			     "    8.80 a dying --quiet--> clearing\n"
			     "    8.80   a clear\n"
			     "    8.86 a clearing --cleared--> collecting\n"
			     "    8.86   a lock closed\n"
			     "    8.86 a collecting --collected--> exited\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

static void test_xenstored_stuck(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 4 after 40s");
	sim_xenstored(k.sim, false);
	kit_run_for(&k, 60000);
	assert_false(k.world_up);
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	sim_xenstored(k.sim, true);
	kit_rest(&k);
	assert_true(sensors_ping(k.sensors)); /* the last one was answered */
	kit_assert_trace_end(a, 68720,
		"   68.72 a running --guest-done--> destroying [finished]\n"
		"   68.72 a destroying --guest-app--> destroying app0=exited:4\n");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 4);
	kit_finish(&k);
}

/* Until it is known what runs no deadline is anybody's: it may have been kept long ago. */
static void test_deadlines_wait_for_the_world(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_BOOTING, "never-boots");
	kit_crash(&k);
	sim_xenstored(k.sim, false);
	kit_start(&k);
	kit_run_for(&k, 600000);
	kit_assert_trace(&k, "");
	assert_int_equal(kit_find(a)->core.state, POD_BOOTING);
	sim_xenstored(k.sim, true);
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_BOOT_TIMEOUT, -1);
	kit_finish(&k);
}

static void test_host_reboot(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct kit_pod *b = kit_accept(&k, "exit 5 after 1s", "forever", NULL);
	struct kit_pod *c = kit_accept(&k, "forever", NULL);
	kit_until(b, POD_EXITED);
	kit_until(c, POD_RUNNING);
	struct kit_pod *d = kit_accept(&k, "forever", NULL);
	kit_until(d, POD_CREATING);
	kit_drop_trace(&k);
	kit_reboot(&k);
	kit_rest(&k);
	kit_assert_trace(&k, "   19.35 a running --host-reboot--> collecting [host-reboot]\n"
			     "   19.35   a lock closed\n"
			     "   19.35 c running --host-reboot--> collecting [host-reboot]\n"
			     "   19.35   c lock closed\n"
			     "   19.35 d creating --host-reboot--> collecting [host-reboot]\n"
			     "   19.35   d lock closed\n"
			     "   19.35 a collecting --collected--> exited\n"
			     "   19.35 c collecting --collected--> exited\n"
			     "   19.35 d collecting --collected--> exited\n");
	assert_int_equal(kit_find(a)->core.cause, CAUSE_HOST_REBOOT);
	assert_int_equal(kit_find(d)->core.cause, CAUSE_HOST_REBOOT);
	assert_int_equal(kit_find(b)->core.code, 5);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_xl_destroy),
	T(test_xl_shutdown),
	T(test_poweroff_without_a_word),
	T(test_paused_and_unpaused),
	T(test_shown_as_it_was_made),
	T(test_renamed_and_shrunk),
	T(test_paused_over_a_restart),
	T(test_paused_while_it_boots),
	T(test_destroyed_while_it_is_built),
	T(test_qemu_killed),
	T(test_qemu_of_a_paused_domain_ends),
	T(test_a_zombie_does_not_hold_the_pod),
	T(test_a_qemu_without_a_start_time_is_not_adopted),
	T(test_a_stranger_is_left_alone),
	T(test_another_domain_with_the_uuid_dies),
	T(test_a_stranger_with_our_uuid_comes_first),
	T(test_a_lost_event_is_found_by_the_list),
	T(test_sensors_killed),
	T(test_death_while_nobody_looks),
	T(test_xenstored_stuck),
	T(test_deadlines_wait_for_the_world),
	T(test_host_reboot),
};

UNIT_MAIN(tests, NULL, NULL)
