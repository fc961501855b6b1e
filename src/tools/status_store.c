/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's JSON made of store rows, for the time when there is no supervisor to make it. Requests
 * hold secrets: only sizes and the networks' names are taken from them.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "fsm/pod.h"
#include "proto/netinfo.h"
#include "proto/volinfo.h"
#include "store/store.h"
#include "tools/status.h"

/* What costs something, and only when somebody looks at it. */
struct wanted {
	bool apps, networks, request;
};

struct gather {
	struct wanted want;
	struct store *store;
	json_t *list;
	struct err *err;
	const char *only; /* one UUID, or NULL */
	json_t *volumes;  /* of that one */
};

static json_t *int_or_null(int64_t v, int64_t none)
{
	return v == none ? json_null() : json_integer(v);
}

static int add_app(void *ctx, const struct app_row *r)
{
	json_array_append_new(
		ctx, json_make("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "name", r->name, "state",
			     r->state, "code", int_or_null(r->code, -1), "signal",
			     int_or_null(r->signal, -1), "started", int_or_null(r->started_at, 0),
			     "ended", int_or_null(r->ended_at, 0), "message", r->message));
	return 0;
}

/* Of a long text few members are wanted: only those are parsed. */
static json_t *request_head(const char *text)
{
	static const char *const wanted[] = {"dir", "memory_kib", "vcpus", "net"};
	json_t *head = json_object();
	struct json_member m;
	while (json_member_next(&text, &m))
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			if (m.key_len == strlen(wanted[i]) && !memcmp(m.key, wanted[i], m.key_len))
				json_object_set_new(head, wanted[i],
					json_loadb(m.value, m.value_len, JSON_DECODE_ANY, NULL));
	return head;
}

static void add_request(json_t *pod, const char *text)
{
	_cleanup_json_ json_t *q = request_head(text);
	json_object_set_new(pod, "dir", json_string(json_str_opt(q, "dir", "")));
	json_object_set_new(pod, "memory_kib", json_integer(json_int_opt(q, "memory_kib", 0)));
	json_object_set_new(pod, "vcpus", json_integer(json_int_opt(q, "vcpus", 0)));
	json_object_set_new(pod, "net", json_string(json_str_opt(q, "net", "none")));
}

static void add_volumes(const struct gather *g, const char *text)
{
	_cleanup_json_ json_t *request = json_loads(text, 0, NULL);
	_cleanup_json_ json_t *volumes = volinfo_of(request);
	json_array_extend(g->volumes, volumes);
}

static int add_networks(const struct gather *g, json_t *pod, const char *uuid)
{
	_cleanup_free_ char *text = NULL;
	if (store_networks(g->store, uuid, &text, g->err) < 0)
		return -1;
	_cleanup_json_ json_t *nets = text ? json_loads(text, 0, NULL) : NULL;
	json_object_set_new(pod, "networks", netinfo_of(nets));
	return 0;
}

/* When it would be tried, without a supervisor nobody can say. */
static void add_restart(json_t *pod, const struct pod_row *r)
{
	json_t *restart = json_null();
	if (strcmp(r->policy, "never") != 0)
		restart = json_make("{s:s, s:I, s:I, s:I, s:I, s:b, s:n}", "policy", r->policy,
			"limit", (json_int_t)r->burst, "lives", (json_int_t)r->lives, "starts",
			(json_int_t)r->starts, "tries", (json_int_t)r->tries, "given_up",
			(int)r->given_up, "next");
	json_object_set_new(pod, "restart", restart);
}

static json_t *pod_json(const struct pod_row *r)
{
	int state = pod_state_from_name(r->state);
	return json_make("{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:b}",
		"uuid", r->uuid, "state", r->state, "word",
		state < 0 ? r->state : pod_state_word((enum pod_state)state), "want", r->want,
		"generation", (json_int_t)r->generation, "domid", int_or_null(r->domid, -1),
		"created", int_or_null(r->created_at, 0), "started", int_or_null(r->started_at, 0),
		"ended", int_or_null(r->ended_at, 0), "cause", r->cause, "message", r->message,
		"code", int_or_null(r->code, -1), "forced", (int)r->forced);
}

