/* SPDX-License-Identifier: Apache-2.0 */
/* What a gc would do (`xenpod gc --dry-run`), and the supervisor's part of one. */
#ifndef TOOLS_GC_PLAN_H
#define TOOLS_GC_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/datadir.h"

/* One pod of the data directory. `due`: wall clock, ns; 0: now. */
void gc_plan_pod(json_t *pods, const struct pod *p, const char *action, int64_t due);

/*
 * Prints what there is for gc: the pods, and what the supervisor says of domains that no pod
 * accounts for. Without a supervisor that part is missing, and a line on stderr says so.
 */
int gc_plan_print(json_t *pods, bool json, struct err *err);

/*
 * Asks the supervisor to collect its orphaned domains now. Nothing when there is no supervisor: it
 * collects them by itself when it is there.
 */
int gc_ask_supervisor(struct err *err);

#endif
