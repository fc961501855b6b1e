/* SPDX-License-Identifier: Apache-2.0 */
/* The database is lost while pods live, start, end, or have ended: they are found again. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c ../unit/faultvfs.c */
/* VALGRIND: no, it does not know pidfd_open(2) and pidfd_getfd(2), by which a lock is found again */
#include "kit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "faultvfs.h"
#include "kit_int.h"

#include "base/cleanup.h"

/* ---- looks ------------------------------------------------------------------------------------ */

struct rows {
	int rebuilt, of_store;
	int64_t first, last;
};

static int count_row(void *ctx, const struct history_row *h)
{
	struct rows *r = ctx;
	if (!r->first) {
		assert_string_equal(h->uuid, STORE_NOBODY);
		r->first = h->seq;
	}
	r->last = h->seq;
	r->rebuilt += !strcmp(h->event, "rebuilt") && strcmp(h->uuid, STORE_NOBODY) != 0;
	r->of_store += !strcmp(h->uuid, STORE_NOBODY);
	return 0;
}

/* The loss is over, so many pods were found, and history says so from its beginning on. */
static void assert_rebuilt(int pods)
{
	struct err err = {0};
	struct rows r = {0};
	const struct store_loss *l = store_loss(k.store);
	assert_non_null(l->why);
	assert_false(l->pending);
	assert_ok(store_history(k.store, NULL, 0, 0, count_row, &r, &err), &err);
	assert_int_equal(r.of_store, 1);
	assert_int_equal(r.rebuilt, pods);
	assert_true(r.first > 1000000);
	kit_assert_stored(&k);
}

static void assert_no_orphans(void)
{
	assert_int_equal(orphans_collected(k.orphans), 0);
	assert_null(orphans_first(k.orphans) && orphans_first(k.orphans)->orphaned
			    ? orphans_first(k.orphans)
			    : NULL);
}

static void drop_records(void)
{
	assert_int_equal(kit_remove(k.records), 0);
}

/* ---- pods that live --------------------------------------------------------------------------- */

static void a_running_pod_is_adopted(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 3 after 300s");
	int64_t domid = kit_find(a)->core.domid;
	kit_lose(&k);
	kit_until(a, POD_RUNNING);
	assert_rebuilt(1);
	assert_int_equal(kit_find(a)->core.domid, domid);
	assert_true(kit_find(a)->lock_fd >= 0);
	kit_run_for(&k, 200000); /* no orphan, however long it is looked at */
	assert_no_orphans();
	kit_until(a, POD_EXITED);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 3);
	kit_finish(&k);
}

static void a_pod_with_a_network_gives_it_back(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	kit_network(a, 8080);
	kit_until(a, POD_RUNNING);
	kit_lose(&k);
	kit_until(a, POD_RUNNING);
	assert_non_null(kit_find(a)->nets);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_EXITED);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

static void a_paused_pod_stays_paused(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_ask(a, EV_PAUSE);
	kit_until(a, POD_PAUSED);
	kit_lose(&k);
	kit_until(a, POD_PAUSED);
	kit_run_for(&k, 300000);
	assert_int_equal(kit_find(a)->core.state, POD_PAUSED);
	kit_ask(a, EV_RESUME);
	kit_until(a, POD_RUNNING);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

static void without_a_record_the_domain_is_enough(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	drop_records();
	kit_lose(&k);
	kit_until(a, POD_RUNNING);
	kit_run_for(&k, 1000);
	assert_rebuilt(1);
	/* Its `run` has come again and told what it was. */
	assert_string_equal(pod_dir(kit_find(a)), a->dir);
	assert_int_equal(kit_find(a)->napps, 1);
	kit_ask(a, EV_KILL);
	kit_until(a, POD_EXITED);
	kit_finish(&k);
}

static void one_that_shuts_down_meanwhile(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_PANIC);
	kit_lose(&k);
	kit_until(a, POD_EXITED);
	assert_int_equal(kit_find(a)->core.cause, CAUSE_CRASHED);
	kit_finish(&k);
}

static void one_that_is_destroyed_meanwhile(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_operator(a, SIM_DESTROY);
	kit_run_for(&k, 5);
	kit_lose(&k);
	kit_until(a, POD_EXITED);
	kit_finish(&k);
}

/* ---- at every moment of a life ---------------------------------------------------------------- */

/* Lost `ms` after its beginning: it runs, or has ended, and nothing is left of it. */
static void lose_at(int64_t ms, bool records, bool twice)
{
	struct kit_pod *a = kit_accept(&k, "exit 0 after 4s", NULL);
	kit_network(a, 0);
	kit_run_for(&k, ms);
	if (!records)
		drop_records();
	kit_lose(&k);
	if (twice) {
		kit_run_for(&k, 20);
		kit_lose(&k);
	}
	kit_rest(&k);
	assert_true(a->accept.acked);
	const struct pod *p = kit_find(a);
	if (records)
		assert_true(p && pod_state_ended(p->core.state));
	/* Without any record of a network nobody knows how to give it back: see RECOVERY.md. */
	if (records)
		kit_finish(&k);
}

