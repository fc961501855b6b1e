/* SPDX-License-Identifier: Apache-2.0 */
/* What plan.c and plan_look.c know of one step, in the plan and in the record. */
#ifndef HOST_PLAN_STEP_H
#define HOST_PLAN_STEP_H

#include "host/plan.h"
#include "host/record.h"

#define _cleanup_record_ _cleanup_(record_done)

bool step_same(const struct thing *thing, const json_t *now, const json_t *want);

/*
 * *ret, the caller's: its value, null when it is not there. `ours`: it is in the record; what is there in its
 * place and is nothing that it could be (a directory for a file) is then a value that equals no other.
 */
int step_get(const struct host *h, const struct thing *thing, const char *name, bool ours,
	json_t **ret, struct err *err);

/* Was it made in an earlier boot, and has ended with it? */
bool step_is_gone(const struct host *h, const struct thing *thing, const json_t *step);

/* Has it a value that we gave it: the one it shall have, or the one before that? */
bool step_is_ours(const struct thing *thing, const json_t *step, const json_t *now);

/* The kind of a step of the record. NULL, ERR_UNSUPPORTED: the plan knows none such. */
const struct thing *step_kind(const struct plan *p, const json_t *step, struct err *err);

/* The step of the record, borrowed; NULL: there is none, or it is gone. */
json_t *step_recorded(const struct host *h, const struct record *r, const struct step *s);

/* The record as the plan counts it: to change it, or only to look. `tell`: prints what of it is lost. */
int step_open(const struct host *h, const struct plan *p, enum plan_how how, bool tell,
	struct record *ret, struct err *err);

/* Has the plan that step of the record? */
bool step_planned(const struct plan *p, const json_t *step);

#endif
