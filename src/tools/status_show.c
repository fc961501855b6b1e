/* SPDX-License-Identifier: Apache-2.0 */
/* `xenpod-status UUID`: one pod, and whether those who know of it say the same. */
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "tools/status.h"
#include "tools/status_options.h"
#include "tools/status_truth.h"

/* The answer, the hypervisor and the lock are not of one moment: what differs is looked at again. */
#define LOOKS      5
#define BETWEEN_NS 250000000L

static int look(struct status_source *s, const char *uuid, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *health = NULL;
	_cleanup_json_ json_t *show = NULL;
	if (status_health_now(s, &health, err) < 0 || status_show(s, uuid, &show, err) < 0)
		return -1;
	bool there = json_is_object(json_object_get(show, "pod"));
	json_object_set_new(show, "truth", there ? status_truth(show, health) : json_null());
	*ret = json_incref(show);
	return 0;
}

static bool differs(const json_t *show)
{
	return json_array_size(json_object_get(json_object_get(show, "truth"), "differs")) > 0;
}

int status_show_run(struct status_source *s, const struct status_view *v, struct err *err)
{
	static const struct timespec between = {.tv_nsec = BETWEEN_NS};
	char uuid[UUID_TEXT_SIZE];
	_cleanup_json_ json_t *show = NULL;
	if (status_whole_uuid(s, v->filter.uuids.v[0], uuid, err) < 0)
		return -1;
	for (int i = 0; i < LOOKS && (!show || differs(show)); i++) {
		if (show)
			nanosleep(&between, NULL);
		json_decref(show);
		show = NULL;
		if (look(s, uuid, &show, err) < 0)
			return -1;
	}
	if (v->json)
		status_print_json(show);
	else
		status_print_show(show, uuid);
	return differs(show) ? STATUS_EXIT_DIFFER : 0;
}
