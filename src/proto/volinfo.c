/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's volumes for others: see volinfo.h. */
#include "proto/volinfo.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

/* A tree of the host's own, or one of the pod's directory. */
static const char *kind_of(const json_t *request, const char *tag)
{
	size_t i;
	const json_t *tree;
	json_array_foreach (json_object_get(request, "trees"), i, tree)
		if (!strcmp(json_str_opt(tree, "tag", ""), tag))
			return json_bool_opt(tree, "host", false) ? "host" : "empty";
	return "empty";
}

static void add_app(json_t *list, const json_t *request, const json_t *app)
{
	size_t i;
	const json_t *m;
	json_array_foreach (json_object_get(app, "mounts"), i, m)
		json_array_append_new(list,
			json_make("{s:s, s:s, s:s, s:b}", "app", json_str_opt(app, "name", "?"),
				"path", json_str_opt(m, "path", "?"), "kind",
				kind_of(request, json_str_opt(m, "tag", "")), "read_only",
				(int)json_bool_opt(m, "read_only", false)));
}

json_t *volinfo_of(const json_t *request)
{
	json_t *list = json_array();
	size_t i;
	const json_t *app;
	json_array_foreach (json_object_get(json_object_get(request, "guest"), "apps"), i, app)
		add_app(list, request, app);
	return list;
}