static int add_apps(const struct gather *g, json_t *pod, const char *uuid)
{
	json_t *apps = json_array();
	json_object_set_new(pod, "apps", apps);
	return store_apps(g->store, uuid, add_app, apps, g->err);
}

static int add_pod(void *ctx, const struct pod_row *r)
{
	struct gather *g = ctx;
	if (g->only && strcmp(g->only, r->uuid) != 0)
		return 0;
	json_t *pod = pod_json(r);
	json_array_append_new(g->list, pod);
	if (g->want.apps && add_apps(g, pod, r->uuid) < 0)
		return -1;
	if (g->want.request)
		add_request(pod, r->request);
	if (g->only)
		add_volumes(g, r->request);
	if (g->want.networks && add_networks(g, pod, r->uuid) < 0)
		return -1;
	json_object_set_new(pod, "domain", json_null()); /* only the supervisor sees it */
	add_restart(pod, r);
	return 0;
}

static int add_history(void *ctx, const struct history_row *h)
{
	json_array_append_new(
		ctx, json_make("{s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:I}", "seq",
			     (json_int_t)h->seq, "uuid", h->uuid, "at", (json_int_t)h->at, "event",
			     h->event, "from", h->from, "to", h->to, "cause", h->cause, "domid",
			     int_or_null(h->domid, -1), "generation", (json_int_t)h->generation));
	return 0;
}

static int add_ledger(void *ctx, const struct ledger_row *l)
{
	json_array_append_new(
		ctx, json_make("{s:s, s:s, s:I, s:s}", "kind", l->kind, "name", l->name,
			     "generation", (json_int_t)l->generation, "state", l->state));
	return 0;
}

static bool is_wanted(const json_t *members, const char *name)
{
	size_t i;
	const json_t *v;
	json_array_foreach (members, i, v)
		if (!strcmp(json_string_value(v), name))
			return true;
	return !members;
}

int status_store_list(struct store *s, const json_t *members, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *pods = json_array();
	struct gather g = {.store = s, .list = pods, .err = err};
	g.want.apps = is_wanted(members, "apps");
	g.want.networks = is_wanted(members, "networks");
	g.want.request = is_wanted(members, "dir") || is_wanted(members, "net") ||
			 is_wanted(members, "memory_kib") || is_wanted(members, "vcpus");
	if (store_begin(s, err) < 0)
		return -1;
	int r = store_pods(s, add_pod, &g, err);
	store_rollback(s);
	if (r < 0)
		return -1;
	*ret = json_make("{s:s, s:O}", "source", "store", "pods", pods);
	return 0;
}

int status_store_show(struct store *s, const char *uuid, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *pods = json_array();
	_cleanup_json_ json_t *history = json_array();
	_cleanup_json_ json_t *ledger = json_array();
	_cleanup_json_ json_t *volumes = json_array();
	_cleanup_free_ char *console = NULL;
	struct gather g = {.store = s,
		.list = pods,
		.err = err,
		.only = uuid,
		.volumes = volumes,
		.want = {true, true, true}};
	if (store_begin(s, err) < 0)
		return -1;
	int r = store_pods(s, add_pod, &g, err);
	if (r == 0)
		r = store_history(s, uuid, 0, 0, add_history, history, err);
	if (r == 0)
		r = store_ledger(s, uuid, add_ledger, ledger, err);
	if (r == 0)
		r = store_console(s, uuid, &console, err);
	store_rollback(s);
	if (r < 0)
		return -1;
	json_t *pod = json_array_get(pods, 0);
	if (!pod && !json_array_size(history))
		return err_set(err, ERR_NOTFOUND, "the store knows no pod %s", uuid);
	*ret = json_make("{s:s, s:o, s:O, s:O, s:O, s:s?}", "source", "store", "pod",
		pod ? json_incref(pod) : json_null(), "history", history, "ledger", ledger,
		"volumes", volumes, "console", console);
	return 0;
}

int status_store_history(
	struct store *s, const char *uuid, int64_t since, json_t *rows, struct err *err)
{
	if (store_begin(s, err) < 0)
		return -1;
	int r = store_history(s, uuid, since, 0, add_history, rows, err);
	store_rollback(s);
	return r;
}
