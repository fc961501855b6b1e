/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted, stored, seen and locked, held against each other; locks looked at without taking them. */
/* LINK: tools store fsm proto base */
/* LIBS: smartcols sqlite3 */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "fsm/pod.h"
#include "proto/volinfo.h"
#include "tools/status.h"
#include "tools/status_truth.h"

#define NK TRUTH_UNKNOWN
#define NO TRUTH_NONE

static void test_rules(void **state)
{
	(void)state;
	static const struct {
		const char *want, *stored, *seen;
		enum flock_state lock;
		const char *text; /* NULL: all agree */
	} all[] = {
		{"up", "running", "running", FLOCK_HELD, NULL},
		{"up", "running", NK, FLOCK_UNKNOWN, NULL},
		{"up", "running", NO, FLOCK_HELD, "Xen shows none"},
		{"up", "running", "paused", FLOCK_HELD, "is running, and its domain is paused"},
		{"up", "running", "dying", FLOCK_HELD, "its domain is dying"},
		{"up", "running", "running", FLOCK_FREE, "should be held"},
		{"up", "running", "running", FLOCK_MISSING, "directory is not there"},
		{"down", "running", "running", FLOCK_HELD, "is to end, and nothing ends it"},
		{"up", "paused", "paused", FLOCK_HELD, NULL},
		{"up", "paused", "running", FLOCK_HELD, "is paused, and its domain is running"},
		{"down", "pausing", "running", FLOCK_HELD, NULL},
		{"up", "resuming", NO, FLOCK_HELD, "Xen shows none"},
		{"up", "creating", NO, FLOCK_HELD, NULL},
		{"up", "creating", "paused", FLOCK_HELD, NULL},
		{"up", "accepted", "running", FLOCK_HELD, "should have no domain"},
		{"down", "stopping", "running", FLOCK_HELD, NULL},
		{"down", "stopping", NO, FLOCK_HELD, NULL},
		{"down", "clearing", "dying", FLOCK_HELD, "should have no domain"},
		{"down", "collecting", NO, FLOCK_FREE, NULL},
		{"up", "backoff", NO, FLOCK_FREE, "should be held"},
		{"up", "exited", NO, FLOCK_FREE, NULL},
		{"down", "exited", NK, FLOCK_MISSING, NULL},
		{"up", "exited", NO, FLOCK_HELD, "held still"},
		{"up", "failed", "running", FLOCK_FREE, "Xen shows one"},
		{"down", "releasing", NO, FLOCK_HELD, NULL},
		{"up", "a-state-of-tomorrow", NO, FLOCK_FREE, NULL},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		_cleanup_json_ json_t *list =
			status_truth_differs(all[i].want, all[i].stored, all[i].seen, all[i].lock);
		const char *text = json_string_value(json_array_get(list, 0));
		assert_int_equal(json_array_size(list), all[i].text != NULL);
		if (all[i].text && !strstr(text, all[i].text))
			fail_msg("%s: \"%s\" says nothing of \"%s\"", all[i].stored, text,
				all[i].text);
	}
}

/* What a state owns is known to the machine: each that owns the lock but for one complains of a free one. */
static void test_every_state(void **state)
{
	(void)state;
	for (int s = 0; s < POD_STATE_MAX_; s++) {
		const char *name = pod_state_name((enum pod_state)s);
		bool owns = pod_state_owns((enum pod_state)s) & POD_OWNS_LOCK;
		_cleanup_json_ json_t *list = status_truth_differs("up", name, NK, FLOCK_FREE);
		assert_int_equal(json_array_size(list), owns && s != POD_COLLECTING);
	}
}

static void test_locks(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_status_truth.XXXXXX";
	pid_t holder;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(flock_look(dir, false, &holder), FLOCK_FREE);
	assert_int_equal(flock_look(dir, true, &holder), FLOCK_FREE);
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(flock_look(dir, false, &holder), FLOCK_HELD);
	assert_int_equal(holder, getpid());
	assert_int_equal(flock_look(dir, true, &holder), FLOCK_HELD);
	close(fd);
	assert_int_equal(flock_look(dir, true, &holder), FLOCK_FREE);
	assert_int_equal(holder, 0);
	rmdir(dir);
	assert_int_equal(flock_look(dir, true, &holder), FLOCK_MISSING);
}

