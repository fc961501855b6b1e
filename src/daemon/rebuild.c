/* SPDX-License-Identifier: Apache-2.0 */
/* Pods found again in the world: see rebuild.h. What a found pod looks like is rebuilt.c. */
#include "daemon/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/custody.h"
#include "daemon/messages.h"
#include "daemon/rebuild_int.h"
#include "daemon/records.h"
#include "proto/api.h"
#include "proto/spec.h"

struct rebuild {
	struct engine *e;
	struct sensors *sensors;
	json_t **record;
	size_t n, room;
};

/* ---- evidence --------------------------------------------------------------------------------- */

static void add_record(void *ctx, const json_t *record)
{
	struct rebuild *r = ctx;
	const char *store = store_id(engine_cfg(r->e)->store);
	if (strcmp(json_str_opt(record, "store", ""), store) != 0) {
		log_warning("pod %s: its record is another store's and is not used",
			json_str_opt(record, "uuid", ""));
		return;
	}
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->record = xreallocarray(r->record, r->room, sizeof(json_t *));
	}
	r->record[r->n++] = json_deep_copy(record);
}

struct rebuild *rebuild_new(struct engine *e, struct sensors *s)
{
	const struct engine_config *cfg = engine_cfg(e);
	const struct store_loss *loss = store_loss(cfg->store);
	if (!loss->pending)
		return NULL;
	struct rebuild *r = xcalloc(1, sizeof *r);
	r->e = e;
	r->sensors = s;
	if (cfg->records_dir)
		records_each(cfg->records_dir, add_record, r);
	log_about(LOG_LVL_ERR, MSG_STORE_LOST, NULL, "the database was lost: %s", loss->why);
	if (loss->kept && *loss->kept)
		log_err("what is left of the database is kept as %s", loss->kept);
	log_err("pods are found again by their domains and %zu records; requests wait until then",
		r->n);
	return r;
}

void rebuild_free(struct rebuild *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		json_decref(r->record[i]);
	free(r->record);
	free(r);
}

bool rebuild_helpers(struct rebuild *r, bool late)
{
	bool busy = false;
	for (size_t i = 0; r && i < r->n; i++) {
		struct world *w = engine_cfg(r->e)->world;
		const char *uuid = json_str_opt(r->record[i], "uuid", "");
		if (!w->ops->helper_alive(w, uuid))
			continue;
		busy = true;
		if (late)
			w->ops->helper_kill(w, uuid);
	}
	return busy;
}

/* Of two with one UUID the last that was made is the pod's; the other one is an orphan. */
static const struct orphan *domain_of(const struct rebuild *r, const char *uuid)
{
	const struct orphan *list = NULL;
	const struct orphan *best = NULL;
	size_t n = sensors_orphans(r->sensors, &list);
	for (size_t i = 0; list && i < n; i++)
		if (list[i].marked && list[i].generation > 0 && !strcmp(list[i].uuid, uuid) &&
			(!best || best->generation < list[i].generation))
			best = &list[i];
	return best;
}

static const json_t *record_of(const struct rebuild *r, const char *uuid)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(json_str_opt(r->record[i], "uuid", ""), uuid))
			return r->record[i];
	return NULL;
}

/* ---- found ------------------------------------------------------------------------------------ */

struct found {
	struct pod **pod;
	size_t n;
	struct err err; /* the store cannot be written: nothing of all this is kept */
};

/* As in the engine, one that the store refuses does not keep the others out. */
static void keep(struct rebuild *r, struct found *f, struct pod *p)
{
	struct store *s = engine_cfg(r->e)->store;
	_cleanup_err_ struct err why = {0};
	if (!f->err.msg && store_savepoint(s, &why) == 0) {
		if (rebuilt_write(r->e, p, &why) == 0 && store_savepoint_release(s, &why) == 0) {
			f->pod = xreallocarray(f->pod, f->n + 1, sizeof(struct pod *));
			f->pod[f->n++] = p;
			return;
		}
		store_savepoint_rollback(s);
	}
	if (why.msg && why.code == ERR_STORE && !store_damaged(s))
		log_about(LOG_LVL_ERR, MSG_POD_ASIDE, p->uuid,
			"pod %s was found, but cannot be stored; its domain is left alone: %s",
			p->uuid, err_msg(&why));
	else if (why.msg && !f->err.msg)
		err_move(&f->err, &why);
	pod_free(p);
}

