/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the supervisor: see supervisor.h. */
#include "tools/supervisor.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "proto/api.h"

struct varlink *supervisor_connect(const char *socket, struct err *err)
{
	const char *dir = getenv(API_ENV_RUN_DIR);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir && *dir ? dir : API_RUN_DIR, socket);
	return varlink_connect(path, err);
}

int supervisor_call(const char *method, json_t *params, json_t **ret, struct err *err)
{
	_cleanup_varlink_ struct varlink *v = supervisor_connect("admin", err);
	if (!v) {
		json_decref(params);
		return -1;
	}
	return varlink_roundtrip(v, method, params, SUPERVISOR_ANSWER_MS, ret, err);
}
