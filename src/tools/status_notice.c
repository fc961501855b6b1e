/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor's health has to say to everybody: see status.h. */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/json.h"
#include "tools/status.h"

#define WEEK_S (INT64_C(7) * 24 * 3600)
#define SECOND INT64_C(1000000000)

static char *lost(const json_t *l)
{
	const char *kept = json_str_opt(l, "kept", "");
	const char *why = json_str_opt(l, "why", "");
	int64_t at = json_int_opt(l, "at", 0) / SECOND;
	char when[32];
	time_t t = at;
	struct tm tm;
	(void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));
	if (json_bool_opt(l, "pending", false))
		return xasprintf(
			"the supervisor has lost its database and looks for its pods: %s", why);
	if (at + WEEK_S < (int64_t)time(NULL))
		return NULL;
	return xasprintf("the supervisor's database was lost at %s, and its pods were found again: "
			 "%s%s%s",
		when, why, *kept ? "; what was left is " : "", kept);
}

char *status_notice(const json_t *health)
{
	const char *error = json_str_opt(health, "store_error", "");
	const json_t *l = json_object_get(health, "rebuilt");
	if (*error)
		return xasprintf(
			"the supervisor cannot write its store, everything waits: %s", error);
	return json_is_object(l) ? lost(l) : NULL;
}