static void lost_at_any_moment(void **state)
{
	(void)state;
	static const struct kit_options opt = {.seed = 1};
	for (int64_t ms = 0; ms < 9000; ms += 70) {
		again(&opt);
		lose_at(ms, true, false);
	}
}

static void lost_at_any_moment_and_once_more(void **state)
{
	(void)state;
	static const struct kit_options opt = {.seed = 2};
	for (int64_t ms = 0; ms < 9000; ms += 230) {
		again(&opt);
		lose_at(ms, true, true);
	}
}

static void lost_at_any_moment_with_its_records(void **state)
{
	(void)state;
	static const struct kit_options opt = {.seed = 3};
	for (int64_t ms = 0; ms < 9000; ms += 230) {
		again(&opt);
		lose_at(ms, false, false);
	}
}

/* ---- dying while finding ---------------------------------------------------------------------- */

/* False: the point was not reached. */
static bool die_while_found(enum kit_point point, int64_t n)
{
	static const struct kit_options opt = {.seed = 4};
	again(&opt);
	struct kit_pod *a = kit_accept(&k, "forever", NULL);
	struct kit_pod *b = kit_accept(&k, "exit 5 after 1s", NULL);
	kit_network(b, 0);
	kit_until(a, POD_RUNNING);
	kit_until(b, POD_EXITED);
	kit_crash_at(&k, point, n);
	int starts = k.starts;
	kit_lose(&k);
	kit_until(a, POD_RUNNING);
	kit_run_for(&k, 60000);
	bool died = k.starts > starts + 1;
	kit_crash_at(&k, KIT_NEVER, 0);
	assert_rebuilt(2);
	assert_no_orphans();
	assert_int_equal(kit_code_file(b, "app0"), 5);
	kit_ask(a, EV_STOP);
	kit_until(a, POD_EXITED);
	kit_until(b, POD_EXITED);
	assert_int_equal(kit_find(b)->core.cause, CAUSE_RECORD_LOST);
	kit_finish(&k);
	return died;
}

static void dying_at_every_point_of_it(void **state)
{
	(void)state;
	for (enum kit_point point = KIT_BEFORE_COMMIT; point <= KIT_AFTER_EFFECT; point++) {
		int64_t n = 1;
		while (die_while_found(point, n))
			n++;
		assert_true(n > 2);
	}
}

static void the_disk_is_full_while_finding(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_lose(&k);
	k.fail_commits = 20;
	kit_until(a, POD_RUNNING);
	assert_int_equal(k.fail_commits, 0);
	assert_rebuilt(1);
	kit_ask(a, EV_STOP);
	kit_finish(&k);
}

/* ---- pods that have ended --------------------------------------------------------------------- */

static void ended_pods_keep_their_codes(void **state)
{
	(void)state;
	struct kit_pod *a = kit_accept(&k, "exit 7 after 1s", "exit 0 after 1s", NULL);
	kit_network(a, 0);
	kit_until(a, POD_EXITED);
	int64_t generation = kit_find(a)->core.generation;
	kit_lose(&k);
	kit_until(a, POD_EXITED);
	const struct pod *p = kit_find(a);
	assert_int_equal(p->core.cause, CAUSE_RECORD_LOST);
	assert_true(p->core.generation > generation);
	assert_int_equal(p->app[0].code, 7);
	assert_int_equal(kit_code_file(a, "app0"), 7);
	kit_finish(&k); /* and its network is given back */
}

static void lost_with_the_boot(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct kit_pod *b = pod_in(POD_EXITED, "exit 4 after 1s");
	_cleanup_free_ char *path = NULL;
	assert_true(asprintf(&path, "%s/store.db", k.dir) > 0);
	kit_crash(&k);
	assert_int_equal(unlink(path), 0);
	kit_reboot(&k);
	kit_until(a, POD_EXITED);
	kit_until(b, POD_EXITED);
	assert_int_equal(kit_find(a)->core.cause, CAUSE_HOST_REBOOT);
	assert_int_equal(kit_find(b)->core.cause, CAUSE_RECORD_LOST);
	kit_finish(&k);
}

/* A pod that was removed is not found: its record went with it. */
static void removed_pods_stay_removed(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_EXITED, "exit 0 after 1s");
	kit_ask(a, EV_GC);
	kit_until(a, POD_GONE);
	kit_lose(&k);
	kit_rest(&k);
	assert_rebuilt(0);
	assert_null(kit_find(a));
}

/* ---- what is not ours ------------------------------------------------------------------------- */

