/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's counters: each counts what it says, and those that should be zero are. */
/* LINK: daemon store fsm sim proto base */
/* LIBS: ev sqlite3 systemd pthread */
/* WITH: kit.c kit_loop.c kit_world.c kit_pods.c kit_check.c */
/* VALGRIND: deep, the engine that test_life shows to valgrind */
#include "kit_case.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/metrics.h"

#define AUDIT_MS 65000 /* an audit each minute, and the ping after it */

static struct metrics_sources sources(void)
{
	return (struct metrics_sources){k.engine, k.sensors, k.orphans, NULL};
}

static int64_t value(const char *name)
{
	struct metric all[METRICS_MAX];
	const struct metrics_sources from = sources();
	size_t n = metrics_read(&from, all);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].name, name))
			return all[i].value;
	fail_msg("there is no counter %s", name);
	return -1;
}

static void assert_calm(void)
{
	struct metric all[METRICS_MAX];
	const struct metrics_sources from = sources();
	size_t n = metrics_read(&from, all);
	for (size_t i = 0; i < n; i++)
		if (all[i].alarms && all[i].value)
			fail_msg("%s is %lld", all[i].name, (long long)all[i].value);
}

static int lines;
static size_t fields_told;
static char last_line[512];

static void count_line(enum log_level level, const char *msg, const struct log_field *f, size_t n)
{
	(void)level;
	if (!strstr(msg, "counters"))
		return;
	lines++;
	fields_told = 0;
	for (size_t i = 0; i < n; i++)
		fields_told += !strncmp(f[i].name, "XENPOD_", 7);
	snprintf(last_line, sizeof last_line, "%s", msg);
}

/* ---- nothing to tell -------------------------------------------------------------------------- */

/* Whatever users and operators do: while the world speaks nothing is missed. */
static void test_ordinary_lives(void **state)
{
	(void)state;
	again(&(struct kit_options){.seed = 3, .jitter = 30, .max_starts = 3, .max_helpers = 3});
	struct kit_pod *pod[8];
	static const char *const does[] = {"exit 0 after 1s", "forever", "exit 3 after 70s",
		"forever", "forever", "forever", "exit 1 after 2s", "forever"};
	for (size_t i = 0; i < ARRAY_SIZE(pod); i++)
		pod[i] = kit_accept(&k, does[i], NULL);
	kit_until(pod[7], POD_RUNNING);
	kit_run_for(&k, AUDIT_MS);
	kit_ask(pod[1], EV_STOP);
	kit_operator(pod[3], SIM_DESTROY);
	kit_operator(pod[4], SIM_SHUTDOWN);
	kit_operator(pod[5], SIM_PANIC);
	kit_operator(pod[7], SIM_PAUSE);
	kit_run_for(&k, AUDIT_MS);
	kit_operator(pod[7], SIM_UNPAUSE);
	kit_run_for(&k, AUDIT_MS);
	kit_ask(pod[7], EV_STOP);
	kit_rest(&k);
	kit_run_for(&k, AUDIT_MS);
	assert_calm();
	/* Of a pause and of its end Xen tells nobody. */
	assert_in_range(value("audit_corrections"), 1, 2);
	assert_true(value("turns") > 50);
	assert_true(value("commits") > 0);
	assert_int_equal(value("queue"), 0);
	assert_true(value("queue_max") > 0);
	kit_finish(&k);
}

/* A restart finds what happened meanwhile: corrected, not missed. */
static void test_death_while_down(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_crash(&k);
	kit_operator(a, SIM_DESTROY);
	sim_advance(k.sim, sim_now(k.sim) + 5 * KIT_S);
	kit_start(&k);
	kit_rest(&k);
	kit_run_for(&k, AUDIT_MS);
	assert_int_equal(value("audit_corrections"), 1);
	assert_calm();
	kit_assert_ended(a, POD_EXITED, CAUSE_DESTROYED, -1);
	kit_finish(&k);
}

static void test_sensors_lost(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	sim_watch_kill(k.sim);
	kit_operator(a, SIM_DESTROY);
	kit_rest(&k);
	kit_run_for(&k, AUDIT_MS);
	assert_calm();
	kit_finish(&k);
}

/* ---- something to tell ------------------------------------------------------------------------ */

/* The domain's death is not reported, and its QEMU hangs, which would have told it. */
static void test_missed_event(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	kit_run_for(&k, AUDIT_MS);
	assert_int_equal(value("events_missed"), 0);
	sim_fault(k.sim, SIM_AT_EVENT, 0, 9, SIM_KIND_LOST, NULL);
	sim_fault(k.sim, SIM_AT_QEMU, 0, 1, SIM_KIND_HANG, NULL);
	kit_operator(a, SIM_DESTROY);
	kit_run_for(&k, AUDIT_MS);
	assert_true(value("audit_corrections") >= 1);
	kit_run_for(&k, AUDIT_MS);
	assert_int_equal(value("events_missed"), 1);
	kit_rest(&k);
	kit_finish(&k);
}

static void test_commit_retries(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	k.fail_commits = 3;
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	assert_int_equal(value("commit_retries"), 3);
	kit_finish(&k);
}

static void test_orphans_collected(void **state)
{
	(void)state;
	sim_put_domain(k.sim, "0a0a0a0a-1111-4222-8333-444444444444", store_id(k.store), 1);
	kit_run_for(&k, 5 * AUDIT_MS);
	assert_int_equal(value("orphans_collected"), 1);
}

/* ---- the journal ------------------------------------------------------------------------------ */

/* Nothing while nothing grows; one line when something has; then not soon again. */
static void test_journal(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct metrics_watch w = {.from = sources()};
	lines = 0;
	log_set_sink(count_line);
	for (int i = 0; i < 60; i++) {
		kit_run_for(&k, 60000);
		assert_false(metrics_look(&w));
	}
	assert_int_equal(lines, 0);
	k.fail_commits = 1;
	kit_ask(a, EV_STOP);
	kit_rest(&k);
	assert_true(metrics_look(&w));
	assert_int_equal(lines, 1);
	assert_non_null(strstr(last_line, "grown: commit_retries=1"));
	struct metric all[METRICS_MAX];
	assert_int_equal(fields_told, metrics_read(&w.from, all));
	assert_false(metrics_look(&w));
	kit_run_for(&k, 11 * 60000);
	assert_false(metrics_look(&w));
	metrics_end(&w);
	assert_int_equal(lines, 2);
	kit_finish(&k);
}

/* What grows without end is told once in ten minutes, and nothing of it is lost. */
static void test_journal_is_bounded(void **state)
{
	(void)state;
	struct kit_pod *a = pod_in(POD_RUNNING, "forever");
	struct metrics_watch w = {.from = sources()};
	lines = 0;
	log_set_sink(count_line);
	k.fail_commits = 100000;
	kit_operator(a, SIM_DESTROY); /* a request would be refused after a while */
	for (int i = 0; i < 180; i++) {
		kit_run_for(&k, 10000);
		(void)metrics_look(&w);
	}
	assert_in_range(lines, 3, 4);
	k.fail_commits = 0;
	kit_rest(&k);
	kit_finish(&k);
}

static const struct CMUnitTest tests[] = {
	T(test_ordinary_lives),
	T(test_death_while_down),
	T(test_sensors_lost),
	T(test_missed_event),
	T(test_commit_retries),
	T(test_orphans_collected),
	T(test_journal),
	T(test_journal_is_bounded),
};
UNIT_MAIN(tests, NULL, NULL)
