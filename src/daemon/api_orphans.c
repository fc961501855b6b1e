/* SPDX-License-Identifier: Apache-2.0 */
/* Orphans and Collect: what no pod accounts for, with the evidence. */
#include "base/cleanup.h"
#include "base/json.h"
#include "daemon/api_int.h"

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

static void reply(struct conn *c)
{
	const struct api *a = c->api;
	json_t *domains = json_array();
	for (const struct orphan_item *i = orphans_first(a->cfg.orphans); i; i = i->next)
		json_array_append_new(domains, item_json(a, i));
	conn_reply(c, json_make("{s:o}", "domains", domains), false);
}

void api_verb_orphans(struct conn *c, json_t *params)
{
	(void)params;
	reply(c);
}

void api_verb_collect(struct conn *c, json_t *params)
{
	(void)params;
	orphans_ask(c->api->cfg.orphans);
	reply(c);
}
