/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the supervisor (docs/API.md). */
#ifndef TOOLS_SUPERVISOR_H
#define TOOLS_SUPERVISOR_H

#include <jansson.h>

#include "base/err.h"
#include "base/varlink.h"

#define SUPERVISOR_ANSWER_MS 30000

/* To its socket "admin" or "status". NULL: ERR_UNAVAILABLE. */
struct varlink *supervisor_connect(const char *socket, struct err *err);
/* One call of the admin socket, one answer; `params` is stolen. */
int supervisor_call(const char *method, json_t *params, json_t **ret, struct err *err);

#endif
