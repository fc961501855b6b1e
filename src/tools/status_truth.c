/* SPDX-License-Identifier: Apache-2.0 */
/* See status_truth.h. */
#include "tools/status_truth.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "fsm/pod.h"

/* ---- the rules -------------------------------------------------------------------------------------- */

static void say(json_t *list, const char *text)
{
	json_array_append_new(list, json_string(text));
}

/* States in which the domain is there for sure: built, and nobody has begun to end it. */
static bool has_domain(enum pod_state s)
{
	return s == POD_BOOTING || s == POD_RUNNING || s == POD_PAUSING || s == POD_PAUSED ||
	       s == POD_RESUMING;
}

static void judge_domain(json_t *list, enum pod_state s, const char *seen)
{
	if (!seen)
		return;
	bool none = !strcmp(seen, TRUTH_NONE);
	_cleanup_free_ char *text =
		xasprintf("the pod is %s, and its domain is %s", pod_state_name(s), seen);
	if (has_domain(s) && none)
		say(list, "the pod should have a domain, and Xen shows none");
	else if ((s == POD_RUNNING && strcmp(seen, "running") != 0) ||
		 (s == POD_PAUSED && strcmp(seen, "paused") != 0))
		say(list, text);
	else if (!(pod_state_owns(s) & POD_OWNS_DOMAIN) && !none)
		say(list, "the pod should have no domain, and Xen shows one");
}

/* Closed within collecting, and taken by those who remove a pod after its end. */
static void judge_lock(json_t *list, enum pod_state s, enum flock_state lock)
{
	bool owned = pod_state_owns(s) & POD_OWNS_LOCK && s != POD_COLLECTING;
	if (owned && lock == FLOCK_FREE)
		say(list, "the lock of the pod directory is free, and should be held: for rkt the "
			  "pod has ended");
	else if (owned && lock == FLOCK_MISSING)
		say(list, "the pod directory is not there");
	else if ((s == POD_EXITED || s == POD_FAILED) && lock == FLOCK_HELD)
		say(list, "the pod has ended, and the lock of its directory is held still");
}

static void judge_want(json_t *list, enum pod_state s, const char *want)
{
	if ((s == POD_RUNNING || s == POD_PAUSED) && strcmp(want, "up") != 0)
		say(list, "the pod is to end, and nothing ends it");
}

json_t *status_truth_differs(
	const char *want, const char *state, const char *hypervisor, enum flock_state lock)
{
	json_t *list = json_array();
	int s = pod_state_from_name(state);
	if (s < 0) /* a supervisor that knows more than we */
		return list;
	judge_want(list, (enum pod_state)s, want);
	judge_domain(list, (enum pod_state)s, hypervisor);
	judge_lock(list, (enum pod_state)s, lock);
	return list;
}

/* ---- who says what ---------------------------------------------------------------------------------- */

/* A domain with our marker that the supervisor does not count to the pod. */
static const char *unaccounted(const json_t *health, const char *uuid)
{
	size_t i;
	const json_t *d;
	json_array_foreach (json_object_get(health, "unaccounted_domains"), i, d)
		if (!strcmp(json_str_opt(d, "uuid", ""), uuid))
			return json_str_opt(d, "state", "?");
	return TRUTH_NONE;
}

static const char *hypervisor(const json_t *pod, const json_t *health)
{
	const char *seen = json_str_opt(json_object_get(pod, "domain"), "state", NULL);
	bool sees = json_bool_opt(health, "xen_seen", false) &&
		    !strcmp(json_str_opt(json_object_get(health, "supervisor"), "state", ""),
			    "running");
	if (!sees)
		return TRUTH_UNKNOWN;
	return seen && *seen ? seen : unaccounted(health, json_str_opt(pod, "uuid", ""));
}

static json_t *lock_word(enum flock_state lock)
{
	static const char *const words[] = {NULL, "missing", "free", "held"};
	return words[lock] ? json_string(words[lock]) : json_null();
}

json_t *status_truth(const json_t *show, const json_t *health)
{
	const json_t *pod = json_object_get(show, "pod");
	const char *state = json_str_opt(pod, "state", "");
	const char *want = json_str_opt(pod, "want", "");
	int s = pod_state_from_name(state);
	bool owned = s >= 0 && pod_state_owns((enum pod_state)s) & POD_OWNS_LOCK;
	pid_t holder;
	enum flock_state lock = flock_look(json_str_opt(pod, "dir", ""), owned, &holder);
	const char *seen = hypervisor(pod, health);
	return json_make("{s:s, s:s, s:s?, s:o, s:o, s:o}", "desired", want, "stored", state,
		"hypervisor", seen, "lock", lock_word(lock), "holder",
		holder ? json_integer(holder) : json_null(), "differs",
		status_truth_differs(want, state, seen, lock));
}
