/* SPDX-License-Identifier: Apache-2.0 */
/* Where the status comes from: the supervisor's status socket first, its store second. */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "proto/api.h"
#include "store/store.h"
#include "tools/pods_order.h"
#include "tools/status.h"
#include "tools/supervisor.h"

#define ANSWER_MS 5000

struct status_source {
	struct varlink *link; /* one of the two is there */
	struct store *store;
};

/* A socket that takes the connection may belong to a supervisor that hangs: so it is asked. */
static int ask_supervisor(struct varlink **ret, json_t **ret_health, struct err *err)
{
	_cleanup_varlink_ struct varlink *link = supervisor_connect("status", err);
	if (!link || varlink_roundtrip(link, API_HEALTH, NULL, ANSWER_MS, ret_health, err) < 0)
		return -1;
	*ret = TAKE_PTR(link);
	return 0;
}

static int open_supervisor(struct status_source *s, char **ret_notice, struct err *err)
{
	_cleanup_json_ json_t *health = NULL;
	if (ask_supervisor(&s->link, &health, err) < 0)
		return -1;
	*ret_notice = status_notice(health);
	return 0;
}

int status_health(json_t **ret, struct err *err)
{
	_cleanup_varlink_ struct varlink *link = NULL;
	return ask_supervisor(&link, ret, err);
}

static int open_store(struct status_source *s, struct err *why, char **ret_notice, struct err *err)
{
	const char *dir = getenv(API_ENV_STATE_DIR);
	_cleanup_free_ char *path = xasprintf("%s/store.db", dir && *dir ? dir : API_STATE_DIR);
	if (geteuid() != 0)
		return err_set(err, ERR_UNAVAILABLE, "%s; only root may read %s instead (try sudo)",
			err_msg(why), path);
	struct err store_err = {0};
	if (store_open(path, STORE_READONLY, &s->store, &store_err) == 0) {
		*ret_notice = xasprintf("%s; this is from %s", err_msg(why), path);
		return 0;
	}
	err_set(err, ERR_UNAVAILABLE, "%s; and its store cannot be read: %s", err_msg(why),
		err_msg(&store_err));
	err_done(&store_err);
	return -1;
}

int status_open(struct status_source **ret, char **ret_notice, struct err *err)
{
	struct status_source *s = xcalloc(1, sizeof(*s));
	struct err why = {0};
	*ret_notice = NULL;
	int r = open_supervisor(s, ret_notice, &why);
	if (r < 0)
		r = open_store(s, &why, ret_notice, err);
	err_done(&why);
	if (r < 0)
		status_close(s);
	else
		*ret = s;
	return r;
}

void status_close(struct status_source *s)
{
	if (!s)
		return;
	varlink_freep(&s->link);
	store_closep(&s->store);
	free(s);
}

/* It comes in parts: thousands of pods are more than one message holds. */
static int ask_list(struct status_source *s, const json_t *members, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *pods = json_array();
	bool more = true;
	json_t *params = json_make("{s:O*}", "members", members);
	if (varlink_call(s->link, API_LIST, params, true, NULL, 0, err) < 0)
		return -1;
	while (more) {
		_cleanup_json_ json_t *part = NULL;
		if (varlink_reply(s->link, ANSWER_MS, &part, &more, err) < 0)
			return -1;
		json_array_extend(pods, json_object_get(part, "pods"));
		if (more)
			continue;
		json_object_set(part, "pods", pods);
		*ret = json_incref(part);
	}
	return 0;
}

int status_list(struct status_source *s, const json_t *members, json_t **ret, struct err *err)
{
	if (s->store)
		return status_store_list(s->store, members, ret, err);
	if (ask_list(s, members, ret, err) < 0)
		return -1;
	json_object_set_new(*ret, "source", json_string("supervisor"));
	pods_order(json_object_get(*ret, "pods"));
	return 0;
}

/* ---- history ----------------------------------------------------------------------------------- */

