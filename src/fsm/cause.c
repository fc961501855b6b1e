/* SPDX-License-Identifier: Apache-2.0 */
/* Causes of an end: names, and which event says which cause. */
#include "fsm/cause.h"

#include <string.h>

static const struct {
	const char *name;
	bool failed;
	enum pod_again again;
	const char *text;
} causes[CAUSE_MAX_] = {
#define X(id, name, failed, again, text) [CAUSE_##id] = {name, failed, AGAIN_##again, text},
	POD_CAUSES(X)
#undef X
};

const char *pod_cause_name(enum pod_cause c)
{
	return causes[c].name;
}

const char *pod_cause_text(enum pod_cause c)
{
	return causes[c].text;
}

bool pod_cause_failed(enum pod_cause c)
{
	return causes[c].failed;
}

enum pod_again pod_cause_again(enum pod_cause c)
{
	return causes[c].again;
}

bool pod_cause_in_order(enum pod_cause c, int64_t code)
{
	if (c == CAUSE_FINISHED)
		return code == 0;
	return c == CAUSE_STOPPED || c == CAUSE_KILLED || c == CAUSE_RUN_LOST ||
	       c == CAUSE_SHUTDOWN || c == CAUSE_HOST_REBOOT || c == CAUSE_HOST_SHUTDOWN;
}

int pod_cause_from_name(const char *name)
{
	for (int i = 0; i < CAUSE_MAX_; i++)
		if (!strcmp(causes[i].name, name))
			return i;
	return -1;
}

static bool is_between_lives(enum pod_state s)
{
	return s == POD_BACKOFF || s == POD_RESTARTING;
}

enum pod_cause pod_cause_now(enum pod_state state, enum pod_cause old, enum pod_cause said)
{
	bool stop = old == CAUSE_STOPPED || old == CAUSE_RUN_LOST || old == CAUSE_HOST_SHUTDOWN;
	if (said == CAUSE_NONE)
		return old;
	if (old == CAUSE_NONE || is_between_lives(state))
		return said;
	return said == CAUSE_KILLED && stop ? said : old;
}

/* A deadline is the failure of what the state was waiting for. */
static enum pod_cause cause_of_deadline(enum pod_state state)
{
	switch (state) {
	case POD_EXPORTING:
		return CAUSE_EXPORT_FAILED;
	case POD_NETWORKING:
		return CAUSE_NETWORK_FAILED;
	case POD_ACCEPTED:
	case POD_CREATING:
		return CAUSE_CREATE_FAILED;
	case POD_UNPAUSING:
		return CAUSE_START_FAILED;
	case POD_BOOTING:
		return CAUSE_BOOT_TIMEOUT;
	case POD_RESTARTING:
		return CAUSE_RESTART_FAILED;
	default:
		return CAUSE_NONE;
	}
}

enum pod_cause pod_cause_of(enum pod_state state, enum pod_event event)
{
	switch (event) {
	case EV_STOP:
		return CAUSE_STOPPED;
	case EV_KILL:
		return CAUSE_KILLED;
	case EV_GUEST_STOPPING:
		return CAUSE_SHUTDOWN; /* told so from outside; "ending" brings its own cause */
	case EV_GUEST_DONE:
		return CAUSE_FINISHED;
	case EV_GUEST_FAILED:
		return CAUSE_GUEST_FAILED;
	case EV_DOMAIN_STOPPED:
		return CAUSE_SHUTDOWN;
	case EV_DOMAIN_CRASHED:
		return CAUSE_CRASHED;
	case EV_DOMAIN_DEAD:
		return CAUSE_DESTROYED;
	case EV_QEMU_GONE:
		return CAUSE_QEMU_LOST;
	case EV_HOST_REBOOT:
		/* There was no domain for it to end. */
		return is_between_lives(state) ? CAUSE_NONE : CAUSE_HOST_REBOOT;
	case EV_SPAWN_FAILED:
		return CAUSE_RESTART_FAILED;
	case EV_EXPORT_FAILED:
		return CAUSE_EXPORT_FAILED;
	case EV_NETWORK_FAILED:
		return CAUSE_NETWORK_FAILED;
	case EV_CREATE_FAILED:
		return CAUSE_CREATE_FAILED;
	case EV_UNPAUSE_FAILED:
		return CAUSE_START_FAILED;
	case EV_DEADLINE:
		return cause_of_deadline(state);
	default:
		return CAUSE_NONE;
	}
}
