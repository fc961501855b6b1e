/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies as people write them. */
/* LINK: appc fsm base */
#include "unit.h"

#include "appc/restart.h"
#include "fsm/restart.h"

static void test_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *policy;
		int limit;
		int wanted;
	} good[] = {{"never", "never", 10, 0}, {"on-failure", "on-failure", 10, 1},
		{"always", "always", 10, 1}, {"always:0", "always", 0, 1},
		{"on-failure:3", "on-failure", 3, 1}, {"always:999999", "always", 999999, 1},
		{"never:5", "never", 5, 0}};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct err err = {0};
		struct appc_restart r;
		assert_ok(appc_restart_parse(good[i].text, &r, &err), &err);
		assert_string_equal(r.policy, good[i].policy);
		assert_int_equal(r.limit, good[i].limit);
		assert_int_equal(appc_restart_wanted(&r), good[i].wanted);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "Always", "on-failure:", "always:x", "always:-1",
		"always:1 ", "always:1000000", " always", "on", "alwaysx", ":3", "unless-stopped"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err err = {0};
		struct appc_restart r;
		assert_fails(appc_restart_parse(bad[i], &r, &err), &err, ERR_INVALID, bad[i]);
	}
}

/* Two rooms that may not see each other have the same words. */
static void test_the_machine_knows_them(void **state)
{
	(void)state;
	for (enum pod_policy p = 0; p < POLICY_MAX_; p++) {
		struct err err = {0};
		struct appc_restart r;
		assert_ok(appc_restart_parse(restart_policy_name(p), &r, &err), &err);
	}
	assert_int_equal(APPC_RESTART_LIMIT, RESTART_LIMIT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_read),
	cmocka_unit_test(test_refused),
	cmocka_unit_test(test_the_machine_knows_them),
};

UNIT_MAIN(tests, NULL, NULL)
