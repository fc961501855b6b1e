/* SPDX-License-Identifier: Apache-2.0 */
/* See status_filter.h. */
#include "tools/status_filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "fsm/pod.h"

void status_filter_done(struct status_filter *f)
{
	words_done(&f->uuids);
	words_done(&f->states);
	words_done(&f->names);
	free(f->text);
	f->text = NULL;
}

/* Words first, because people mean those; each once. */
static char *all_states(void)
{
	char *all = xstrdup("");
	for (int pass = 0; pass < 2; pass++)
		for (int s = 0; s < POD_STATE_MAX_; s++) {
			const char *name = pass ? pod_state_name((enum pod_state)s)
						: pod_state_word((enum pod_state)s);
			_cleanup_free_ char *padded = xasprintf(" %s,", name);
			_cleanup_free_ char *old = all;
			_cleanup_free_ char *known = xasprintf(" %s,", old);
			all = xasprintf(strstr(known, padded) ? "%s"
					: *old                ? "%s, %s"
							      : "%s%s",
				old, name);
		}
	return all;
}

int status_state_check(const char *state, struct err *err)
{
	for (int s = 0; s < POD_STATE_MAX_; s++)
		if (!strcmp(state, pod_state_name((enum pod_state)s)) ||
			!strcmp(state, pod_state_word((enum pod_state)s)))
			return 0;
	_cleanup_free_ char *all = all_states();
	return err_set(err, ERR_INVALID, "there is no state \"%s\"; there are %s", state, all);
}

int status_filter_states(const char *text, struct status_filter *f, struct err *err)
{
	char *rest = f->text = xstrdup(text);
	char *state;
	f->states.n = 0;
	while ((state = strsep(&rest, ","))) {
		if (status_state_check(state, err) < 0)
			return -1;
		words_add(&f->states, state);
	}
	return 0;
}

static bool begins_with(const char *uuid, const char *prefix)
{
	return !strncasecmp(uuid, prefix, strlen(prefix));
}

bool status_filter_uuid(const struct status_filter *f, const char *uuid)
{
	for (size_t i = 0; i < f->uuids.n; i++)
		if (begins_with(uuid, f->uuids.v[i]))
			return true;
	return !f->uuids.n;
}

bool status_filter_state(const struct status_filter *f, const char *state, const char *word)
{
	for (size_t i = 0; i < f->states.n; i++)
		if (!strcmp(state, f->states.v[i]) || !strcmp(word, f->states.v[i]))
			return true;
	return !f->states.n;
}

static bool name_matches(const struct status_filter *f, const char *name)
{
	for (size_t i = 0; i < f->names.n; i++)
		if (fnmatch(f->names.v[i], name, 0) == 0)
			return true;
	return false;
}

static bool any_name(const struct status_filter *f, const json_t *pod)
{
	size_t i;
	json_t *app;
	json_array_foreach (json_object_get(pod, "apps"), i, app)
		if (name_matches(f, json_str_opt(app, "name", "")))
			return true;
	return name_matches(f, json_str_opt(json_object_get(pod, "domain"), "name", ""));
}

bool status_filter_pod(const struct status_filter *f, const json_t *pod)
{
	return status_filter_uuid(f, json_str_opt(pod, "uuid", "")) &&
	       status_filter_state(
		       f, json_str_opt(pod, "state", ""), json_str_opt(pod, "word", "")) &&
	       (!f->names.n || any_name(f, pod));
}

/* A beginning that is no pod's is a mistake: somebody has this pod in mind. */
static int check_prefixes(const struct status_filter *f, const json_t *pods, struct err *err)
{
	for (size_t k = 0; k < f->uuids.n; k++) {
		bool found = false;
		size_t i;
		json_t *pod;
		json_array_foreach (pods, i, pod)
			found |= begins_with(json_str_opt(pod, "uuid", ""), f->uuids.v[k]);
		if (!found)
			return err_set(err, ERR_NOTFOUND,
				"no pod \"%s\" (xenpod-status shows them)", f->uuids.v[k]);
	}
	return 0;
}

int status_filter_pods(const struct status_filter *f, json_t *pods, struct err *err)
{
	if (check_prefixes(f, pods, err) < 0)
		return -1;
	if (!f->uuids.n && !f->states.n && !f->names.n)
		return 0;
	_cleanup_json_ json_t *kept = json_array();
	size_t i;
	json_t *pod;
	json_array_foreach (pods, i, pod)
		if (status_filter_pod(f, pod))
			json_array_append(kept, pod);
	json_array_clear(pods);
	json_array_extend(pods, kept);
	return 0;
}
