/* SPDX-License-Identifier: Apache-2.0 */
/* Words and numbers for people, out of the API's JSON: see status.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "tools/status.h"

char *status_state_text(const json_t *pod)
{
	const char *word = json_str_opt(pod, "word", "?");
	const char *state = json_str_opt(pod, "state", word);
	return strcmp(word, state) ? xasprintf("%s (%s)", word, state) : xstrdup(word);
}

char *status_app_end_text(const json_t *app)
{
	int64_t signal = json_int_opt(app, "signal", -1);
	int64_t code = json_int_opt(app, "code", -1);
	const char *name = signal > 0 && signal < 65 ? sigabbrev_np((int)signal) : NULL;
	if (signal > 0)
		return name ? xasprintf("SIG%s", name) : xasprintf("signal%" PRId64, signal);
	if (code >= 0)
		return xasprintf("%" PRId64, code);
	return xstrdup(json_str_opt(app, "state", "?"));
}

char *status_apps_text(const json_t *pod)
{
	char *out = xstrdup("");
	size_t i;
	json_t *app;
	json_array_foreach (json_object_get(pod, "apps"), i, app) {
		_cleanup_free_ char *end = status_app_end_text(app);
		char *more = xasprintf(
			"%s%s%s=%s", out, i ? " " : "", json_str_opt(app, "name", "?"), end);
		free(out);
		out = more;
	}
	return out;
}

char *status_networks_text(const json_t *pod)
{
	char *out = xstrdup("");
	size_t i;
	size_t k;
	json_t *net;
	json_t *address;
	json_array_foreach (json_object_get(pod, "networks"), i, net) {
		const char *name = json_str_opt(net, "name", "?");
		json_t *addresses = json_object_get(net, "addresses");
		json_array_foreach (addresses, k, address) {
			const char *text = json_string_value(address);
			char *more = xasprintf("%s%s%s=%.*s", out, *out ? " " : "", name,
				(int)strcspn(text ? text : "", "/"), text ? text : "");
			free(out);
			out = more;
		}
	}
	return out;
}

/* Paused time counts: the domain is there. */
int64_t status_uptime_ns(const json_t *pod)
{
	struct timespec now;
	int64_t started = json_int_opt(pod, "started", 0);
	int64_t ended = json_int_opt(pod, "ended", 0);
	clock_gettime(CLOCK_REALTIME, &now);
	if (started <= 0)
		return -1;
	int64_t until = ended >= started ? ended : (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return until > started ? until - started : 0;
}

int status_pick(const json_t *list, const char *prefix, const char **ret_uuid, struct err *err)
{
	const char *found = NULL;
	size_t count = 0;
	size_t i;
	json_t *pod;
	json_array_foreach (json_object_get(list, "pods"), i, pod) {
		const char *uuid = json_str_opt(pod, "uuid", "");
		if (strncasecmp(uuid, prefix, strlen(prefix)) != 0)
			continue;
		found = uuid;
		count++;
	}
	if (count > 1)
		return err_set(err, ERR_INVALID, "\"%s\" matches %zu pods; give more of the UUID",
			prefix, count);
	if (!count)
		return err_set(
			err, ERR_NOTFOUND, "no pod \"%s\" (xenpod-status shows them)", prefix);
	*ret_uuid = found;
	return 0;
}
