/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's lock when its `run` is gone, and when nothing is left but its domain. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: no, valgrind does not know pidfd_getfd(2) */
#include "kit_case.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/orphans_int.h"

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

/* Its QEMU, here this process, is ended before the domain is dead: the lock lives on with us. */
static void test_an_orphans_lock_is_held_while_it_is_destroyed(void **state)
{
	(void)state;
	struct orphan_item i = {.seen = {.built = getpid()}, .lock_fd = -1};
	snprintf(i.seen.uuid, sizeof i.seen.uuid, "%s", "0f8a6e2c-5b1d-4e7f-9a3c-1d2e3f4a5b6c");
	_cleanup_free_ char *dir = xasprintf("%s/%s", k.dir, i.seen.uuid);
	assert_int_equal(mkdir(dir, 0700), 0);
	orphan_hold_lock(&i);
	assert_int_equal(i.lock_fd, -1);
	int qemus = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(qemus, LOCK_EX | LOCK_NB), 0);
	orphan_hold_lock(&i);
	fd_close(&qemus);
	_cleanup_fd_ int probe = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(probe, LOCK_SH | LOCK_NB), -1);
	fd_close(&i.lock_fd);
	assert_int_equal(flock(probe, LOCK_SH | LOCK_NB), 0);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_a_lock_is_fetched_when_run_does_not_come),
	T(test_an_orphans_lock_is_held_while_it_is_destroyed),
};

UNIT_MAIN(tests, NULL, NULL)