/* The supervisor answers in pages: the next begins behind the last row. */
static int ask_history(
	struct status_source *s, const char *uuid, int64_t since, json_t *rows, struct err *err)
{
	for (;;) {
		_cleanup_json_ json_t *o = NULL;
		json_t *params = json_make("{s:s*, s:I}", "uuid", uuid, "since", (json_int_t)since);
		if (varlink_roundtrip(s->link, API_HISTORY, params, ANSWER_MS, &o, err) < 0)
			return -1;
		json_t *page = json_object_get(o, "history");
		size_t n = json_array_size(page);
		if (!n)
			return 0;
		since = json_int_opt(json_array_get(page, n - 1), "seq", INT64_MAX);
		json_array_extend(rows, page);
	}
}

int status_history(
	struct status_source *s, const char *uuid, int64_t since, json_t *rows, struct err *err)
{
	return s->store ? status_store_history(s->store, uuid, since, rows, err)
			: ask_history(s, uuid, since, rows, err);
}

int status_health_now(struct status_source *s, json_t **ret, struct err *err)
{
	*ret = NULL;
	return s->store ? 0 : varlink_roundtrip(s->link, API_HEALTH, NULL, ANSWER_MS, ret, err);
}

int status_bounds(
	struct status_source *s, int64_t *ret_oldest, int64_t *ret_newest, struct err *err)
{
	if (s->store)
		return store_history_bounds(s->store, ret_oldest, ret_newest, err);
	_cleanup_json_ json_t *health = NULL;
	json_t *bounds;
	if (varlink_roundtrip(s->link, API_HEALTH, NULL, ANSWER_MS, &health, err) < 0 ||
		json_get_obj(health, "history", &bounds, err) < 0 ||
		json_get_int(bounds, "oldest", ret_oldest, err) < 0 ||
		json_get_int(bounds, "newest", ret_newest, err) < 0)
		return -1;
	return 0;
}

struct varlink *status_link(struct status_source *s)
{
	return s->link;
}

const char *status_source_name(const struct status_source *s)
{
	return s->store ? "store" : "supervisor";
}

/* ---- one pod ----------------------------------------------------------------------------------- */

/* Removed pods live on in the history. */
static json_t *removed_pod(void)
{
	return json_make(
		"{s:n, s:[], s:[], s:[], s:n}", "pod", "history", "ledger", "volumes", "console");
}

static int ask_show(struct status_source *s, const char *uuid, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *o = NULL;
	json_t *params = json_make("{s:s}", "uuid", uuid);
	int r = varlink_roundtrip(s->link, API_SHOW, params, ANSWER_MS, &o, err);
	if (r < 0 && err->code != ERR_NOTFOUND)
		return -1;
	if (r < 0) {
		err_done(err);
		o = removed_pod();
	}
	/* Of a long history Show has the beginning. */
	json_t *rows = json_object_get(o, "history");
	const json_t *last = json_array_get(rows, json_array_size(rows) - 1);
	if (ask_history(s, uuid, json_int_opt(last, "seq", 0), rows, err) < 0)
		return -1;
	if (!json_is_object(json_object_get(o, "pod")) && !json_array_size(rows))
		return err_set(err, ERR_NOTFOUND, "the supervisor knows no pod %s", uuid);
	*ret = TAKE_PTR(o);
	return 0;
}

int status_show(struct status_source *s, const char *uuid, json_t **ret, struct err *err)
{
	if (s->store)
		return status_store_show(s->store, uuid, ret, err);
	if (ask_show(s, uuid, ret, err) < 0)
		return -1;
	json_object_set_new(*ret, "source", json_string("supervisor"));
	return 0;
}

/* A whole UUID may also be that of a pod which is removed. */
int status_whole_uuid(
	struct status_source *s, const char *given, char ret[UUID_TEXT_SIZE], struct err *err)
{
	if (uuid_parse(given, ret, NULL) == 0)
		return 0;
	_cleanup_json_ json_t *members = json_make("[s, s]", "uuid", "created");
	_cleanup_json_ json_t *list = NULL;
	const char *uuid;
	if (status_list(s, members, &list, err) < 0 || status_pick(list, given, &uuid, err) < 0)
		return -1;
	return uuid_parse(uuid, ret, err);
}
