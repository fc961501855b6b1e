/* SPDX-License-Identifier: Apache-2.0 */
/* What is written into an app's cgroup, and what is read out of it: on plain files. */
/* LINK: guest proto base */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "guest/cgroup.h"

static char dir[] = "/tmp/xenpod-unit-XXXXXX";
static int group = -1;

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	group = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return group < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(group);
	return rmdir(dir);
}

static void put_file(const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(group, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Takes the file away as well. */
static void assert_file(const char *name, const char *want)
{
	_cleanup_err_ struct err err = {0};
	_cleanup_free_ char *text = NULL;
	assert_ok(file_read_at(group, name, 4096, &text, NULL, &err), &err);
	assert_string_equal(text, want);
	assert_int_equal(unlinkat(group, name, 0), 0);
}

static void shares_become_weights(void **state)
{
	(void)state;
	assert_int_equal(cgroup_weight(1024), 100);
	assert_int_equal(cgroup_weight(2048), 200);
	assert_int_equal(cgroup_weight(512), 50);
	assert_int_equal(cgroup_weight(2), 1);
	assert_int_equal(cgroup_weight(102400), 10000);
	assert_int_equal(cgroup_weight(262144), 10000);
}

static void assert_cpu_max(int64_t milli, const char *want)
{
	char got[CGROUP_TEXT_SIZE];
	cgroup_cpu_max(milli, got);
	assert_string_equal(got, want);
}

static void quotas_are_such_as_the_kernel_takes(void **state)
{
	(void)state;
	assert_cpu_max(1500, "150000 100000");
	assert_cpu_max(10, "1000 100000");
	assert_cpu_max(9, "9000 1000000");
	assert_cpu_max(1, "1000 1000000");
}

static void kills_are_counted(void **state)
{
	(void)state;
	assert_int_equal(cgroup_events_kills("low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\n"), 2);
	assert_int_equal(cgroup_events_kills("oom 3\noom_kill 4\noom_group_kill 1\n"), 5);
	assert_int_equal(cgroup_events_kills("oom_kill 4"), 4);
	assert_int_equal(cgroup_events_kills("oom 9\nx oom_kill 4\n"), 0);
	assert_int_equal(cgroup_events_kills(""), 0);
	assert_int_equal(cgroup_oom_kills(-1), 0);
	assert_int_equal(cgroup_oom_kills(group), 0);
	put_file("memory.events", "low 0\noom_kill 3\n");
	assert_int_equal(cgroup_oom_kills(group), 3);
	unlinkat(group, "memory.events", 0);
}

static void all_groups_together_leave_a_quarter(void **state)
{
	(void)state;
	assert_int_equal(cgroup_tasks_of(8000, 2), 3000);
	assert_int_equal(cgroup_tasks_of(8000, 33), 181);
	assert_true(cgroup_tasks_of(8000, 33) * 33 <= 6000);
	assert_int_equal(cgroup_tasks_of(100, 33), CGROUP_TASKS_MIN);
	assert_int_equal(cgroup_tasks_of(8000, 0), 6000);
	assert_true(cgroup_tasks_share(1) >= CGROUP_TASKS_MIN);
}

static void limits_are_written(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	static const char *const files[] = {
		"memory.max", "memory.oom.group", "cpu.max", "cpu.weight", "pids.max"};
	const struct cgroup_limits limits = {
		.memory_bytes = 64 << 20, .cpu_milli = 250, .cpu_shares = 2048, .tasks = 99};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put_file(files[i], "");
	assert_ok(cgroup_limit(group, &limits, &err), &err);
	assert_file("memory.max", "67108864");
	assert_file("memory.oom.group", "1");
	assert_file("cpu.max", "25000 100000");
	assert_file("cpu.weight", "200");
	assert_file("pids.max", "99");
}

static void what_was_not_asked_for_may_be_missing(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	const struct cgroup_limits limits = {.cpu_shares = 1024, .tasks = 99};
	assert_ok(cgroup_limit(group, &limits, &err), &err);
	put_file("memory.oom.group", "");
	assert_ok(cgroup_limit(group, &limits, &err), &err);
	assert_file("memory.oom.group", "1");
}

static void what_was_asked_for_may_not(void **state)
{
	(void)state;
	_cleanup_err_ struct err err = {0};
	struct cgroup_limits limits = {.cpu_shares = 1024, .memory_bytes = 4096};
	assert_fails(cgroup_limit(group, &limits, &err), &err, ERR_NOTFOUND,
		"limit its memory to 4096 bytes: ");
	limits = (struct cgroup_limits){.cpu_shares = 2};
	assert_fails(
		cgroup_limit(group, &limits, &err), &err, ERR_NOTFOUND, "give it 2 CPU shares: ");
	limits = (struct cgroup_limits){.cpu_shares = 1024, .cpu_milli = 500};
	assert_fails(cgroup_limit(group, &limits, &err), &err, ERR_NOTFOUND,
		"limit it to 500/1000 of a core: ");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(shares_become_weights),
	cmocka_unit_test(quotas_are_such_as_the_kernel_takes),
	cmocka_unit_test(kills_are_counted),
	cmocka_unit_test(all_groups_together_leave_a_quarter),
	cmocka_unit_test(limits_are_written),
	cmocka_unit_test(what_was_not_asked_for_may_be_missing),
	cmocka_unit_test(what_was_asked_for_may_not),
};

UNIT_MAIN(tests, setup, teardown)