static void strangers_are_no_pods(void **state)
{
	(void)state;
	const char *uuid = "0a0a0a0a-1111-4222-8333-444444444444";
	sim_put_domain(k.sim, uuid, "ffffffffffffffffffffffffffffffff", 1);
	kit_lose(&k);
	kit_run_for(&k, 300000);
	assert_rebuilt(0);
	_cleanup_free_ char *left = sim_left(k.sim);
	assert_non_null(strstr(left, uuid));
}

/* Of two domains with one UUID the later one is the pod's, the other one an orphan. */
static void the_last_generation_is_the_pods(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	int64_t domid = kit_find(a)->core.domid;
	k.orphan_runs = true;
	sim_put_domain(k.sim, a->uuid, store_id(k.store), 0);
	kit_lose(&k);
	kit_until(a, POD_RUNNING);
	assert_int_equal(kit_find(a)->core.domid, domid);
	assert_int_equal(kit_find(a)->core.generation, 1);
}

/* ---- damage while it runs --------------------------------------------------------------------- */

/* What is read is not what was written: it ends, starts anew, and finds the file to be sound. */
static void rotten_bytes_once(void **state)
{
	(void)state;
	struct err err = {0};
	int starts = k.starts;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	_cleanup_free_ char *path = NULL;
	assert_true(asprintf(&path, "%s/store.db", k.dir) > 0);
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "INSERT INTO meta VALUES ('drop', 'cache')", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	faultvfs_arm_kind(FAULT_ROT, 0, 1000000, 1);
	struct rows r = {.first = 1};
	assert_int_equal(store_history(k.store, NULL, 0, 0, count_row, &r, &err), -1);
	err_done(&err);
	faultvfs_disarm();
	kit_ask(a, EV_STOP);
	kit_until(a, POD_EXITED);
	assert_int_equal(k.starts, starts + 1);
	assert_null(store_loss(k.store)->why);
	kit_assert_ended(a, POD_EXITED, CAUSE_STOPPED, 0);
	kit_finish(&k);
}

/* ---- requests and a full disk ----------------------------------------------------------------- */

static void a_request_is_refused_in_time(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 6 after 20s");
	k.fail_commits = 1000000;
	int64_t asked = sim_now(k.sim);
	kit_ask(a, EV_PAUSE);
	struct kit_pod *b = kit_accept(&k, "forever", NULL);
	for (int i = 0; i < 300 && (!a->change.acked || !b->accept.acked); i++)
		kit_run_for(&k, 100);
	assert_in_range(sim_now(k.sim) - asked, 4 * KIT_S, 11 * KIT_S);
	assert_int_equal(a->change.refused, ERR_FULL);
	assert_int_equal(b->accept.refused, ERR_FULL);
	assert_non_null(strstr(a->change.why, "nothing was changed"));
	kit_told(b);
	kit_run_for(&k, 60000); /* its app has ended meanwhile */
	assert_int_equal(kit_find(a)->core.state, POD_RUNNING);
	k.fail_commits = 0;
	kit_until(a, POD_EXITED);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 6);
	assert_null(kit_find(b));
	kit_finish(&k);
}

/* As when the kernel has made the file system read-only: what the apps do is not lost. */
static void a_disk_that_takes_no_writes(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "exit 6 after 20s");
	faultvfs_arm(0, 1000000, SQLITE_IOERR_WRITE);
	kit_ask(a, EV_STOP);
	kit_run_for(&k, 12000);
	assert_true(a->change.acked);
	assert_int_equal(a->change.refused, ERR_STORE);
	kit_run_for(&k, 60000);
	struct engine_stats st;
	engine_stats_get(k.engine, &st);
	assert_true(st.store_failing);
	faultvfs_disarm();
	kit_until(a, POD_EXITED);
	kit_assert_ended(a, POD_EXITED, CAUSE_FINISHED, 6);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(a_running_pod_is_adopted),
	T(a_pod_with_a_network_gives_it_back),
	T(a_paused_pod_stays_paused),
	T(without_a_record_the_domain_is_enough),
	T(one_that_shuts_down_meanwhile),
	T(one_that_is_destroyed_meanwhile),
	T(lost_at_any_moment),
	T(lost_at_any_moment_and_once_more),
	T(lost_at_any_moment_with_its_records),
	T(dying_at_every_point_of_it),
	T(the_disk_is_full_while_finding),
	T(ended_pods_keep_their_codes),
	T(lost_with_the_boot),
	T(removed_pods_stay_removed),
	T(strangers_are_no_pods),
	T(the_last_generation_is_the_pods),
	T(rotten_bytes_once),
	T(a_request_is_refused_in_time),
	T(a_disk_that_takes_no_writes),
};

static int install(void **state)
{
	(void)state;
	faultvfs_install();
	return 0;
}

UNIT_MAIN(tests, install, NULL)
