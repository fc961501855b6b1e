/* SPDX-License-Identifier: Apache-2.0 */
/* VALGRIND: no, valgrind 3.19 does not know pidfd_open(2), by which locks are taken over */
/* Random lives on hosts of changing size: what memory is kept for whom stays true. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
#include "kit_case.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/memory.h"

#define POD   INT64_C(1048576) /* KiB */
#define WALKS 4
#define STEPS 100

/* One of many repeatable sequences; not for secrets. */
static unsigned chance(uint32_t *seed, unsigned of)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % of;
}

static void accept_some(uint32_t *seed)
{
	static const char *const apps[] = {
		"forever", "stubborn", "exit 0 after 5s", "oom after 2s", "panic", "exec-fails"};
	if (k.npods == KIT_PODS)
		return;
	struct kit_pod *kp = kit_accept(&k, apps[chance(seed, ARRAY_SIZE(apps))], NULL);
	json_object_set_new(
		kp->request, "memory_kib", json_integer((1 + chance(seed, 4)) * POD / 2));
	json_object_set_new(kp->request, "vcpus", json_integer(1 + chance(seed, 4)));
}

/* What any time can bring to one of the pods, or to all of them. */
static void something_happens(uint32_t *seed)
{
	static const enum pod_event events[] = {EV_STOP, EV_KILL, EV_GC};
	static const enum kit_point points[] = {
		KIT_BEFORE_COMMIT, KIT_AFTER_COMMIT, KIT_AFTER_EFFECT};
	unsigned what = chance(seed, 12);
	struct kit_pod *kp = k.npods ? &k.pod[chance(seed, (unsigned)k.npods)] : NULL;
	if (what < 3 && kp)
		kit_ask(kp, events[what]);
	else if (what == 3)
		sim_set_host(k.sim, chance(seed, 12) * POD, 8);
	else if (what == 4)
		k.fail_commits = (int)chance(seed, 4);
	else if (what == 5 && k.world_up)
		sim_watch_kill(k.sim);
	else if (what == 6) {
		kit_crash(&k);
		kit_start(&k);
	} else if (what == 7)
		kit_crash_at(&k, points[chance(seed, 3)], 1 + chance(seed, 20));
	else
		accept_some(seed);
}

/* Whatever happens, they are what a look at every pod would tell (kit_check.c looks). */
static void test_sums_do_not_drift(void **state)
{
	(void)state;
	int refused = 0;
	for (uint32_t walk = 1; walk <= WALKS; walk++) {
		uint32_t seed = walk;
		again(&(struct kit_options){.seed = walk, .jitter = 30, .max_starts = 3});
		sim_set_host(k.sim, 6 * POD, 8);
		for (int i = 0; i < STEPS; i++) {
			something_happens(&seed);
			kit_run_for(&k, chance(&seed, 4) ? chance(&seed, 50) : 3000);
		}
		for (size_t i = 0; i < k.npods; i++) {
			refused += k.pod[i].accept.refused == ERR_FULL;
			kit_ask(&k.pod[i], EV_STOP);
		}
		kit_rest(&k);
		for (enum memory_kind kind = MEMORY_ACCEPTED; kind < MEMORY_KINDS_; kind++)
			assert_int_equal(memory_sum(k.engine, kind), 0);
	}
	assert_true(refused > 0);
}

static const struct CMUnitTest tests[] = {
	T(test_sums_do_not_drift),
};

UNIT_MAIN(tests, NULL, NULL)
