/* SPDX-License-Identifier: Apache-2.0 */
/* Which pods are shown: by the beginning of the UUID, the state, names. */
#ifndef TOOLS_STATUS_FILTER_H
#define TOOLS_STATUS_FILTER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "tools/words.h"

/* Of each kind one has to match; a kind without any lets all pass. */
struct status_filter {
	struct words uuids;  /* beginnings, in any case of letters */
	struct words states; /* words for people, or exact states */
	struct words names;  /* globs (fnmatch) of an app's name, or of the domain's */
	char *text;          /* what `states` points into */
};

void status_filter_done(struct status_filter *f);
/* "STATE,STATE": adds them. ERR_INVALID lists those that there are. */
int status_filter_states(const char *text, struct status_filter *f, struct err *err);
/* Is there such a word or state? */
int status_state_check(const char *state, struct err *err);

bool status_filter_uuid(const struct status_filter *f, const char *uuid);
bool status_filter_pod(const struct status_filter *f, const json_t *pod);
/*
 * Takes out of `pods` what does not match. ERR_NOTFOUND names a beginning of a UUID that none has: that is
 * another thing than a pod in another state.
 */
int status_filter_pods(const struct status_filter *f, json_t *pods, struct err *err);
/* Does a pod in this state, of this word, pass? */
bool status_filter_state(const struct status_filter *f, const char *state, const char *word);

#endif
