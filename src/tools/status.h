/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What xenpod-status shows, as the API's own JSON (proto/api.h: POD, EVENT), wherever it came from:
 * the supervisor, or its store while the supervisor is down.
 */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Exit statuses of xenpod-status, told by --help. 3 is kept for "the truths differ". */
#define STATUS_EXIT_NO_POD      1
#define STATUS_EXIT_DIFFER      3
#define STATUS_EXIT_UNREACHABLE 4
#define STATUS_EXIT_NO_HEALTH   5

/* ---- status_source.c ----------------------------------------------------------------------------
 */

struct status_source;

/*
 * Asks the supervisor; when that does not answer and we are root opens the store read-only and says
 * so in *ret_notice (malloc'ed, else NULL). Otherwise -1: neither can be read.
 */
int status_open(struct status_source **ret, char **ret_notice, struct err *err);
void status_close(struct status_source *s);
/* What everybody who looks should be told, of a Health answer: the store cannot be written, or was lost
 * in the last week. NULL: nothing. Caller frees. */
char *status_notice(const json_t *health);
/* {source, supervisor?, pods:[POD...]}; caller decrefs. */
int status_list(struct status_source *s, json_t **ret, struct err *err);
/*
 * {source, pod:POD|null, history:[EVENT...], ledger:[...], console:TEXT|null}. pod is null for one that is removed but
 * still in the history. ERR_NOTFOUND when nothing is known of it. `uuid` is a whole one.
 */
int status_show(struct status_source *s, const char *uuid, json_t **ret, struct err *err);

/* How the supervisor is: Health (docs/API.md). Only it can say so: ERR_UNAVAILABLE without it. */
int status_health(json_t **ret, struct err *err);

/* ---- status_store.c: the same two from the store
 * -------------------------------------------------- */

struct store;
int status_store_list(struct store *s, json_t **ret, struct err *err);
int status_store_show(struct store *s, const char *uuid, json_t **ret, struct err *err);

/* ---- status_print.c
 * ------------------------------------------------------------------------------- */

/* A table of pods, newest last; apps as "name=code". */
void status_print_list(const json_t *list, bool legend, bool full);
/* One pod in detail and its history. */
void status_print_show(const json_t *show, const char *uuid);
/* Parts and counters (status_health.c). */
void status_print_health(const json_t *health);
/* The word for people and, where it says more, the fine state: "starting (booting)". */
char *status_state_text(const json_t *pod);
/* "web=0 db=running worker=SIGKILL"; caller frees. */
char *status_apps_text(const json_t *pod);

/* status_restart.c: when the next try is, or that it was given up: "" when there is nothing to say. */
char *status_restart_text(const json_t *pod);
/* Policy and numbers in one line, "" for a pod without a policy. */
char *status_restart_line(const json_t *pod);

/* Picks the pod whose UUID begins with `prefix` (any case) out of a list; ERR_NOTFOUND, ERR_INVALID
 * when several do. Borrowed from the list. */
int status_pick(const json_t *list, const char *prefix, const char **ret_uuid, struct err *err);

#endif
