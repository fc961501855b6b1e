/* SPDX-License-Identifier: Apache-2.0 */
/* Pods with networks: made before the domain, told, kept until gc, given back at once on failure. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind, four seconds long */
#include "kit_case.h"
#include "kit_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/gone.h"

static void fault(enum sim_point point, unsigned times, enum sim_kind kind, const char *text)
{
	sim_fault(k.sim, point, 0, times, kind, text);
}

static struct kit_pod *networked(const char *does, int host_port)
{
	struct kit_pod *kp = kit_accept(&k, does, NULL);
	kit_network(kp, host_port);
	return kp;
}

static const char *address(const struct kit_pod *kp)
{
	return json_str_opt(json_array_get(kit_find(kp)->nets, 0), "ip", "none");
}

/* ---- ordinary lives -------------------------------------------------------------------------- */

static void test_made_before_the_domain(void **state)
{
	(void)state;
	struct kit_pod *a = networked("exit 0 after 2s", 0);
	kit_until(a, POD_BOOTING);
	kit_assert_trace(&k, "    0.10 a accepted --accept--> accepted\n"
			     "    0.10 a accepted --admit--> exporting\n"
			     "    0.10   a exports\n"
			     "    0.15 a exporting --exported--> networking\n"
			     "    0.15   a network\n"
			     "    2.67 a networking --networked--> creating\n"
			     "    2.67   a create\n"
			     "    4.89 a creating --created--> unpausing\n"
			     "    4.89   go\n"
			     "    4.99 a unpausing --unpaused--> booting\n");
	assert_string_equal(address(a), "10.88.0.1");
	kit_rest(&k);
	assert_string_equal(address(a), "10.88.0.1");
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

static void test_kept_over_a_restart(void **state)
{
	(void)state;
	struct kit_pod *a = networked("forever", 0);
	struct kit_pod *b = networked("forever", 0);
	kit_until(a, POD_RUNNING);
	kit_until(b, POD_RUNNING);
	kit_crash(&k);
	kit_start(&k);
	kit_run_for(&k, 5000);
	assert_string_equal(address(a), "10.88.0.1");
	assert_string_equal(address(b), "10.88.0.2");
	kit_ask(a, EV_STOP);
	kit_ask(b, EV_STOP);
	kit_finish(&k);
}

/* The lease is a file: nobody else may have the address before gc, which gives it back. */
static void test_kept_over_a_reboot(void **state)
{
	(void)state;
	struct kit_pod *a = networked("forever", 80);
	kit_until(a, POD_RUNNING);
	kit_reboot(&k);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_HOST_REBOOT, -1);
	_cleanup_free_ char *left = sim_left(k.sim);
	assert_non_null(strstr(left, " leases"));
	assert_string_equal(address(a), "10.88.0.1");
	kit_finish(&k);
}

static void move_to(const struct kit_pod *kp, const char *place, bool back)
{
	_cleanup_free_ char *parent = xasprintf("%s/%s", k.dir, place);
	_cleanup_free_ char *there = xasprintf("%s/%s", parent, kp->uuid);
	assert_true(mkdir(parent, 0700) == 0 || errno == EEXIST);
	assert_int_equal(back ? rename(there, kp->dir) : rename(kp->dir, there), 0);
}

