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
static int ask_list(struct status_source *s, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *pods = json_array();
	bool more = true;
	if (varlink_call(s->link, API_LIST, NULL, true, NULL, 0, err) < 0)
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

int status_list(struct status_source *s, json_t **ret, struct err *err)
{
	if (s->store)
		return status_store_list(s->store, ret, err);
	if (ask_list(s, ret, err) < 0)
		return -1;
	json_object_set_new(*ret, "source", json_string("supervisor"));
	pods_order(json_object_get(*ret, "pods"));
	return 0;
}

/* Removed pods live on in the history. */
static int show_removed(struct status_source *s, const char *uuid, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *o = NULL;
	json_t *params = json_make("{s:s}", "uuid", uuid);
	if (varlink_roundtrip(s->link, API_HISTORY, params, ANSWER_MS, &o, err) < 0)
		return -1;
	if (!json_array_size(json_object_get(o, "history")))
		return err_set(err, ERR_NOTFOUND, "the supervisor knows no pod %s", uuid);
	json_object_set_new(o, "pod", json_null());
	json_object_set_new(o, "ledger", json_array());
	json_object_set_new(o, "console", json_null());
	*ret = TAKE_PTR(o);
	return 0;
}

int status_show(struct status_source *s, const char *uuid, json_t **ret, struct err *err)
{
	if (s->store)
		return status_store_show(s->store, uuid, ret, err);
	json_t *params = json_make("{s:s}", "uuid", uuid);
	int r = varlink_roundtrip(s->link, API_SHOW, params, ANSWER_MS, ret, err);
	if (r < 0 && err->code == ERR_NOTFOUND) {
		err_done(err);
		r = show_removed(s, uuid, ret, err);
	}
	if (r == 0)
		json_object_set_new(*ret, "source", json_string("supervisor"));
	return r;
}
