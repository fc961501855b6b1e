/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies: see restart.h. */
#include "fsm/restart.h"

#include <string.h>

static const char *const names[POLICY_MAX_] = {
#define X(id, name) [POLICY_##id] = name,
	POD_POLICIES(X)
#undef X
};

const char *restart_policy_name(enum pod_policy p)
{
	return names[p];
}

int restart_policy_from_name(const char *name)
{
	for (int i = 0; i < POLICY_MAX_; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static bool wants_again(const struct restart_end *end)
{
	if (end->policy == POLICY_NEVER || end->want == WANT_DOWN || !end->ran)
		return false;
	switch (pod_cause_again(end->cause)) {
	case AGAIN_CODE:
		return end->policy == POLICY_ALWAYS || end->code != 0;
	case AGAIN_FAULT:
	case AGAIN_HOST:
		return true;
	case AGAIN_ASKED:
		break;
	}
	return false;
}

static int64_t backoff_ms(int tries)
{
	int64_t ms = RESTART_FIRST_MS;
	for (int i = 1; i < tries && ms < RESTART_MAX_MS; i++)
		ms *= 2;
	return ms < RESTART_MAX_MS ? ms : RESTART_MAX_MS;
}

void restart_judge(const struct restart_end *end, struct restart_verdict *ret)
{
	*ret = (struct restart_verdict){.tries = end->tries};
	if (!wants_again(end))
		return;
	ret->again = true;
	/* The host's doing says nothing about the pod: it is neither counted nor forgiven. */
	if (pod_cause_again(end->cause) == AGAIN_HOST) {
		ret->backoff_ms = end->closing ? 0 : RESTART_AT_ONCE_MS;
		return;
	}
	ret->tries = end->lasted ? 0 : end->tries + 1;
	ret->given_up = end->limit > 0 && ret->tries > end->limit;
	if (ret->given_up) {
		ret->again = false;
		ret->tries = end->tries;
		return;
	}
	ret->backoff_ms = end->closing ? 0 : backoff_ms(ret->tries);
}
