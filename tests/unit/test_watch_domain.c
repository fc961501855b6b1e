/* SPDX-License-Identifier: Apache-2.0 */
/* What Xen's flags of a domain are called in the frames. */
/* LINK: watch proto base */
/* LIBS: xenlight xenstore xentoollog ev */
#include "unit.h"

#include "watch/domain.h"

static void check(libxl_dominfo info, const char *want_state, const char *want_reason)
{
	const char *got_state;
	const char *got_reason;
	domain_state(&info, &got_state, &got_reason);
	assert_string_equal(got_state, want_state);
	if (want_reason)
		assert_string_equal(got_reason, want_reason);
	else
		assert_null(got_reason);
}

static void flags_become_one_state(void **state)
{
	(void)state;
	check((libxl_dominfo){.running = true}, "running", NULL);
	check((libxl_dominfo){.blocked = true}, "running", NULL);
	check((libxl_dominfo){.paused = true}, "paused", NULL);
	/* a domain that has shut down is often paused by its toolstack as well */
	check((libxl_dominfo){.paused = true, .shutdown = true}, "stopped", "poweroff");
	check((libxl_dominfo){.paused = true, .dying = true}, "dying", NULL);
	check((libxl_dominfo){.shutdown = true,
		      .dying = true,
		      .shutdown_reason = LIBXL_SHUTDOWN_REASON_CRASH},
		"dying", "crash");
}

static void reasons_are_xens(void **state)
{
	(void)state;
	static const struct {
		libxl_shutdown_reason reason;
		const char *name;
	} cases[] = {
		{LIBXL_SHUTDOWN_REASON_POWEROFF, "poweroff"},
		{LIBXL_SHUTDOWN_REASON_REBOOT, "reboot"},
		{LIBXL_SHUTDOWN_REASON_SUSPEND, "suspend"},
		{LIBXL_SHUTDOWN_REASON_CRASH, "crash"},
		{LIBXL_SHUTDOWN_REASON_WATCHDOG, "watchdog"},
		{LIBXL_SHUTDOWN_REASON_SOFT_RESET, "soft-reset"},
		{LIBXL_SHUTDOWN_REASON_UNKNOWN, NULL},
		{(libxl_shutdown_reason)77, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check((libxl_dominfo){.shutdown = true, .shutdown_reason = cases[i].reason},
			"stopped", cases[i].name);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(flags_become_one_state),
	cmocka_unit_test(reasons_are_xens),
};

UNIT_MAIN(tests, NULL, NULL)
