/* SPDX-License-Identifier: Apache-2.0 */
/* See pods_order.h. */
#include "tools/pods_order.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"

static int by_created(const void *a, const void *b)
{
	int64_t x = json_int_opt(*(json_t *const *)a, "created", 0);
	int64_t y = json_int_opt(*(json_t *const *)b, "created", 0);
	return x < y ? -1 : x > y;
}

void pods_order(json_t *pods)
{
	size_t n = json_array_size(pods);
	json_t **v = xcalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = json_incref(json_array_get(pods, i));
	qsort(v, n, sizeof(*v), by_created);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(pods, i, v[i]);
	free(v);
}
