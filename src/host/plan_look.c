/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan and its record say, without a change. See plan.h. */
#include <string.h>

#include "base/cleanup.h"
#include "host/plan_step.h"

const char *plan_state_name(enum plan_state state)
{
	static const char *const names[] = {"none", "interrupted", "up", "changed"};
	return names[state];
}

json_t *plan_steps(const struct plan *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(
			list, json_make("{s:s,s:s,s:s,s:O}", "kind", p->steps[i].thing->kind,
				      "name", p->steps[i].name, "say", p->steps[i].say, "want",
				      p->steps[i].want));
	return list;
}

int plan_undone(const struct host *h, const struct plan *p, json_t **ret, struct err *err)
{
	_cleanup_record_ struct record r;
	if (step_open(h, p, PLAN_SHOW, false, &r, err) < 0)
		return -1;
	*ret = json_array();
	for (size_t i = json_array_size(record_steps(&r)); i-- > 0;) {
		const json_t *step = json_array_get(record_steps(&r), i);
		if (!step_planned(p, step))
			json_array_append_new(*ret,
				json_make("{s:O,s:O,s:O}", "kind", json_object_get(step, "kind"),
					"name", json_object_get(step, "name"), "say",
					json_object_get(step, "say")));
	}
	return 0;
}

static int is_so(const struct host *h, const struct record *r, const struct step *s, bool *ret,
	struct err *err)
{
	const json_t *step = step_recorded(h, r, s);
	_cleanup_json_ json_t *now = NULL;
	if (step_get(h, s->thing, s->name, step != NULL, &now, err) < 0)
		return -1;
	*ret = step_same(s->thing, now, s->want) &&
	       (!step || step_same(s->thing, json_object_get(step, "want"), s->want));
	return 0;
}

int plan_is_so(const struct host *h, const struct plan *p, bool *ret, struct err *err)
{
	_cleanup_record_ struct record r;
	if (step_open(h, p, PLAN_SHOW, false, &r, err) < 0)
		return -1;
	*ret = true;
	for (size_t i = 0; i < p->n && *ret; i++)
		if (is_so(h, &r, &p->steps[i], ret, err) < 0)
			return -1;
	return 0;
}

int plan_look(const struct host *h, const struct plan *p, enum plan_state *ret, size_t *ret_changed,
	json_t **ret_record, struct err *err)
{
	_cleanup_record_ struct record r;
	size_t changed = 0;
	size_t i;
	json_t *step;
	if (step_open(h, p, PLAN_SHOW, false, &r, err) < 0)
		return -1;
	json_array_foreach (record_steps(&r), i, step) {
		const struct thing *thing = step_kind(p, step, err);
		const char *name = json_str_opt(step, "name", "");
		json_t *now = json_null();
		if (!thing || (!step_is_gone(h, thing, step) &&
				      step_get(h, thing, name, true, &now, err) < 0))
			return -1;
		bool so = step_same(thing, now, json_object_get(step, "want"));
		changed += !so;
		json_object_set_new(step, "now", now);
		json_object_set_new(step, "so", json_boolean(so));
	}
	*ret = !r.doc                                     ? PLAN_NONE
	       : !json_bool_opt(r.doc, "complete", false) ? PLAN_INTERRUPTED
	       : changed                                  ? PLAN_CHANGED
							  : PLAN_UP;
	*ret_changed = changed;
	if (ret_record)
		*ret_record = TAKE_PTR(r.doc);
	return 0;
}
