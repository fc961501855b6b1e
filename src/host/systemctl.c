/* SPDX-License-Identifier: Apache-2.0 */
/* See systemctl.h. */
#include "host/systemctl.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/exec.h"

bool systemctl_there(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

int systemctl(const char *verb, const char *unit, int timeout_ms, struct err *err)
{
	const char *const argv[] = {"systemctl", verb, unit, NULL};
	return exec_run(&(struct exec){.argv = argv, .timeout_ms = timeout_ms}, NULL, NULL, err);
}

/* One that has no file any more can run still. */
static bool is_unknown(const char *unit)
{
	const char *const argv[] = {
		"systemctl", "show", "--property=LoadState,ActiveState", unit, NULL};
	_cleanup_free_ char *said = NULL;
	return exec_run(&(struct exec){.argv = argv}, &said, NULL, NULL) == 0 &&
	       strstr(said, "LoadState=not-found") && strstr(said, "ActiveState=inactive");
}

int systemctl_stop(const char *unit, int timeout_ms, struct err *err)
{
	return !systemctl_there() || is_unknown(unit) ? 0
						      : systemctl("stop", unit, timeout_ms, err);
}
