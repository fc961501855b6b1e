/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies in words: see status.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "fsm/cause.h"
#include "tools/status.h"
#include "tools/table.h"

static int64_t seconds_until(int64_t at)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t left = at / 1000000000 - (int64_t)now.tv_sec;
	return left > 0 ? left : 0;
}

char *status_restart_text(const json_t *pod)
{
	const json_t *r = json_object_get(pod, "restart");
	const char *state = json_str_opt(pod, "state", "");
	int64_t tries = json_int_opt(r, "tries", 0);
	int64_t next = json_int_opt(r, "next", 0);
	if (json_bool_opt(r, "given_up", false))
		return xasprintf("given up after %" PRId64, tries);
	if (!strcmp(state, "backoff") && next)
		return xasprintf("next try in %" PRId64 " s", seconds_until(next));
	/* Without a deadline it is the host that is waited for; without a supervisor, that. */
	if (!strcmp(state, "backoff"))
		return xstrdup(json_is_object(r) && !strcmp(json_str_opt(pod, "want", ""), "up")
				       ? "next try with the next boot, or xenpod start --all"
				       : "");
	if (!strcmp(state, "restarting"))
		return xstrdup("its next life is being prepared");
	return xstrdup("");
}

char *status_restart_line(const json_t *pod)
{
	const json_t *r = json_object_get(pod, "restart");
	int64_t limit = json_int_opt(r, "limit", 0);
	if (!json_is_object(r))
		return xstrdup("");
	_cleanup_free_ char *text = status_restart_text(pod);
	_cleanup_free_ char *bound =
		limit ? xasprintf("at most %" PRId64, limit) : xstrdup("any number");
	return xasprintf("%s: %" PRId64 " of %s short lives one after the other, %" PRId64
			 " in all%s%s",
		json_str_opt(r, "policy", "?"), json_int_opt(r, "tries", 0), bound,
		json_int_opt(r, "lives", 0), *text ? "; " : "", text);
}

char *status_next_line(const json_t *pod)
{
	const json_t *r = json_object_get(pod, "restart");
	int64_t next = json_int_opt(r, "next", 0);
	int64_t code = json_int_opt(pod, "code", -1);
	int cause = pod_cause_from_name(json_str_opt(pod, "cause", ""));
	char when[32];
	if (strcmp(json_str_opt(pod, "state", ""), "backoff") != 0)
		return xstrdup("");
	time_text(next, when);
	_cleanup_free_ char *text = status_restart_text(pod);
	_cleanup_free_ char *exit =
		code >= 0 ? xasprintf(", exit code %" PRId64, code) : xstrdup("");
	return xasprintf("%s%s%s; policy %s, because %s%s",
		next    ? when
		: *text ? text
			: "when there is a supervisor",
		next ? ": " : "", next ? text : "", json_str_opt(r, "policy", "?"),
		cause > CAUSE_NONE ? pod_cause_text((enum pod_cause)cause) : "it ended", exit);
}
