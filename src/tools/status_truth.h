/* SPDX-License-Identifier: Apache-2.0 */
/* Four who know of a pod: what is wanted, the store, the hypervisor, the lock. Do they say the same? */
#ifndef TOOLS_STATUS_TRUTH_H
#define TOOLS_STATUS_TRUTH_H

#include <jansson.h>

#include "tools/flock_look.h"

#define TRUTH_UNKNOWN NULL   /* nobody can say */
#define TRUTH_NONE    "none" /* there is no domain */

/*
 * What differs, in words: an array of texts, empty when all agree. What is on its way from one state to another is
 * no difference. `hypervisor`: running, paused, stopped, dying, or one of the above. A new reference.
 */
json_t *status_truth_differs(
	const char *want, const char *state, const char *hypervisor, enum flock_state lock);

/* Of Show's answer: {desired, stored, hypervisor, lock, holder, differs}, null for what is not known; a new
 * reference. `health`: the supervisor's, NULL when it is the store that was read. */
json_t *status_truth(const json_t *show, const json_t *health);

#endif