static void find_all(struct rebuild *r, struct found *f)
{
	const struct orphan *list = NULL;
	size_t n = sensors_orphans(r->sensors, &list);
	for (size_t i = 0; i < r->n; i++) {
		const char *uuid = json_str_opt(r->record[i], "uuid", "");
		keep(r, f, rebuilt_pod(r->e, uuid, r->record[i], domain_of(r, uuid)));
	}
	for (size_t i = 0; list && i < n; i++)
		if (uuid_valid(list[i].uuid) && domain_of(r, list[i].uuid) == &list[i] &&
			!record_of(r, list[i].uuid))
			keep(r, f, rebuilt_pod(r->e, list[i].uuid, NULL, &list[i]));
}

static int store_found(struct rebuild *r, struct found *f, struct err *err)
{
	struct store *s = engine_cfg(r->e)->store;
	if (store_begin(s, err) < 0)
		return -1;
	find_all(r, f);
	if (!f->err.msg && store_rebuilt(s, &f->err) == 0)
		return store_commit(s, err);
	store_rollback(s);
	err_move(err, &f->err);
	return -1;
}

static void plug(struct rebuild *r, struct pod *p)
{
	log_pod(LOG_LVL_NOTICE, p->uuid, "pod %s is found again: %s, domain %lld", p->uuid,
		pod_state_name(p->core.state), (long long)p->core.domid);
	engine_coldplug(r->e, p);
}

int rebuild_run(struct rebuild *r, struct err *err)
{
	struct found f = {0};
	int result = store_found(r, &f, err);
	for (size_t i = 0; i < f.n; i++)
		if (result == 0)
			plug(r, f.pod[i]);
		else
			pod_free(f.pod[i]);
	if (result == 0)
		log_err("the database is built anew: %zu pods were found", f.n);
	free(f.pod);
	return result;
}

static bool brings_lock(const json_t *request)
{
	size_t i;
	const json_t *name;
	json_array_foreach (json_object_get(request, "fds"), i, name)
		if (json_is_string(name) && !strcmp(json_string_value(name), API_FD_LOCK))
			return true;
	return false;
}

int rebuild_check_new(const struct engine *e, const json_t *request, struct err *err)
{
	const struct store_loss *loss = store_loss(engine_cfg(e)->store);
	if (loss->pending)
		return err_set(err, ERR_UNAVAILABLE, REBUILD_WAIT);
	if (!loss->why || brings_lock(request))
		return 0;
	return err_set(err, ERR_NOTFOUND,
		"pod %s has ended: the supervisor has lost its database, and there is neither a "
		"record nor a domain of it",
		json_str_opt(request, "uuid", "?"));
}

/* It brings what it still has, which says nothing about the rest of the request. */
static int check_again(const json_t *request, struct err *err)
{
	static const char *const first[] = {
		API_FD_LOCK, API_FD_STATUS, API_FD_KERNEL, API_FD_RAMDISK};
	_cleanup_json_ json_t *all = json_copy((json_t *)(uintptr_t)request);
	json_t *names = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		json_array_append_new(names, json_string(first[i]));
	for (size_t i = 0; i < json_array_size(json_object_get(request, "trees")); i++)
		json_array_append_new(names, json_sprintf("tree/%zu", i));
	json_object_set_new(all, "fds", names);
	return spec_check_request(all, err);
}

void rebuild_complete(struct engine *e, struct pod *p, const json_t *request)
{
	_cleanup_err_ struct err err = {0};
	struct store *s = engine_cfg(e)->store;
	if (!p->request || !p->request->rebuilt)
		return;
	_cleanup_json_ json_t *whole = json_deep_copy(request);
	json_object_del(whole, "fds");
	_cleanup_free_ char *text = json_text(whole);
	if (check_again(request, &err) < 0 || store_begin(s, &err) < 0 ||
		store_request_set(s, p->uuid, text, &err) < 0 || store_commit(s, &err) < 0) {
		store_rollback(s);
		log_pod(LOG_LVL_WARNING, p->uuid,
			"pod %s: what its run asks for again cannot be kept: %s", p->uuid,
			err_msg(&err));
		return;
	}
	rebuilt_request(p, whole);
	records_put(e, p);
	(void)custody_recover(p);
	engine_watch(e, p); /* its apps are known now */
}