/* The lock's look leaves the directory as it was: nobody who wants it meets ours. */
static void test_whole(void **state)
{
	(void)state;
	_cleanup_json_ json_t *show = json_make("{s:{s:s, s:s, s:s, s:s, s:n}}", "pod", "uuid",
		"aaaa0000-0000-4000-8000-000000000000", "state", "exited", "want", "up", "dir",
		"/nowhere/at/all", "domain");
	_cleanup_json_ json_t *health = json_make("{s:b, s:{s:s}, s:[{s:s, s:s}]}", "xen_seen", 1,
		"supervisor", "state", "running", "unaccounted_domains", "uuid",
		"aaaa0000-0000-4000-8000-000000000000", "state", "dying");
	_cleanup_json_ json_t *truth = status_truth(show, health);
	assert_string_equal(json_str_opt(truth, "hypervisor", ""), "dying");
	assert_string_equal(json_str_opt(truth, "lock", ""), "missing");
	assert_int_equal(json_array_size(json_object_get(truth, "differs")), 1);
	/* While it recovers, or does not see Xen, nobody knows. */
	json_object_set_new(health, "xen_seen", json_false());
	_cleanup_json_ json_t *blind = status_truth(show, health);
	assert_null(json_str_opt(blind, "hypervisor", NULL));
	_cleanup_json_ json_t *stored = status_truth(show, NULL);
	assert_null(json_str_opt(stored, "hypervisor", NULL));
	assert_int_equal(json_array_size(json_object_get(stored, "differs")), 0);
}

static void test_volumes(void **state)
{
	(void)state;
	static const char text[] =
		"{\"trees\":[{\"tag\":\"a0\"},{\"tag\":\"vol0\",\"host\":true},{\"tag\":\"shared\"}"
		"],"
		"\"guest\":{\"apps\":[{\"name\":\"web\",\"env\":[\"SECRET=hush\"],\"mounts\":["
		"{\"path\":\"/data\",\"tag\":\"vol0\",\"sub\":\"\",\"read_only\":true},"
		"{\"path\":\"/tmp/x\",\"tag\":\"shared\",\"sub\":\"x\",\"read_only\":false}]},"
		"{\"name\":\"db\"}]}}";
	_cleanup_json_ json_t *request = json_parse(text, strlen(text), "request", NULL);
	_cleanup_json_ json_t *volumes = volinfo_of(request);
	_cleanup_free_ char *got = json_text(volumes);
	assert_string_equal(got,
		"[{\"app\":\"web\",\"path\":\"/data\",\"kind\":\"host\",\"read_only\":true},"
		"{\"app\":\"web\",\"path\":\"/tmp/x\",\"kind\":\"empty\",\"read_only\":false}]");
	_cleanup_json_ json_t *none = volinfo_of(NULL);
	assert_int_equal(json_array_size(none), 0);
}

static void test_next_line(void **state)
{
	(void)state;
	_cleanup_json_ json_t *pod = json_make("{s:s, s:s, s:s, s:i, s:{s:s, s:I}}", "state",
		"backoff", "want", "up", "cause", "finished", "code", 3, "restart", "policy",
		"always", "next", (json_int_t)1000000000);
	_cleanup_free_ char *line = status_next_line(pod);
	assert_non_null(strstr(
		line, "next try in 0 s; policy always, because its apps ended, exit code 3"));
	json_object_set_new(json_object_get(pod, "restart"), "next", json_null());
	_cleanup_free_ char *boot = status_next_line(pod);
	assert_non_null(strstr(boot, "next try with the next boot"));
	json_object_set_new(pod, "state", json_string("running"));
	_cleanup_free_ char *none = status_next_line(pod);
	assert_string_equal(none, "");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rules),
	cmocka_unit_test(test_every_state),
	cmocka_unit_test(test_locks),
	cmocka_unit_test(test_whole),
	cmocka_unit_test(test_volumes),
	cmocka_unit_test(test_next_line),
};

UNIT_MAIN(tests, NULL, NULL)
