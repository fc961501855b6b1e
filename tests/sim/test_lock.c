/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's lock when its `run` is gone. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: no, valgrind does not know pidfd_getfd(2) */
#include "kit_case.h"

/* Without it nobody would hold the lock from QEMU's end until the codes are written. */
static void test_a_lock_is_fetched_when_run_does_not_come(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_kill_run(a);
	kit_crash(&k);
	kit_start(&k);
	kit_run_for(&k, 1000);
	assert_true(kit_find(a)->lock_fd >= 0);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_a_lock_is_fetched_when_run_does_not_come),
};

UNIT_MAIN(tests, NULL, NULL)