/* rkt removes it although our gc failed, or somebody does: the address is given back all the same. */
static void test_directory_is_removed(void **state)
{
	(void)state;
	struct kit_pod *ended = networked("exit 0 after 2s", 0);
	struct kit_pod *runs = networked("forever", 0);
	kit_until(runs, POD_RUNNING);
	kit_until(ended, POD_EXITED);
	kit_assert_ended(ended, POD_EXITED, CAUSE_FINISHED, 0);
	move_to(ended, "exited-garbage", false); /* where rkt keeps it until its own gc */
	for (int i = 0; i < 3; i++)
		gone_look(k.engine);
	kit_run_for(&k, 1000);
	assert_int_equal(kit_find(ended)->core.state, POD_EXITED);
	move_to(ended, "exited-garbage", true);
	gone_look(k.engine);
	assert_int_equal(kit_remove(ended->dir), 0);
	gone_look(k.engine);
	kit_run_for(&k, 1000);
	assert_int_equal(kit_find(ended)->core.state, POD_EXITED); /* it may be on its way */
	gone_look(k.engine);
	kit_run_for(&k, 10000);
	assert_null(kit_find(ended));
	assert_int_equal(kit_find(runs)->core.state, POD_RUNNING);
	kit_ask(runs, EV_STOP);
	kit_finish(&k);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void assert_given_back(void)
{
	_cleanup_free_ char *left = sim_left(k.sim);
	if (left)
		fail_msg("something is left: %s", left);
}

static void test_fails(void **state)
{
	(void)state;
	fault(SIM_AT_NETWORK, 1, SIM_KIND_FAIL, "network default: no address is free");
	struct kit_pod *a = networked("forever", 80);
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_NETWORK_FAILED, -1);
	assert_string_equal(kit_find(a)->core.message, "network default: no address is free");
	assert_given_back();
	kit_finish(&k);
}

static void test_hangs(void **state)
{
	(void)state;
	fault(SIM_AT_NETWORK, 1, SIM_KIND_HANG, NULL);
	struct kit_pod *a = networked("forever", 0);
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_NETWORK_FAILED, -1);
	assert_given_back();
	kit_finish(&k);
}

