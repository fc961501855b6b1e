/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the supervisor's admin socket (docs/API.md). */
#ifndef TOOLS_SUPERVISOR_H
#define TOOLS_SUPERVISOR_H

#include <jansson.h>

#include "base/err.h"
#include "base/varlink.h"

#define SUPERVISOR_ANSWER_MS 30000

/* NULL: ERR_UNAVAILABLE. */
struct varlink *supervisor_connect(struct err *err);
/* One call, one answer; `params` is stolen. */
int supervisor_call(const char *method, json_t *params, json_t **ret, struct err *err);

#endif
