/* SPDX-License-Identifier: Apache-2.0 */
/* Orphans and Collect: what no pod accounts for, with the evidence. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/api_int.h"
#include "daemon/leftovers.h"
#include "daemon/worker.h"

/* When it will be collected, on the wall's clock; null when it will not, or is being collected. */
static json_t *due_json(const struct api *a, const struct orphan_item *i)
{
	const struct engine_config *cfg = engine_cfg(a->cfg.engine);
	if (!i->orphaned || i->decided || !i->audits)
		return json_null();
	int64_t left = orphans_due(i) - engine_now(a->cfg.engine);
	return json_integer(cfg->wall_ns(cfg->clock) + (left > 0 ? left : 0));
}

static const char *word_of(const struct orphan_item *i)
{
	static const char *const steps[] = {
		[ORPHAN_DESTROY] = "destroying",
		[ORPHAN_CLEAR] = "clearing",
		[ORPHAN_RELEASE] = "clearing",
		[ORPHAN_DONE] = "clearing",
	};
	if (i->decided)
		return steps[i->step];
	return i->orphaned && i->audits ? "waiting" : "kept";
}

static json_t *item_json(const struct api *a, const struct orphan_item *i)
{
	json_t *since = i->since_wall ? json_integer(i->since_wall) : json_null();
	json_t *o = json_make("{s:I, s:s, s:I, s:s, s:s, s:s, s:o, s:i, s:o, s:i, s:s}", "domid",
		(json_int_t)i->seen.domid, "uuid", i->seen.uuid, "generation",
		(json_int_t)i->seen.generation, "state", i->seen.state, "action", word_of(i), "why",
		i->why, "since", since, "looks", i->audits, "due", due_json(a, i), "tries",
		i->tries, "error", i->error);
	return o;
}

/* ---- what else is left ------------------------------------------------------------------------ */

#define NETNS_DIR "/run/netns"

/* Directories are read on the worker's thread. */
struct look {
	struct worker_job job;
	struct conn *conn;
	json_t *found;
};

static void work(struct worker_job *job)
{
	struct look *l = (struct look *)job;
	const struct engine_config *cfg = engine_cfg(l->conn->api->cfg.engine);
	l->found = leftovers_find(NETNS_DIR, cfg->run_dir, cfg->cgroup_root);
}

static bool has_domain(const struct api *a, const char *uuid)
{
	const struct orphan_item *i = orphans_first(a->cfg.orphans);
	while (i && strcmp(i->seen.uuid, uuid) != 0)
		i = i->next;
	return i;
}

static bool has_pod(const struct api *a, const char *uuid)
{
	_cleanup_err_ struct err err = {0};
	bool known = true;
	if (pods_find(engine_pods(a->cfg.engine), uuid))
		return true;
	return store_pod_known(engine_cfg(a->cfg.engine)->store, uuid, &known, &err) < 0 || known;
}

static json_t *leftovers_json(const struct api *a, const json_t *found)
{
	size_t i;
	json_t *one;
	json_t *list = json_array();
	json_array_foreach (found, i, one) {
		const char *uuid = json_str_opt(one, "uuid", "");
		if (has_pod(a, uuid))
			continue;
		json_object_set_new(one, "why",
			json_string(has_domain(a, uuid)
					    ? "goes with its domain"
					    : "no pod of this supervisor has this UUID"));
		json_array_append(list, one);
	}
	return list;
}

/* ---- the verbs -------------------------------------------------------------------------------- */

static void reply(struct conn *c, const json_t *found)
{
	const struct api *a = c->api;
	json_t *domains = json_array();
	for (const struct orphan_item *i = orphans_first(a->cfg.orphans); i; i = i->next)
		json_array_append_new(domains, item_json(a, i));
	conn_reply(c,
		json_make("{s:o, s:o}", "domains", domains, "leftovers", leftovers_json(a, found)),
		false);
}

static void done(struct worker_job *job)
{
	struct look *l = (struct look *)job;
	l->conn->holds--;
	if (!l->conn->dead)
		reply(l->conn, l->found);
	json_decref(l->found);
	free(l);
}

void api_verb_orphans(struct conn *c, json_t *params)
{
	(void)params;
	struct look *l = xcalloc(1, sizeof *l);
	l->job.work = work;
	l->job.done = done;
	l->conn = c;
	c->role = CONN_CHANGE;
	c->holds++;
	worker_submit(engine_cfg(c->api->cfg.engine)->worker, &l->job);
}

void api_verb_collect(struct conn *c, json_t *params)
{
	orphans_ask(c->api->cfg.orphans);
	api_verb_orphans(c, params);
}
