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
#include "base/uuid.h"
#include "base/varlink.h"

/* Exit statuses of xenpod-status, told by --help. 3 is kept for "the truths differ". */
#define STATUS_EXIT_NO_POD      1
#define STATUS_EXIT_DIFFER      3
#define STATUS_EXIT_UNREACHABLE 4
#define STATUS_EXIT_NO_HEALTH   5
#define STATUS_EXIT_TIMEOUT     6 /* --wait: the time is over */
#define STATUS_EXIT_ENDED       7 /* --wait: it has ended, and never was in that state */

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
/*
 * {source, supervisor?, pods:[POD...]}, the oldest first; caller decrefs. `members`: names of those that will be
 * looked at, uuid and created among them; NULL: all.
 */
int status_list(struct status_source *s, const json_t *members, json_t **ret, struct err *err);
/*
 * {source, pod:POD|null, history:[EVENT...], ledger:[...], volumes:[...], console:TEXT|null}. pod is null for one that is removed but
 * still in the history. ERR_NOTFOUND when nothing is known of it. `uuid` is a whole one.
 */
int status_show(struct status_source *s, const char *uuid, json_t **ret, struct err *err);
/*
 * Appends to `rows` the EVENTs of a pod, or of all (NULL), with numbers above `since`, oldest first. None is
 * no error.
 */
int status_history(
	struct status_source *s, const char *uuid, int64_t since, json_t *rows, struct err *err);
/* Numbers of the oldest event that is kept, and of the newest; none are kept: oldest is newest + 1. */
int status_bounds(
	struct status_source *s, int64_t *ret_oldest, int64_t *ret_newest, struct err *err);
/* For a call that stays open (Watch); NULL: it is the store. */
struct varlink *status_link(struct status_source *s);
/* "supervisor" or "store". */
const char *status_source_name(const struct status_source *s);
/* The UUID that `given` is the beginning of; a whole one is taken as it is. As status_pick(). */
int status_whole_uuid(
	struct status_source *s, const char *given, char ret[UUID_TEXT_SIZE], struct err *err);

/* Health of the supervisor that is asked; NULL when it is the store. */
int status_health_now(struct status_source *s, json_t **ret, struct err *err);
/* How the supervisor is: Health (docs/API.md). Only it can say so: ERR_UNAVAILABLE without it. */
int status_health(json_t **ret, struct err *err);

/* ---- status_store.c: the same from the store ------------------------------------------------------ */

struct store;
int status_store_list(struct store *s, const json_t *members, json_t **ret, struct err *err);
int status_store_show(struct store *s, const char *uuid, json_t **ret, struct err *err);
int status_store_history(
	struct store *s, const char *uuid, int64_t since, json_t *rows, struct err *err);

/* ---- status_print.c ----------------------------------------------------------------------------- */

/* Indented. */
void status_print_json(const json_t *j);
/* The whole of a pod in detail: an exit status, or -1 (status_show.c). */
struct status_view;
int status_show_run(struct status_source *s, const struct status_view *v, struct err *err);
/* One pod in detail and its history. */
void status_print_show(const json_t *show, const char *uuid);
/* Parts and counters (status_health.c). */
void status_print_health(const json_t *health);

/* ---- status_text.c: callers free ------------------------------------------------------------------ */

/* The word for people and, where it says more, the fine state: "starting (booting)". */
char *status_state_text(const json_t *pod);
/* "web=0 db=running worker=SIGKILL" */
char *status_apps_text(const json_t *pod);
/* Of one app: the end if it has one, else what it does. */
char *status_app_end_text(const json_t *app);
/* "NAME=ADDRESS ...": every address of each network. */
char *status_networks_text(const json_t *pod);
/* From started until now, or until it ended; -1: it was not started. */
int64_t status_uptime_ns(const json_t *pod);

/* status_restart.c: when the next try is, or that it was given up: "" when there is nothing to say. */
char *status_restart_text(const json_t *pod);
/* Policy and numbers in one line, "" for a pod without a policy. */
char *status_restart_line(const json_t *pod);
/* Of a pod that waits for its next life: when that begins and why. "" for any other. */
char *status_next_line(const json_t *pod);

/* "2026-11-27 03:28:34.123" */
char *status_event_time(const json_t *event);

/* ---- status_history.c ----------------------------------------------------------------------------- */

/* "lasted" of each EVENT that leaves a state: how long the pod was in that, in ns, or null when its
 * beginning is not among the rows. */
void status_history_lasted(json_t *rows);
/* The whole of --history: an exit status, or -1. */
int status_history_run(struct status_source *s, const struct status_view *v, struct err *err);
/* The EVENTs as a table; `uuids`: with their pods. */
struct table *status_history_table(const json_t *rows, bool uuids, bool legend, bool full);

/* ---- status_wait.c -------------------------------------------------------------------------------- */

#define STATUS_WAIT_MAX 256 /* one connection each */
/* The whole of --wait: an exit status, or -1. */
int status_wait_run(const struct status_view *v, struct err *err);
/*
 * Is a pod in `state` where it shall be (`wanted`: a state or a word; NULL: at its end)? 0; -1: not yet;
 * STATUS_EXIT_ENDED: not any more.
 */
int status_wait_judge(const char *wanted, const char *state);

/* ---- status_watch.c (lines), status_live.c (a table on a terminal) ---------------------------------- */

/* Of an EVENT, or {"gap": {"first", "last"}}, a line; with --json a line of JSON. */
void status_line_print(const struct status_view *v, const json_t *event);

/* The whole of --watch: it ends by a signal, or with an exit status, or -1. */
int status_watch_run(const struct status_view *v, struct err *err);
int status_live_run(const struct status_view *v, struct err *err);

/* Picks the pod whose UUID begins with `prefix` (any case) out of a list; ERR_NOTFOUND, ERR_INVALID
 * when several do. Borrowed from the list. */
int status_pick(const json_t *list, const char *prefix, const char **ret_uuid, struct err *err);

#endif
