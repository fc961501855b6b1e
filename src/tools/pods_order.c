/* SPDX-License-Identifier: Apache-2.0 */
/* See pods_order.h. */
#include "tools/pods_order.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"

struct placed {
	json_t *pod;
	int64_t created;
	size_t at;
};

static int by_created(const void *a, const void *b)
{
	const struct placed *x = a;
	const struct placed *y = b;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

void pods_order(json_t *pods)
{
	size_t n = json_array_size(pods);
	struct placed *v = xcalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		json_t *pod = json_incref(json_array_get(pods, i));
		v[i] = (struct placed){pod, json_int_opt(pod, "created", 0), i};
	}
	qsort(v, n, sizeof(*v), by_created);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(pods, i, v[i].pod);
	free(v);
}