/* Plugins hang for all places that there are: others start, and networked pods wait for their turn. */
static void test_hanging_plugins_hold_nobody_else(void **state)
{
	(void)state;
	fault(SIM_AT_NETWORK, 4, SIM_KIND_HANG, NULL);
	struct kit_pod *hung[4];
	for (size_t i = 0; i < ARRAY_SIZE(hung); i++)
		hung[i] = networked("forever", 0);
	struct kit_pod *late = networked("exit 0 after 2s", 0);
	struct kit_pod *plain = kit_accept(&k, "exit 0 after 2s", NULL);
	kit_until(plain, POD_RUNNING);
	assert_int_equal(kit_find(hung[0])->core.state, POD_NETWORKING);
	assert_int_equal(kit_find(late)->core.state, POD_ACCEPTED);
	kit_rest(&k);
	for (size_t i = 0; i < ARRAY_SIZE(hung); i++)
		kit_assert_ended(hung[i], POD_FAILED, CAUSE_NETWORK_FAILED, -1);
	kit_assert_ended(late, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* However many come from their plugins at once (kit_check.c looks at every step). */
static void test_creates_have_places_of_their_own(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 1, .max_starts = 2, .max_helpers = 8});
	struct kit_pod *p[8];
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = i % 2 ? kit_accept(&k, "exit 0 after 2s", NULL)
			     : networked("exit 0 after 2s", 0);
	kit_rest(&k);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		kit_assert_ended(p[i], POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* Made, but nobody was told: it counts as not made. */
static void test_answer_is_lost(void **state)
{
	(void)state;
	fault(SIM_AT_NETWORK, 1, SIM_KIND_LOST, NULL);
	struct kit_pod *a = networked("forever", 80);
	kit_rest(&k);
	kit_assert_ended(a, POD_FAILED, CAUSE_NETWORK_FAILED, -1);
	assert_null(kit_find(a)->nets);
	assert_given_back();
	kit_finish(&k);
}

static void test_stopped_meanwhile(void **state)
{
	(void)state;
	struct kit_pod *a = networked("forever", 80);
	kit_until(a, POD_NETWORKING);
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, -1);
	assert_int_equal(kit_find(a)->core.generation, 0); /* no domain was made any more */
	assert_given_back();
	kit_finish(&k);
}

static void test_release_fails_three_times(void **state)
{
	(void)state;
	struct kit_pod *a = networked("exit 0 after 1s", 0);
	kit_rest(&k);
	fault(SIM_AT_RELEASE, 3, SIM_KIND_FAIL, "network default: iptables is busy");
	kit_ask(a, EV_GC);
	kit_run_for(&k, 1000);
	assert_int_equal(kit_find(a)->core.state, POD_RELEASING);
	assert_string_equal(kit_find(a)->core.message, "network default: iptables is busy");
	struct kit_pod *b = kit_accept(&k, "exit 0 after 1s", NULL); /* nobody waits for it */
	kit_until(b, POD_EXITED);
	kit_rest(&k);
	assert_null(kit_find(a));
	kit_finish(&k);
}

/* Nor do plugins that hang while networks are given back. */
static void test_hanging_releases_hold_nobody_else(void **state)
{
	(void)state;
	struct kit_pod *ended[4];
	for (size_t i = 0; i < ARRAY_SIZE(ended); i++)
		ended[i] = networked("exit 0 after 1s", 0);
	kit_rest(&k);
	fault(SIM_AT_RELEASE, 4, SIM_KIND_HANG, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ended); i++)
		kit_ask(ended[i], EV_GC);
	kit_run_for(&k, 1000);
	struct kit_pod *plain = kit_accept(&k, "exit 0 after 1s", NULL);
	kit_run_for(&k, 20000);
	assert_int_equal(kit_find(ended[0])->core.state, POD_RELEASING);
	kit_assert_ended(plain, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* ---- ports of the host ----------------------------------------------------------------------- */

static void test_a_port_is_one_pods(void **state)
{
	(void)state;
	struct kit_pod *a = networked("forever", 8080);
	kit_until(a, POD_RUNNING);
	struct kit_pod *b = networked("forever", 8080);
	struct kit_pod *c = networked("exit 0 after 1s", 8081);
	kit_rest(&k);
	assert_null(kit_find(b));
	assert_int_equal(b->accept.refused, ERR_EXISTS);
	assert_non_null(strstr(b->accept.why, "port tcp/8080"));
	assert_non_null(strstr(b->accept.why, a->uuid));
	kit_assert_ended(c, POD_EXITED, CAUSE_FINISHED, 0);
	kit_kill_run(b);
	/* It is free again as soon as the domain is gone, without gc. */
	kit_ask(a, EV_STOP);
	kit_until(a, POD_EXITED);
	struct kit_pod *d = networked("exit 0 after 1s", 8080);
	kit_rest(&k);
	kit_assert_ended(d, POD_EXITED, CAUSE_FINISHED, 0);
	kit_finish(&k);
}

/* Both are in one commit: neither is among the pods when the other is judged. */
static void test_a_port_is_one_pods_at_once(void **state)
{
	(void)state;
	struct kit_pod *a = networked("forever", 8080);
	struct kit_pod *b = networked("forever", 8080);
	kit_until(a, POD_RUNNING);
	assert_null(kit_find(b));
	assert_int_equal(b->accept.refused, ERR_EXISTS);
	kit_kill_run(b);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

/* Its domain still answers there. */
static void test_a_port_is_kept_by_a_pod_that_stops(void **state)
{
	(void)state;
	struct kit_pod *a = networked("stubborn", 8080);
	kit_until(a, POD_RUNNING);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_STOPPING);
	struct kit_pod *b = networked("forever", 8080);
	kit_run_for(&k, 100);
	assert_int_equal(kit_find(a)->core.state, POD_STOPPING);
	assert_int_equal(b->accept.refused, ERR_EXISTS);
	kit_kill_run(b);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_made_before_the_domain),
	T(test_kept_over_a_restart),
	T(test_kept_over_a_reboot),
	T(test_directory_is_removed),
	T(test_fails),
	T(test_hangs),
	T(test_hanging_plugins_hold_nobody_else),
	T(test_creates_have_places_of_their_own),
	T(test_answer_is_lost),
	T(test_stopped_meanwhile),
	T(test_release_fails_three_times),
	T(test_hanging_releases_hold_nobody_else),
	T(test_a_port_is_one_pods),
	T(test_a_port_is_one_pods_at_once),
	T(test_a_port_is_kept_by_a_pod_that_stops),
};

UNIT_MAIN(tests, NULL, NULL)
