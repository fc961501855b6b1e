/* SPDX-License-Identifier: Apache-2.0 */
/* See plan_step.h. */
#include "host/plan_step.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/files.h"

bool step_same(const struct thing *thing, const json_t *now, const json_t *want)
{
	if (json_is_null(now) || json_is_null(want) || json_is_array(now) || !thing->same)
		return json_equal(now, want);
	return thing->same(now, want);
}

int step_get(const struct host *h, const struct thing *thing, const char *name, bool ours,
	json_t **ret, struct err *err)
{
	_cleanup_err_ struct err why = {0};
	*ret = NULL;
	if (thing->get(h, name, ret, &why) == 0) {
		if (!*ret)
			*ret = json_null();
		return 0;
	}
	if (ours && (why.code == ERR_EXISTS || why.code == ERR_UNSUPPORTED)) {
		*ret = json_make("[s]", err_msg(&why));
		return 0;
	}
	err_move(err, &why);
	return err_wrap(err, "look at %s %s", thing->kind, name);
}

char *plan_boot_id(const struct host *h)
{
	_cleanup_free_ char *at = host_path(h, "/proc/sys/kernel/random/boot_id");
	_cleanup_err_ struct err why = {0};
	char *text = NULL;
	size_t len;
	if (file_read_at(AT_FDCWD, at, 64, &text, &len, &why) < 0)
		return xstrdup("");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

bool step_is_gone(const struct host *h, const struct thing *thing, const json_t *step)
{
	_cleanup_free_ char *now = plan_boot_id(h);
	return thing->till_boot && strcmp(json_str_opt(step, "boot", ""), now) != 0;
}

bool step_is_ours(const struct thing *thing, const json_t *step, const json_t *now)
{
	const json_t *had = json_object_get(step, "had");
	return step_same(thing, now, json_object_get(step, "want")) ||
	       (had && step_same(thing, now, had));
}

const struct thing *step_kind(const struct plan *p, const json_t *step, struct err *err)
{
	const char *kind = json_str_opt(step, "kind", "");
	for (const struct thing *const *t = p->kinds; *t; t++)
		if (!strcmp((*t)->kind, kind))
			return *t;
	err_set(err, ERR_UNSUPPORTED,
		"the record of %s holds a \"%s\", which this xenpod does not know", p->of, kind);
	return NULL;
}

json_t *step_recorded(const struct host *h, const struct record *r, const struct step *s)
{
	json_t *step = record_step(r, s->thing->kind, s->name);
	return step && !step_is_gone(h, s->thing, step) ? step : NULL;
}

bool step_planned(const struct plan *p, const json_t *step)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->steps[i].thing->kind, json_str_opt(step, "kind", "")) &&
			!strcmp(p->steps[i].name, json_str_opt(step, "name", "")))
			return true;
	return false;
}

static void drop_lost(const struct plan *p, struct record *r, enum plan_how how, bool tell)
{
	json_t *steps = record_steps(r);
	for (size_t i = json_array_size(steps); i-- > 0;) {
		const json_t *step = json_array_get(steps, i);
		if (!p->is_lost || !p->is_lost(step, p->lost))
			continue;
		if (tell)
			printf("%-10s  %s\n", how == PLAN_DO ? "lost" : "would lose",
				json_str_opt(step, "say", ""));
		json_array_remove(steps, i);
		json_object_set_new(r->doc, "complete", json_false());
	}
}

int step_open(const struct host *h, const struct plan *p, enum plan_how how, bool tell,
	struct record *ret, struct err *err)
{
	int r = how == PLAN_DO ? record_open(h, p->of, ret, err) : record_read(h, p->of, ret, err);
	if (r == 0)
		drop_lost(p, ret, how, tell);
	return r;
}
