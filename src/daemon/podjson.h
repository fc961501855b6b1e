/* SPDX-License-Identifier: Apache-2.0 */
/* POD and EVENT objects of the API (proto/api.h). */
#ifndef DAEMON_PODJSON_H
#define DAEMON_PODJSON_H

#include <jansson.h>

#include "daemon/engine.h"

json_t *podjson_pod(const struct pod *p);
/* Of a long list few members may be wanted: a set out of their names. All, when `names` is no array. */
#define PODJSON_ALL (~0U)
unsigned podjson_members(const json_t *names);
json_t *podjson_some(const struct pod *p, unsigned members);
json_t *podjson_history(const struct history_row *h);
json_t *podjson_turn(const struct turn_record *t);
json_t *podjson_ledger(const struct ledger_row *l);

#endif
